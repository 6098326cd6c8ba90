#include "call.h"

#include <stddef.h>

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

enum status call_supply(struct call *call, const char *rejected, struct failure *failure)
{
	struct supply supply = make_supply(call, call->profile);

	supply.rejected = rejected;
	return supply_token(&supply, &call->token, failure);
}

void call_renew(const struct call *call)
{
	struct supply supply;

	if (!call->profile || !call->token.value)
		return;
	supply = make_supply(call, call->profile);
	supply_renew(&supply, &call->token);
}

void call_erase(const struct call *call, const struct profile *profile, const char *value)
{
	struct supply supply = make_supply(call, profile);

	supply_erase(&supply, value);
}

void call_release(struct call *call)
{
	token_release(&call->token);
	profile_free(call->profile);
	call->profile = NULL;
}
