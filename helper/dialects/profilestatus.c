#include "dialects/profilestatus.h"

#include <string.h>

#include "core/cache.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/state.h"
#include "supply/credentialfile.h"

struct walk {
	struct call *call;
	profilestatus_visitor *visit;
	enum status status;
};

static const char *find_source(const struct settings *settings, const struct profile *profile)
{
	struct source source = source_choose(settings, profile);

	if (source.kind == SOURCE_LOGIN && !credentialfile_has(settings, profile))
		return NULL;
	return source.name;
}

static void look_into_cache(const struct call *call, struct profilestatus *account)
{
	const struct profile *profile = account->profile;
	time_t now = call->clock();
	struct cache cache = CACHE_INIT;
	struct failure failure = {.reason = ""};
	struct state state;

	if (cache_open(&cache, call->settings, profile, false, &failure) == STATUS_UNSAFE)
		account->unsafe = failure;
	if (cache_get(&cache, now, &account->token) && !token_usable(&account->token, now))
		token_release(&account->token);
	if (account->token.value) {
		account->left_s = (long long)(token_usable_until(&account->token) - now);
		account->scope_narrower = !token_grants(profile->scope, account->token.scope);
	}
	cache_get_state(&cache, now, &state);
	if (state_is_still(&state.failure, call->settings, profile, now))
		account->refusal = state.failure.reason;
	cache_close(&cache);
}

static bool visit(struct profile *profile, void *context)
{
	struct walk *walk = context;
	struct profilestatus account = {
		.profile = profile,
		.source = find_source(walk->call->settings, profile),
		.token = TOKEN_INIT,
	};

	look_into_cache(walk->call, &account);
	walk->status = walk->visit(&account, walk->call);
	token_release(&account.token);
	profile_free(profile);
	return walk->status == STATUS_OK;
}

enum status profilestatus_each(
	struct call *call, profilestatus_visitor *visitor, struct failure *failure)
{
	struct walk walk = {.call = call, .visit = visitor};
	enum status status =
		profile_each(call->settings, call->profile_name, visit, &walk, failure);

	if (!status && walk.status)
		status = status_fail(failure, walk.status, "out of memory");
	return status;
}
