#include "dialects/call.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/profile.h"
#include "core/profiles.h"
#include "core/source.h"
#include "supply/credentialfile.h"
#include "supply/supply.h"
#include "supply/withdraw.h"

struct supply call_parameters(const struct call *call, const struct profile *profile)
{
	return (struct supply){
		.settings = call->settings,
		.profile = profile,
		.trace = call->trace,
		.clock = call->clock,
		.min_valid = call->min_valid,
	};
}

enum status call_find_profile(
	struct call *call, const struct origin *origin, struct failure *failure)
{
	return profiles_find(call->settings, call->profile_name, origin, &call->profile, failure);
}

/* ---- the default profile ---- */

/* The profiles of the config beside sypht. */
struct others {
	const char *built_in; /* the name to pass over */
	struct profile *first;
	size_t count;
	struct buffer names; /* cut if they are too many to show */
};

/* Keep the first other profile, and the names of all. Each profile that is not kept is freed. */
static bool collect_other(struct profile *profile, void *context)
{
	struct others *others = context;

	if (strcmp(profile->name, others->built_in) == 0) {
		profile_free(profile);
		return true;
	}
	if (others->count > 0 && buffer_append_text(&others->names, ", ") == STATUS_OK &&
		buffer_append_text(&others->names, profile->name) != STATUS_OK)
		others->names.limit = others->names.length; /* a later short name must not follow */
	if (others->count++ > 0) {
		profile_free(profile);
		return true;
	}
	others->first = profile;
	return buffer_append_text(&others->names, profile->name) == STATUS_OK;
}

/* One other profile is what the caller means. Of several, a wrong guess could use the wrong
 * account. */
static enum status find_other(struct call *call, struct failure *failure)
{
	struct others others = {
		.built_in = call->profile->name, .names = BUFFER_INIT(FAILURE_MAX_BYTES / 2)};
	enum status status = profiles_each(call->settings, NULL, collect_other, &others, failure);

	if (!status && others.count > 1)
		status = status_fail(failure, STATUS_NO_SECRET,
			"profile '%s' has no client credentials; choose another by --profile: %s",
			others.built_in, buffer_text(&others.names));
	if (!status && others.count == 1) {
		profile_free(call->profile);
		call->profile = others.first;
		others.first = NULL;
	}
	profile_free(others.first);
	buffer_release(&others.names);
	return status;
}

/* Nothing is read: a command that prints the secret counts without being run. */
static bool has_credentials(const struct call *call)
{
	return source_choose(call->settings, call->profile).kind != SOURCE_LOGIN ||
	       credentialfile_has(call->settings, call->profile);
}

enum status call_find_default(struct call *call, struct failure *failure)
{
	enum status status = call_find_profile(call, NULL, failure);

	/* a profile that the user named is never replaced by another */
	if (status || call->profile_name || has_credentials(call))
		return status;
	return find_other(call, failure);
}

/* ---- a place ---- */

/* A person may have left out the scheme. Suggest the URL, but do not guess where a token goes. */
enum status call_read_url(const struct call *call, struct origin *origin, struct failure *failure)
{
	const char *url = call->url;
	char completed[ORIGIN_HOST_MAX + sizeof("https://:65535/")];
	int length = snprintf(completed, sizeof(completed), "https://%s", url);

	if (origin_from_url(origin, url))
		return STATUS_OK;
	if (!strstr(url, "://") && url[strcspn(url, ".:")] != '\0' &&
		(size_t)length < sizeof(completed) && origin_from_url(origin, completed))
		return status_fail(failure, STATUS_USAGE,
			"'%s' is not an http or https URL; did you mean %s?", url, completed);
	return status_fail(failure, STATUS_USAGE, "'%s' is not an http or https URL", url);
}

/* status URL explains which profile would name it, so name that command. */
static enum status refuse_url(const struct call *call, struct failure *failure)
{
	if (call->profile_name)
		return status_fail(failure, STATUS_NO_SECRET,
			"profile '%s' does not name the origin of %s; run: sypht-credential status",
			call->profile_name, call->url);
	return status_fail(failure, STATUS_NO_SECRET,
		"no profile names the origin of %s; run: sypht-credential status %s", call->url,
		call->url);
}

/* A URL that no profile names is an error here: who types a URL expects a token for it. */
enum status call_find_url(struct call *call, struct failure *failure)
{
	struct origin origin;
	enum status status;

	if (!call->url)
		return call_find_default(call, failure);
	status = call_read_url(call, &origin, failure);
	if (status)
		return status;
	status = call_find_profile(call, &origin, failure);
	if (!status && !call->profile)
		status = refuse_url(call, failure);
	return status;
}

/* secure: whether a server without a scheme means https. */
static bool read_server(struct origin *origin, const char *server, bool secure)
{
	const char *separator = strstr(server, "://");
	const char *host = separator ? separator + 3 : server;
	size_t length = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', length);
	char scheme[sizeof("https")];
	char name[ORIGIN_HOST_MAX + sizeof(":65535")];

	/* the user of a URL says nothing about the server */
	if (at) {
		length -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (length >= sizeof(name) || (separator && (size_t)(separator - server) >= sizeof(scheme)))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)length, host);
	if (separator)
		snprintf(scheme, sizeof(scheme), "%.*s", (int)(separator - server), server);
	else
		snprintf(scheme, sizeof(scheme), "%s", secure ? "https" : "http");
	return origin_from_protocol(origin, scheme, name) && origin_may_carry(origin);
}

bool call_origin_of_server(struct origin *origin, const char *server)
{
	return read_server(origin, server, true);
}

/* https first: http is tried only if no profile covers the same server by https. */
enum status call_find_server(struct call *call, const char *server, struct failure *failure)
{
	struct origin origin;
	enum status status = STATUS_OK;

	if (read_server(&origin, server, true))
		status = call_find_profile(call, &origin, failure);
	if (!status && !call->profile && !strstr(server, "://") &&
		read_server(&origin, server, false))
		status = call_find_profile(call, &origin, failure);
	return status;
}

/* A URL with another user means another account, for which our token would be wrong. */
bool call_accepts_user(const struct profile *profile, const char *username)
{
	return !username || *username == '\0' ||
	       (profile->basic_username && strcmp(username, profile->basic_username) == 0) ||
	       (profile->client_id && strcmp(username, profile->client_id) == 0);
}

enum status call_supply(struct call *call, const char *rejected, struct failure *failure)
{
	struct supply supply = call_parameters(call, call->profile);

	call->used_settings = true;
	supply.rejected = rejected;
	return supply_token(&supply, &call->token, failure);
}

enum status call_prove(struct call *call, const struct profile *profile,
	const struct secret *secret, struct failure *failure)
{
	struct supply supply = call_parameters(call, profile);

	call->used_settings = true;
	token_release(&call->token); /* several profiles may be proven in one call */
	return supply_prove(&supply, secret, &call->token, failure);
}

enum status call_keep(
	const struct call *call, const struct profile *profile, struct failure *failure)
{
	struct supply supply = call_parameters(call, profile);

	return supply_keep(&supply, &call->token, failure);
}

/* The answer is out already, so the caller does not wait for this. */
void call_renew(const struct call *call)
{
	struct supply supply;

	if (!call->profile || !call->token.value)
		return;
	supply = call_parameters(call, call->profile);
	supply_renew(&supply, &call->token);
}

/* A value that is not the cached one leaves the cache alone: it was replaced in the meantime. */
enum status call_erase(const struct call *call, const struct profile *profile, const char *value,
	struct failure *failure)
{
	struct supply supply = call_parameters(call, profile);

	return value ? withdraw_refused(&supply, value, failure) : withdraw_any(&supply, failure);
}

enum status call_refuse(const struct call *call, struct failure *failure)
{
	struct supply supply = call_parameters(call, call->profile);

	return withdraw_refused(&supply, NULL, failure);
}

void call_approve(const struct call *call, const struct profile *profile, const char *value)
{
	struct supply supply = call_parameters(call, profile);

	withdraw_approved(&supply, value);
}

void call_release(struct call *call)
{
	token_release(&call->token);
	profile_free(call->profile);
	call->profile = NULL;
	buffer_release(&call->input);
}
