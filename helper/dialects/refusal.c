#include "refusal.h"

#include "../cache.h"
#include "../settings.h"
#include "../trace.h"

enum { GRACE_S = 60 };

/* Without a cache there is no token to replace, and nothing to remember. */
static void open_cache(const struct call *call, struct cache *cache)
{
	char *path = settings_cache_path(call->settings);

	if (cache_open(cache, path, call->profile, false, NULL))
		cache_close(cache);
	buffer_free_text(path);
}

static bool is_recent_replacement(const struct call *call, const struct cache *cache)
{
	return call->clock() - call->token.obtained < GRACE_S &&
	       cache_is_replacement(cache, &call->token);
}

enum status refusal_supply(struct call *call, struct failure *failure)
{
	struct cache cache = CACHE_INIT;
	struct failure unwritten;
	enum status status = call_supply(call, NULL, failure);

	if (status || !call->token.cached)
		return status;
	open_cache(call, &cache);
	if (!is_recent_replacement(call, &cache)) {
		status = call_erase(call, call->profile, call->token.value, failure);
		token_release(&call->token);
		if (!status)
			status = call_supply(call, NULL, failure);
		if (!status && cache_put_replacement(&cache, &call->token, &unwritten))
			trace_say(call->trace, "the replacement is not remembered: %s",
				unwritten.reason);
	}
	cache_close(&cache);
	return status;
}

void refusal_forget(const struct call *call)
{
	struct cache cache = CACHE_INIT;
	struct failure failure;

	open_cache(call, &cache);
	if (cache_forget_replacement(&cache, &failure))
		trace_say(call->trace, "the replacement is still remembered: %s", failure.reason);
	cache_close(&cache);
}
