#include "core/entra.h"

#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/configvalue.h"
#include "core/profile.h"
#include "core/settings.h"

#define ENTRA_HOST "https://login.microsoftonline.com/"

static enum status set_text(char **text, const char *value)
{
	*text = buffer_duplicate(value);
	return *text ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Tenants are GUIDs or domain names. */
static bool is_tenant(const char *text)
{
	size_t length =
		strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-");

	return *text != '.' && length > 0 && text[length] == '\0';
}

static enum status set_entra_url(
	struct profile *profile, const struct settings *settings, struct failure *failure)
{
	const char *host = settings->azure_authority_host;
	const char *tenant = settings->azure_tenant_id;

	if (profile_endpoint(profile) || !tenant)
		return STATUS_OK;
	if (!is_tenant(tenant))
		return status_fail(failure, STATUS_CONFIG, "AZURE_TENANT_ID: expected a tenant");
	if (host && !configvalue_is_url(host))
		return status_fail(failure, STATUS_CONFIG,
			"AZURE_AUTHORITY_HOST: expected an https URL (http only to a loopback "
			"host)");
	host = host ? host : ENTRA_HOST;
	if (asprintf(&profile->token_url, "%s%s%s/oauth2/v2.0/token", host,
		    host[strlen(host) - 1] == '/' ? "" : "/", tenant) < 0) {
		profile->token_url = NULL;
		return status_no_memory(failure);
	}
	return STATUS_OK;
}

/* The assertion of the cluster, unless the profile says how its client authenticates. */
enum status entra_overlay(
	struct profile *profile, const struct settings *settings, struct failure *failure)
{
	const char *file = settings->azure_federated_token_file;
	bool other = profile->client_assertion_file || profile->client_assertion_command;
	enum status status = set_entra_url(profile, settings, failure);

	if (status)
		return status;
	if (!profile->client_id && settings->azure_client_id &&
		set_text(&profile->client_id, settings->azure_client_id))
		return status_no_memory(failure);
	if (profile->auth_method == AUTHMETHOD_UNSET)
		profile->auth_method =
			file || other ? AUTHMETHOD_CLIENT_ASSERTION : AUTHMETHOD_POST;
	if (profile->auth_method == AUTHMETHOD_CLIENT_ASSERTION && file && !other &&
		set_text(&profile->client_assertion_file, file))
		return status_no_memory(failure);
	return STATUS_OK;
}
