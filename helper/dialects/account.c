#include "account.h"

#include <string.h>

#include "../cache.h"
#include "../profile.h"
#include "../secret.h"
#include "../settings.h"
#include "../vault.h"

struct walk {
	struct call *call;
	account_visitor *visit;
	enum status status;
};

static const char *find_source(const struct settings *settings, const struct profile *profile)
{
	const char *source = secret_source(settings, profile);
	struct timespec changed;

	if (strcmp(source, SECRET_SOURCE_LOGIN) == 0 && !vault_changed(settings, profile, &changed))
		return NULL;
	return source;
}

static void look_into_cache(const struct call *call, struct account *account)
{
	const struct profile *profile = account->profile;
	char *path = settings_cache_path(call->settings);
	struct timespec changed = secret_changed(call->settings, profile);
	time_t now = call->clock();
	struct cache cache = CACHE_INIT;
	struct failure failure = {""};

	if (cache_open(&cache, path, profile, false, &failure) == STATUS_UNSAFE)
		account->unsafe = failure;
	if (cache_get(&cache, now, &account->token) && !token_usable(&account->token, now))
		token_release(&account->token);
	if (account->token.value) {
		account->left_s = (long long)(token_usable_until(&account->token) - now);
		account->scope_narrower = !token_grants(profile->scope, account->token.scope);
	}
	if (cache_get_failure(&cache, now, &changed, &failure))
		account->refusal = failure;
	cache_close(&cache);
	buffer_free_text(path);
}

static bool visit(struct profile *profile, void *context)
{
	struct walk *walk = context;
	struct account account = {
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

enum status account_each(struct call *call, account_visitor *visitor, struct failure *failure)
{
	struct walk walk = {.call = call, .visit = visitor};
	enum status status =
		profile_each(call->settings, call->profile_name, visit, &walk, failure);

	if (!status && walk.status)
		status = status_fail(failure, walk.status, "out of memory");
	return status;
}
