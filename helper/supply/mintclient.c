#include "supply/mintclient.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/attributes.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/token.h"
#include "core/trace.h"
#include "libexec.h"
#include "process.h"
#include "supply/parameters.h"
#include "supply/secret.h"

/* A value cannot hold a line break, so each line of a PEM file becomes a value. */
static enum status add_lines(struct buffer *request, const char *key, const char *text)
{
	enum status status = STATUS_OK;

	while (text && *text != '\0' && !status) {
		size_t length = strcspn(text, "\r\n");

		if (length > 0)
			status = buffer_printf(request, "%s=%.*s\n", key, (int)length, text);
		text += length;
		text += strspn(text, "\r\n");
	}
	return status;
}

enum status mintclient_write_request(const struct supply *supply, const struct secret *secret,
	long timeout_ms, struct buffer *request)
{
	const struct profile *profile = supply->profile;
	const struct attributes_row rows[] = {
		{"timeout_ms", NULL, timeout_ms},
		{"token_url", profile->token_url, 0},
		{"issuer", profile->issuer, 0},
		{"client_id", secret->client_id, 0},
		{"client_secret", secret->client_secret, 0},
		{"auth_method", AUTHMETHOD_NAMES[profile->auth_method - AUTHMETHOD_BASIC], 0},
		{"basic_encoding", profile->basic_encoding == PROFILE_ENCODING_RAW ? "raw" : NULL,
			0},
		{"scope", profile->scope, 0},
		{"audience", profile->audience, 0},
		{"source", source_choose(supply->settings, profile).name, 0},
		{"key_password", secret->key_password, 0},
		{"certificate_path", profile_certificate(profile), 0},
		{"private_key_id", profile->private_key_id, 0},
		{"assertion_audience", profile->assertion_audience, 0},
		{"assertion_algorithm",
			profile->assertion_algorithm
				? PROFILE_ALGORITHM_NAMES[profile->assertion_algorithm -
							  PROFILE_ALGORITHM_RS256]
				: NULL,
			0},
		{"client_assertion", secret->assertion, 0},
		{"client_assertion_type", profile->client_assertion_type, 0},
		{"cainfo", supply->settings->cainfo, 0},
		{0},
	};
	enum status status = attributes_add_rows(request, rows);

	for (size_t i = 0; i < profile->resource.count && !status; i++)
		status = attributes_add(request, "resource[]", profile->resource.items[i]);
	if (!status)
		status = add_lines(request, "private_key[]", secret->private_key);
	if (!status)
		status = add_lines(request, "certificate[]", secret->certificate);
	return status ? status : buffer_append_text(request, "\n");
}

static enum status read_refusal(const struct attributes *answer, struct failure *failure)
{
	const char *error = attributes_get(answer, "error");
	long long status = attributes_number(answer, "status");

	if (status <= STATUS_OK || status > STATUS_SYSTEM)
		status = STATUS_SYSTEM;
	status_fail(failure, (enum status)status, "%s",
		error ? error : "sypht-mint answered neither token nor error");
	failure->retry_after_s = (long)attributes_number(answer, "retry_after");
	return (enum status)status;
}

/*
 * The endpoint's expires_in, within the profile's limits. A wrong one, such as milliseconds, would
 * otherwise keep a dead token in use for weeks.
 */
static long bounded_lifetime(const struct profile *profile, const char *expires_in)
{
	long lifetime = expires_in ? strtol(expires_in, NULL, 10) : profile->default_lifetime;

	return lifetime < profile->max_lifetime ? lifetime : profile->max_lifetime;
}

static enum status read_token(const struct supply *supply, const struct attributes *answer,
	time_t asked_at, struct token *token, struct failure *failure)
{
	const char *value = attributes_get(answer, "credential");
	long lifetime = bounded_lifetime(supply->profile, attributes_get(answer, "expires_in"));

	for (const char *line = NULL; (line = attributes_next(answer, "trace[]", line));)
		trace_say(supply->trace, "%s", line);
	/* the token goes into a header, where a line break would forge another one */
	if (!value || !token_is_b64token(value) || lifetime < 1)
		return read_refusal(answer, failure);

	token->value = buffer_duplicate(value);
	token->scope = buffer_duplicate(attributes_get(answer, "scope"));
	token->obtained = asked_at;
	token->expires = asked_at + lifetime;
	return token->value ? STATUS_OK : status_no_memory(failure);
}

static void tell_of_token(const struct supply *supply, const struct token *token)
{
	char fingerprint[TOKEN_FINGERPRINT_BYTES];

	token_fingerprint(token->value, fingerprint);
	trace_say(supply->trace, "profile %s: minted token %s, lives %ld seconds",
		supply->profile->name, fingerprint, token_lifetime(token));
	if (!token_grants(supply->profile->scope, token->scope))
		trace_say(supply->trace, "profile %s: warning: asked for scope '%s', granted '%s'",
			supply->profile->name, supply->profile->scope, token->scope);
}

enum status mintclient_run(const struct supply *supply, const struct secret *secret,
	const struct buffer *fleet_rows, long long deadline, struct token *token,
	struct failure *failure)
{
	const char *part = fleet_rows ? "sypht-fleet" : "sypht-mint";
	struct buffer request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	time_t asked_at = supply->clock(); /* before the request, so never later than the issue */
	long left_ms = (long)(deadline - process_milliseconds());
	enum status status;

	if (left_ms <= 0)
		status = status_fail(failure, STATUS_TIMEOUT, "no time left to ask for a token");
	else if ((fleet_rows && buffer_append(&request, fleet_rows->data, fleet_rows->length)) ||
		 mintclient_write_request(supply, secret, left_ms, &request))
		status = status_fail(failure, STATUS_NO_SECRET,
			"the client credentials hold a line break, or are too long");
	else {
		status = libexec_ask(part, &request, left_ms, &answer, failure);
		if (status == STATUS_TIMEOUT)
			status_fail(failure, status, "%s: no answer in time; raise SYPHT_TIMEOUT",
				profile_endpoint(supply->profile));
	}
	if (!status)
		status = read_token(supply, &answer, asked_at, token, failure);
	if (!status)
		tell_of_token(supply, token);
	attributes_release(&answer);
	buffer_release(&request);
	return status;
}

enum status mintclient_describe(const struct supply *supply, const struct secret *secret,
	struct attributes *identity, struct failure *failure)
{
	struct buffer request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	long timeout_ms = settings_timeout_s(supply->settings) * 1000;
	const char *error;
	enum status status = attributes_add(&request, "verb", "describe");

	if (!status)
		status = mintclient_write_request(supply, secret, timeout_ms, &request);
	if (status)
		status_no_memory(failure);
	else
		status = libexec_ask("sypht-mint", &request, timeout_ms, identity, failure);
	buffer_release(&request);
	error = attributes_get(identity, "error");
	return status || !error ? status : status_fail(failure, STATUS_NO_SECRET, "%s", error);
}
