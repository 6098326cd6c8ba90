#include "dialects/erase.h"

#include "core/cache.h"
#include "core/profile.h"
#include "core/settings.h"

/* Whether the cache holds a token that a server would still accept. */
static bool has_live_token(const struct call *call)
{
	time_t now = call->clock();
	struct cache cache = CACHE_INIT;
	struct token token = TOKEN_INIT;
	bool live = cache_open(&cache, call->settings, call->profile, false, NULL) == STATUS_OK &&
		    cache_get(&cache, now, &token) && now < token.expires;

	token_release(&token);
	cache_close(&cache);
	return live;
}

enum status erase_token(struct call *call, struct failure *failure)
{
	enum status status = call_find_url(call, failure);
	bool live = !status && has_live_token(call);
	const char *shared;

	if (!status)
		status = call_erase(call, call->profile, NULL, failure);
	if (status)
		return status;
	shared = call->profile->shared_store ? ", and none is in the shared store any more" : "";
	if (buffer_printf(call->reply, "profile %s: %s%s\n", call->profile->name,
		    live ? "cached token dropped" : "no token was cached", shared))
		return status_no_memory(failure);
	return STATUS_OK;
}
