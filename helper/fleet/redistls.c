#include "fleet/redistls.h"

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdbool.h>

static SSL_CTX *make_rules(const char *cainfo)
{
	SSL_CTX *rules = SSL_CTX_new(TLS_client_method());
	int loaded;

	if (!rules)
		return NULL;
	loaded = cainfo ? SSL_CTX_load_verify_locations(rules, cainfo, NULL)
			: SSL_CTX_set_default_verify_paths(rules);
	SSL_CTX_set_verify(rules, SSL_VERIFY_PEER, NULL);
	if (loaded == 1 && SSL_CTX_set_min_proto_version(rules, TLS1_2_VERSION) == 1)
		return rules;
	SSL_CTX_free(rules);
	return NULL;
}

/*
 * Make the handshake fail unless the certificate names host. An IP address is compared with the
 * addresses in the certificate. It is not sent as server name (RFC 6066, 3).
 */
static bool expect_host(SSL *session, const char *host)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1)
		return true;
	return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

enum status redistls_start(
	redisContext *context, const char *host, const char *cainfo, struct failure *failure)
{
	SSL_CTX *rules = make_rules(cainfo);
	SSL *session = rules ? SSL_new(rules) : NULL;
	enum status status = STATUS_OK;

	if (!session || !expect_host(session, host))
		status = status_fail(failure, STATUS_SYSTEM, "TLS cannot be initialised");
	else if (redisInitiateSSL(context, session) != REDIS_OK)
		status = status_fail(failure, STATUS_UNREACHABLE, "TLS: %s", context->errstr);
	if (status) /* otherwise it is hiredis's now */
		SSL_free(session);
	SSL_CTX_free(rules);
	return status;
}
