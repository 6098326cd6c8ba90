#include "supply/withdraw.h"

#include <errno.h>
#include <string.h>

#include "core/buffer.h"
#include "core/cache.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/state.h"
#include "core/token.h"
#include "core/trace.h"
#include "process.h"
#include "supply/fleetclient.h"
#include "supply/parameters.h"
#include "supply/secret.h"
#include "supply/secretsource.h"

/* One withdrawal, and what the cache held when it was locked. */
struct withdrawal {
	const struct supply *supply;
	struct cache cache;
	struct state state;
	struct token current; /* value NULL: none is cached */
	long long deadline;
};

/*
 * Drop the fleet's copy too, or the next miss would fetch the same token from the store. Without a
 * client secret this user cannot have stored one: the key of the entry is derived from the secret.
 */
static enum status drop_shared(
	struct withdrawal *withdrawal, const struct token *token, struct failure *failure)
{
	const struct supply *supply = withdrawal->supply;
	struct secret secret = SECRET_INIT;
	const struct fleetclient member = {supply, &secret, &withdrawal->state, false};
	long left_ms = (long)(withdrawal->deadline - process_milliseconds());
	struct failure reason;
	enum status status =
		secretsource_ask(supply->settings, supply->profile, left_ms, &secret, &reason);

	if (!status)
		status = fleetclient_drop(&member, token, withdrawal->deadline, failure);
	else if (status == STATUS_NO_SECRET)
		status = STATUS_OK;
	else
		status_fail(failure, status, "the token may still be in the shared store: %.180s",
			reason.reason);
	secret_release(&secret);
	return status;
}

/*
 * Open and lock the cache for a change. A missing cache is no failure: there is nothing to drop. If
 * it cannot be locked (it is read-only, or has no flock(2)), go on: the change itself shows whether
 * it is possible. Only if another process holds the lock for too long, fail.
 */
static enum status withdrawal_begin(
	struct withdrawal *withdrawal, const struct supply *supply, struct failure *failure)
{
	long timeout_ms = settings_timeout_s(supply->settings) * 1000;
	struct cache *cache = &withdrawal->cache;
	enum status status = cache_open(cache, supply->settings, supply->profile, false, failure);

	withdrawal->supply = supply;
	withdrawal->deadline = process_milliseconds() + timeout_ms;
	withdrawal->current = (struct token)TOKEN_INIT;
	if (status == STATUS_SYSTEM && errno == ENOENT)
		status = STATUS_OK;
	if (!status && cache->directory >= 0 && !cache_lock(cache, timeout_ms) && errno == EINTR)
		status = status_fail(failure, STATUS_TIMEOUT,
			"the cached token is unchanged: another process has been renewing it for "
			"%ld seconds",
			settings_timeout_s(supply->settings));
	if (status)
		return status;
	cache_get_state(cache, supply->clock(), &withdrawal->state);
	if (!cache_get(cache, supply->clock(), &withdrawal->current))
		token_release(&withdrawal->current);
	return STATUS_OK;
}

static void withdrawal_end(struct withdrawal *withdrawal)
{
	token_release(&withdrawal->current);
	cache_close(&withdrawal->cache);
}

/*
 * Write the record last, when what it says has happened. token is the one to drop from the fleet's
 * store; NULL: any.
 */
static enum status drop_token(
	struct withdrawal *withdrawal, const struct token *token, struct failure *failure)
{
	const struct supply *supply = withdrawal->supply;
	struct failure unwritten;
	enum status status = cache_erase(&withdrawal->cache, failure);

	if (status)
		return status;
	trace_say(supply->trace, "profile %s: cached token dropped", supply->profile->name);
	if (supply->profile->shared_store)
		status = drop_shared(withdrawal, token, failure);
	if (withdrawal->cache.directory >= 0 &&
		cache_put_state(&withdrawal->cache, &withdrawal->state, &unwritten))
		trace_say(supply->trace, "nothing is remembered: %s", unwritten.reason);
	return status;
}

enum status withdraw_any(const struct supply *supply, struct failure *failure)
{
	struct withdrawal withdrawal;
	enum status status = withdrawal_begin(&withdrawal, supply, failure);

	if (!status) {
		withdrawal.state = (struct state){.serial = withdrawal.state.serial};
		status = drop_token(&withdrawal, NULL, failure);
	}
	withdrawal_end(&withdrawal);
	return status;
}

/*
 * Whether the cached token is the one that the caller is about. A caller that names no token may
 * mean the one before: right after a replacement, state_pause() tells the two apart.
 */
static bool is_meant(const struct withdrawal *withdrawal, const char *value)
{
	if (!withdrawal->current.value)
		return false;
	if (value)
		return strcmp(withdrawal->current.value, value) == 0;
	return state_pause(&withdrawal->state, withdrawal->supply->clock()) == 0;
}

enum status withdraw_refused(
	const struct supply *supply, const char *value, struct failure *failure)
{
	struct withdrawal withdrawal;
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	enum status status = withdrawal_begin(&withdrawal, supply, failure);

	if (!status && is_meant(&withdrawal, value)) {
		token_fingerprint(withdrawal.current.value, fingerprint);
		state_refuse(&withdrawal.state, fingerprint, supply->clock());
		status = drop_token(&withdrawal, &withdrawal.current, failure);
	}
	withdrawal_end(&withdrawal);
	return status;
}

/* Whether value is the token that replaced a refused one, and the record still waits for news. */
static bool is_approval(const struct withdrawal *withdrawal, const char *value)
{
	const struct state_refusal *refusal = &withdrawal->state.refusal;
	char fingerprint[TOKEN_FINGERPRINT_BYTES];

	token_fingerprint(value, fingerprint);
	return refusal->in_a_row > 0 &&
	       state_pause(&withdrawal->state, withdrawal->supply->clock()) > 0 &&
	       strcmp(refusal->fingerprint, fingerprint) != 0 && is_meant(withdrawal, value);
}

void withdraw_approved(const struct supply *supply, const char *value)
{
	struct withdrawal withdrawal = {.supply = supply, .current = TOKEN_INIT};
	struct cache *cache = &withdrawal.cache;
	struct failure unwritten;

	if (cache_open(cache, supply->settings, supply->profile, false, NULL) == STATUS_OK)
		cache_get_state(cache, supply->clock(), &withdrawal.state);
	/* lock only if there is something to note; mostly there is not */
	if (withdrawal.state.refusal.fingerprint[0] != '\0' && cache_lock(cache, 0)) {
		cache_get_state(cache, supply->clock(), &withdrawal.state);
		if (cache_get(cache, supply->clock(), &withdrawal.current) &&
			is_approval(&withdrawal, value)) {
			state_approve(&withdrawal.state, supply->clock());
			if (cache_put_state(cache, &withdrawal.state, &unwritten))
				trace_say(supply->trace, "nothing is remembered: %s",
					unwritten.reason);
		}
	}
	withdrawal_end(&withdrawal);
}
