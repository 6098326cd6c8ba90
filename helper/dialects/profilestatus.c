#include "dialects/profilestatus.h"

#include <string.h>

#include "core/cache.h"
#include "core/profile.h"
#include "core/profiles.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/state.h"
#include "supply/mintclient.h"
#include "supply/parameters.h"
#include "supply/secretsource.h"

struct walk {
	struct call *call;
	profilestatus_visitor *visit;
	bool any;             /* profile was visited, */
	bool any_with_secret; /* even one that has client credentials */
	enum status status;
};

/* What a client is that proves itself by more than a secret; and whether it can. */
static void examine_identity(const struct call *call, struct profilestatus *account)
{
	const struct supply supply = call_parameters(call, account->profile);

	if (account->secret.assertion || account->secret.private_key)
		account->secret_status = mintclient_describe(
			&supply, &account->secret, &account->identity, &account->secret_refused);
}

/* For JSON, run no program: whatever polls the status would unlock password managers. */
static void examine_secret(const struct call *call, struct profilestatus *account)
{
	const struct settings *settings = call->settings;
	struct source source = source_choose(settings, account->profile);
	bool by_program = source.kind == SOURCE_COMMAND || source.kind == SOURCE_HELPER ||
			  source.kind == SOURCE_ASSERTION_COMMAND;

	account->source = source.name;
	if (!call->json || !by_program)
		account->secret_status = secretsource_ask(settings, account->profile,
			settings_timeout_s(settings) * 1000, &account->secret,
			&account->secret_refused);
	if (!account->secret_status)
		examine_identity(call, account);
	/* nothing is kept, which is no mistake: the profile may not be in use yet */
	if (source.kind == SOURCE_LOGIN && account->secret_status == STATUS_NO_SECRET)
		account->source = NULL;
	account->client_id =
		account->secret.client_id ? account->secret.client_id : account->profile->client_id;
}

/* Reads the cache without its lock, as a status must not wait for a request. */
static void examine_cache(const struct call *call, struct profilestatus *account)
{
	const struct profile *profile = account->profile;
	time_t now = call->clock();
	struct cache cache = CACHE_INIT;
	struct failure failure = {.reason = ""};
	struct state state;

	if (cache_open(&cache, call->settings, profile, false, &failure) == STATUS_UNSAFE)
		account->cache_refused = failure;
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

static bool visit_profile(struct profile *profile, void *context)
{
	struct walk *walk = context;
	struct profilestatus account = {
		.profile = profile,
		.secret = SECRET_INIT,
		.identity = ATTRIBUTES_INIT,
		.token = TOKEN_INIT,
	};

	examine_secret(walk->call, &account);
	examine_cache(walk->call, &account);
	walk->any = true;
	walk->any_with_secret |= account.source != NULL;
	if ((account.source && account.secret_status) || *account.cache_refused.reason != '\0')
		walk->call->exit_code = 1;
	/* out of memory says nothing about the profile, so it ends the whole status */
	walk->status = account.secret_status == STATUS_NO_MEMORY
			       ? STATUS_NO_MEMORY
			       : walk->visit(&account, walk->call);
	secret_release(&account.secret);
	attributes_release(&account.identity);
	token_release(&account.token);
	profile_free(profile);
	return walk->status == STATUS_OK;
}

enum status profilestatus_each(
	struct call *call, profilestatus_visitor *visit, struct failure *failure)
{
	struct walk walk = {.call = call, .visit = visit};
	const char *only = call->profile ? call->profile->name : call->profile_name;
	enum status status = profiles_each(call->settings, only, visit_profile, &walk, failure);

	if (!status && walk.status)
		return status_no_memory(failure);
	if (!walk.any_with_secret)
		call->exit_code = 1;
	if (status || walk.any || !only)
		return status;
	return profiles_fail(call->settings, only, STATUS_NO_SECRET, failure);
}
