/*
 * sypht-mint: makes one token request. It reads the question from stdin and writes the answer to
 * stdout, both as key=value lines. The answer is credential, expires_in and scope, or status, error
 * and retry_after. Before either stand trace[] lines, and after a failure http_status. With
 * verb=describe it sends nothing, and the answer is subject, issuer, expires and warn_from of the
 * assertion or the certificate, and error if it cannot be used. Only this program links libcurl, so
 * that the programs that wait for it start fast.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/attributes.h"
#include "core/settings.h"
#include "libexec.h"
#include "mint/discovery.h"
#include "mint/endpoint.h"
#include "mint/identity.h"
#include "mint/keypair.h"
#include "mint/response.h"
#include "process.h"

enum {
	KEY_MAX_BYTES = 128 * 1024,
	URL_MAX_BYTES = 8 * 1024,
};

/* What has to be put together before the request. */
struct parts {
	struct buffer token_url;   /* from the issuer's metadata; empty: the request has it */
	struct buffer private_key; /* as in struct secret, like the next one */
	struct buffer certificate;
	struct keypair keypair;
	struct identity identity;
};

static time_t read_clock(void)
{
	return time(NULL);
}

/* Join the lines of a PEM file, each of which is a value of key. A URI is a single line. */
static enum status join_lines(const struct attributes *asked, const char *key, struct buffer *text,
	struct failure *failure)
{
	enum status status = STATUS_OK;

	for (const char *line = NULL; !status && (line = attributes_next(asked, key, line));)
		status = buffer_printf(text, "%s%s", text->length > 0 ? "\n" : "", line);
	return status ? status_fail(failure, status, "the private key is too long") : STATUS_OK;
}

/* The config key that the proof of the client comes from, for reasons. */
static const char *source_name(const struct attributes *asked)
{
	const char *name = attributes_get(asked, "source");

	return name ? name : "private_key_file";
}

/* The same for the certificate, if the proof is one. */
static const char *identity_source(const struct attributes *asked, enum authmethod method)
{
	if (authmethod_is_tls(method))
		return "client_certificate_file";
	return method == AUTHMETHOD_PRIVATE_KEY_JWT ? "private_key_certificate"
						    : source_name(asked);
}

static enum status open_keypair(const struct attributes *asked, enum authmethod method,
	struct parts *parts, struct failure *failure)
{
	const struct keypair_source source = {
		.private_key = parts->private_key.data,
		.password = attributes_get(asked, "key_password"),
		.name = source_name(asked),
		.certificate = parts->certificate.data,
		.certificate_path = attributes_get(asked, "certificate_path"),
		.for_tls = authmethod_is_tls(method),
	};

	return source.private_key ? keypair_open(&parts->keypair, &source, failure) : STATUS_OK;
}

static enum status read_proof(const struct attributes *asked, enum authmethod method,
	struct parts *parts, struct failure *failure)
{
	enum status status = join_lines(asked, "private_key[]", &parts->private_key, failure);

	if (!status)
		status = join_lines(asked, "certificate[]", &parts->certificate, failure);
	if (!status)
		status = open_keypair(asked, method, parts, failure);
	parts->identity = (struct identity){
		.assertion = attributes_get(asked, "client_assertion"),
		.keypair = &parts->keypair,
		.source = identity_source(asked, method),
		.now = read_clock(),
	};
	return status;
}

static struct transfer_client tls_client(const struct attributes *asked, const struct parts *parts)
{
	const char *both =
		buffer_text(parts->keypair.pem.data ? &parts->keypair.pem : &parts->private_key);

	return (struct transfer_client){
		.certificate = parts->certificate.data ? parts->certificate.data : both,
		.private_key = both,
		.password = attributes_get(asked, "key_password"),
	};
}

/* Whether there is what the method needs. */
static bool is_proven(const struct endpoint_request *request, const struct parts *parts)
{
	switch (request->auth_method) {
	case AUTHMETHOD_PRIVATE_KEY_JWT:
	case AUTHMETHOD_TLS:
	case AUTHMETHOD_SELF_SIGNED_TLS:
		return parts->private_key.data != NULL;
	case AUTHMETHOD_CLIENT_ASSERTION:
		return parts->identity.assertion != NULL;
	default:
		return request->client_secret != NULL;
	}
}

static enum status read_request(const struct attributes *asked, const struct parts *parts,
	struct endpoint_request *request, struct failure *failure)
{
	const char *timeout_ms = attributes_get(asked, "timeout_ms");
	long left_ms =
		timeout_ms ? strtol(timeout_ms, NULL, 10) : SETTINGS_TIMEOUT_DEFAULT_S * 1000L;

	*request = (struct endpoint_request){
		.token_url = attributes_get(asked, "token_url"),
		.client_id = attributes_get(asked, "client_id"),
		.client_secret = attributes_get(asked, "client_secret"),
		.scope = attributes_get(asked, "scope"),
		.audience = attributes_get(asked, "audience"),
		.resources = asked,
		.auth_method = request->auth_method,
		.basic_raw = attributes_contains(asked, "basic_encoding", "raw"),
		.keypair = &parts->keypair,
		.private_key_id = attributes_get(asked, "private_key_id"),
		.assertion_audience = attributes_get(asked, "assertion_audience"),
		.assertion_algorithm = attributes_get(asked, "assertion_algorithm"),
		.identity = &parts->identity,
		.assertion_type = attributes_get(asked, "client_assertion_type"),
		.clock = read_clock,
		.cainfo = attributes_get(asked, "cainfo"),
		.deadline = process_milliseconds() + left_ms,
	};
	if (authmethod_is_tls(request->auth_method))
		request->tls = tls_client(asked, parts);
	if ((!request->token_url && !attributes_get(asked, "issuer")) || !request->client_id ||
		!is_proven(request, parts))
		return status_fail(failure, STATUS_MALFORMED,
			"sypht-mint needs token_url or issuer, client_id, and client_secret, "
			"private_key[] or client_assertion on stdin");
	return STATUS_OK;
}

static enum status discover_endpoint(const struct attributes *asked,
	struct endpoint_request *request, struct buffer *token_url, struct buffer *story,
	struct failure *failure)
{
	struct discovery discovery = {
		.issuer = attributes_get(asked, "issuer"),
		.mutual_tls = authmethod_is_tls(request->auth_method),
		.cainfo = request->cainfo,
		.deadline = request->deadline,
		.story = story,
	};
	enum status status = discovery_find(&discovery, token_url, failure);

	request->token_url = token_url->data;
	return status;
}

static enum status write_grant(const struct grant *grant, struct buffer *answer)
{
	enum status status = attributes_add(answer, "credential", grant->token);

	if (!status && grant->expires_in != RESPONSE_LIFETIME_UNKNOWN)
		status = attributes_add_number(answer, "expires_in", grant->expires_in);
	if (!status)
		status = attributes_add(answer, "scope", grant->scope);
	return status;
}

static enum status make_request(const struct attributes *asked, struct parts *parts,
	struct endpoint_request *request, struct buffer *answer, struct buffer *story,
	struct endpoint_reply *last, struct failure *failure)
{
	struct grant grant = GRANT_INIT;
	enum status status = STATUS_OK;

	if (!request->token_url)
		status = discover_endpoint(asked, request, &parts->token_url, story, failure);
	if (!status)
		status = endpoint_mint(request, &grant, story, last, failure);
	if (!status && write_grant(&grant, answer))
		status = status_no_memory(failure);
	grant_release(&grant);
	return status;
}

/* What the identity is, beside the reason if it cannot be used. */
static enum status describe(const struct parts *parts, struct buffer *answer)
{
	struct failure flaw;
	enum status status = identity_describe(&parts->identity, answer);

	if (!status && identity_check(&parts->identity, &flaw))
		status = attributes_add(answer, "error", flaw.reason);
	return status;
}

static enum status answer_request(const struct attributes *asked, struct buffer *story,
	struct buffer *answer, struct failure *failure)
{
	struct parts parts = {
		.token_url = BUFFER_INIT(URL_MAX_BYTES),
		.private_key = BUFFER_INIT(KEY_MAX_BYTES),
		.certificate = BUFFER_INIT(KEY_MAX_BYTES),
		.keypair = KEYPAIR_INIT,
	};
	enum authmethod method = authmethod_find(attributes_get(asked, "auth_method"));
	struct endpoint_request request = {.auth_method = method ? method : AUTHMETHOD_BASIC};
	struct endpoint_reply last = {0};
	enum status status = read_proof(asked, method, &parts, failure);

	if (!status)
		status = read_request(asked, &parts, &request, failure);
	if (!status && attributes_contains(asked, "verb", "describe"))
		status = describe(&parts, answer);
	else if (!status)
		status = make_request(asked, &parts, &request, answer, story, &last, failure);
	if (status)
		failure->retry_after_s = last.retry_after_s;
	if (status && last.http_status > 0 &&
		attributes_add_number(story, "http_status", last.http_status))
		status = status_no_memory(failure);
	keypair_release(&parts.keypair);
	buffer_release(&parts.token_url);
	buffer_release(&parts.private_key);
	buffer_release(&parts.certificate);
	return status;
}

int main(void)
{
	return libexec_main(answer_request);
}
