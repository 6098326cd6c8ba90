#include "call.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../profile.h"
#include "../supply.h"

static struct supply make_supply(const struct call *call, const struct profile *profile)
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
	return profile_find(call->settings, call->profile_name, origin, &call->profile, failure);
}

enum status call_find_url(struct call *call, struct failure *failure)
{
	struct origin origin;
	enum status status;

	if (call->url && !origin_from_url(&origin, call->url))
		return status_fail(
			failure, STATUS_USAGE, "'%s' is no http or https URL", call->url);
	status = call_find_profile(call, call->url ? &origin : NULL, failure);
	if (!status && !call->profile)
		status = status_fail(failure, STATUS_NO_SECRET, "no profile%s%s covers %s",
			call->profile_name ? " named " : "",
			call->profile_name ? call->profile_name : "", call->url);
	return status;
}

/* secure: what a bare name means. */
static bool read_server(struct origin *origin, const char *server, bool secure)
{
	const char *separator = strstr(server, "://");
	const char *host = separator ? separator + 3 : server;
	size_t length = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', length);
	char scheme[sizeof("https")];
	char name[ORIGIN_HOST_MAX + sizeof(":65535")];

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

bool call_accepts_user(const struct profile *profile, const char *username)
{
	return !username || *username == '\0' ||
	       (profile->basic_username && strcmp(username, profile->basic_username) == 0) ||
	       (profile->client_id && strcmp(username, profile->client_id) == 0);
}

enum status call_supply(struct call *call, const char *rejected, struct failure *failure)
{
	struct supply supply = make_supply(call, call->profile);

	supply.rejected = rejected;
	return supply_token(&supply, &call->token, failure);
}

enum status call_prove(struct call *call, const struct secret *secret, struct failure *failure)
{
	struct supply supply = make_supply(call, call->profile);

	return supply_prove(&supply, secret, &call->token, failure);
}

enum status call_keep(const struct call *call, struct failure *failure)
{
	struct supply supply = make_supply(call, call->profile);

	return supply_keep(&supply, &call->token, failure);
}

void call_renew(const struct call *call)
{
	struct supply supply;

	if (!call->profile || !call->token.value)
		return;
	supply = make_supply(call, call->profile);
	supply_renew(&supply, &call->token);
}

enum status call_erase(const struct call *call, const struct profile *profile, const char *value,
	struct failure *failure)
{
	struct supply supply = make_supply(call, profile);

	return supply_erase(&supply, value, failure);
}

void call_release(struct call *call)
{
	token_release(&call->token);
	profile_free(call->profile);
	call->profile = NULL;
	buffer_release(&call->input);
}
