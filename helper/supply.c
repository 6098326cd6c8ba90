#include "supply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "member.h"
#include "minter.h"
#include "process.h"
#include "profile.h"
#include "secret.h"
#include "settings.h"
#include "token.h"
#include "trace.h"

/* ---- is the token at hand good enough? ---- */

static bool is_rejected(const struct supply *supply, const struct token *token)
{
	char fingerprint[TOKEN_FINGERPRINT_BYTES];

	if (!supply->rejected)
		return false;
	token_fingerprint(token->value, fingerprint);
	return strcmp(fingerprint, supply->rejected) == 0;
}

static enum status refuse_min_valid(
	const struct supply *supply, long lifetime, struct failure *failure)
{
	return status_fail(failure, STATUS_REFUSED,
		"no token of profile '%s' is valid for %ld seconds: a fresh one lives for %ld",
		supply->profile->name, supply->min_valid, lifetime);
}

/*
 * The cached token if it will do; token->value NULL if there is none that does. One that never
 * lived as long as is asked says that a fresh one would not either: that is refused without a mint.
 */
static enum status look(const struct supply *supply, const struct cache *cache, struct token *token,
	struct failure *failure)
{
	time_t now = supply->clock();
	const char *why = NULL;
	enum status status = STATUS_OK;

	if (!cache_get(cache, now, token)) {
		trace_say(
			supply->trace, "profile %s: no token in the cache", supply->profile->name);
		return STATUS_OK;
	}
	if (!token_usable(token, now))
		why = "expired, or about to";
	else if (is_rejected(supply, token))
		why = "rejected";
	else if (token_lifetime(token) < supply->min_valid)
		status = refuse_min_valid(supply, token_lifetime(token), failure);
	else if (token->expires - now < supply->min_valid)
		why = "not valid for long enough";

	trace_say(supply->trace, "profile %s: cached token, %lld seconds left%s%s",
		supply->profile->name, (long long)(token->expires - now), why ? ": " : "",
		why ? why : "");
	if (why || status)
		token_release(token);
	return status;
}

/* ---- under the lock ---- */

/* A secret that is simply not there costs nothing to look for again, and may be there at once. */
static bool is_worth_remembering(enum status status)
{
	return status != STATUS_NO_SECRET && status != STATUS_UNSAFE && status != STATUS_NO_MEMORY;
}

/* What is not in the cache: of the fleet where there is one, else of the endpoint. */
static enum status obtain(const struct supply *supply, const struct cache *cache, bool renewing,
	long long deadline, struct token *token, struct failure *failure)
{
	struct secret secret = SECRET_INIT;
	const struct member member = {supply, &secret, cache, renewing};
	long left_ms = (long)(deadline - process_milliseconds());
	enum status status;

	trace_say(supply->trace, "profile %s: client secret from %s", supply->profile->name,
		secret_source(supply->settings, supply->profile));
	status = secret_find(supply->settings, supply->profile, left_ms, &secret, failure);
	if (!status && supply->profile->shared_store)
		status = member_obtain(&member, deadline, token, failure);
	else if (!status)
		status = minter_run(supply, &secret, deadline, token, failure);
	secret_release(&secret);
	return status;
}

static enum status obtain_into_cache(const struct supply *supply, const struct cache *cache,
	bool renewing, long long deadline, struct token *token, struct failure *failure)
{
	struct failure unwritten;
	enum status status = obtain(supply, cache, renewing, deadline, token, failure);

	if (!status && cache_put(cache, token, &unwritten))
		trace_say(supply->trace, "the token is not cached: %s", unwritten.reason);
	if (status && is_worth_remembering(status))
		cache_put_failure(cache, supply->clock(), status, failure);
	return status;
}

static enum status remembered_failure(
	const struct supply *supply, const struct cache *cache, struct failure *failure)
{
	struct timespec changed = secret_changed(supply->settings, supply->profile);
	struct failure reason;
	enum status status = cache_get_failure(cache, supply->clock(), &changed, &reason);

	if (status)
		status_fail(failure, status, "%.200s (asked less than %d s ago)", reason.reason,
			CACHE_FAILURE_S);
	return status;
}

static enum status supply_locked(const struct supply *supply, const struct cache *cache,
	long long deadline, struct token *token, struct failure *failure)
{
	enum status status = look(supply, cache, token, failure);

	if (status || token->value)
		return status;
	status = remembered_failure(supply, cache, failure);
	if (!status)
		status = obtain_into_cache(supply, cache, false, deadline, token, failure);
	return status;
}

static enum status supply_missed(const struct supply *supply, const struct cache *cache,
	long long deadline, struct token *token, struct failure *failure)
{
	long left_ms = (long)(deadline - process_milliseconds());
	int lock = cache_lock(cache, left_ms > 0 ? left_ms : 1);
	enum status status;

	if (lock >= 0) {
		status = supply_locked(supply, cache, deadline, token, failure);
		close(lock);
		return status;
	}
	if (errno == EINTR)
		return status_fail(failure, STATUS_TIMEOUT,
			"another process has been asking for this token for %ld seconds",
			settings_timeout_s(supply->settings));
	trace_say(supply->trace, "no lock, so no cache: %s", strerror(errno));
	return obtain(supply, cache, false, deadline, token, failure);
}

/* A cache that is not private is refused; one that cannot be had at all only costs a mint. */
static enum status open_cache(
	const struct supply *supply, struct cache *cache, bool create, struct failure *failure)
{
	char *path = settings_cache_path(supply->settings);
	enum status status = cache_open(cache, path, supply->profile, create, failure);

	buffer_free_text(path);
	if (status != STATUS_SYSTEM)
		return status;
	trace_say(supply->trace, "working without a cache: %s", failure->reason);
	return STATUS_OK;
}

enum status supply_token(const struct supply *supply, struct token *token, struct failure *failure)
{
	long timeout_ms = settings_timeout_s(supply->settings) * 1000;
	struct cache cache = CACHE_INIT;
	enum status status;

	*token = (struct token)TOKEN_INIT;
	if (supply->min_valid > supply->profile->max_lifetime)
		return refuse_min_valid(supply, supply->profile->max_lifetime, failure);
	status = open_cache(supply, &cache, true, failure);
	if (!status)
		status = look(supply, &cache, token, failure);
	if (!status && !token->value)
		status = supply_missed(
			supply, &cache, process_milliseconds() + timeout_ms, token, failure);
	cache_close(&cache);

	if (!status && token_lifetime(token) < supply->min_valid) {
		status = refuse_min_valid(supply, token_lifetime(token), failure);
		token_release(token);
	}
	return status;
}

enum status supply_prove(const struct supply *supply, const struct secret *secret,
	struct token *token, struct failure *failure)
{
	long timeout_ms = settings_timeout_s(supply->settings) * 1000;

	*token = (struct token)TOKEN_INIT;
	return minter_run(supply, secret, process_milliseconds() + timeout_ms, token, failure);
}

/*
 * Lock the cache for a change. Where it has no lock (a read-only place, a file system without
 * flock) *lock is -1: the change itself then tells whether it can be made.
 */
static enum status lock_to_change(
	const struct supply *supply, const struct cache *cache, int *lock, struct failure *failure)
{
	*lock = cache_lock(cache, settings_timeout_s(supply->settings) * 1000);
	if (*lock >= 0 || errno != EINTR)
		return STATUS_OK;
	return status_fail(failure, STATUS_TIMEOUT,
		"the cached token is unchanged: another process has been renewing it for %ld "
		"seconds",
		settings_timeout_s(supply->settings));
}

enum status supply_keep(
	const struct supply *supply, const struct token *token, struct failure *failure)
{
	struct cache cache = CACHE_INIT;
	enum status status = open_cache(supply, &cache, true, failure);
	int lock = -1;

	if (!status)
		status = lock_to_change(supply, &cache, &lock, failure);
	if (!status)
		status = cache_put(&cache, token, failure);
	if (lock >= 0)
		close(lock);
	cache_close(&cache);
	return status;
}

/* ---- beside the answer ---- */

static void renew(const struct supply *supply, const struct cache *cache)
{
	const struct trace silence = TRACE_OFF;
	long timeout_ms = settings_timeout_s(supply->settings) * 1000;
	struct supply detached = *supply;
	struct token token = TOKEN_INIT;
	struct failure failure;

	if (supply->trace->fd <= STDERR_FILENO)
		detached.trace = &silence;
	if (obtain_into_cache(
		    &detached, cache, true, process_milliseconds() + timeout_ms, &token, &failure))
		trace_say(detached.trace, "renewal failed: %s", failure.reason);
	token_release(&token);
}

/* The lock goes along, and is free when the process that renews ends. */
static bool go_on(const struct supply *supply, const struct cache *cache, int lock)
{
	const int kept[] = {cache->directory, lock, supply->trace->fd};

	return process_go_on(kept, sizeof(kept) / sizeof(kept[0]));
}

void supply_renew(const struct supply *supply, const struct token *token)
{
	struct cache cache = CACHE_INIT;
	struct token current = TOKEN_INIT;
	struct failure failure;
	int lock = -1;
	bool due;

	if (!token_wants_renewal(token, supply->clock()))
		return;
	if (open_cache(supply, &cache, true, &failure) == STATUS_OK)
		lock = cache_lock(&cache, 0);
	if (lock < 0)
		goto done;

	/* somebody may have renewed it, or failed to, since the answer was made */
	due = cache_get(&cache, supply->clock(), &current) &&
	      token_wants_renewal(&current, supply->clock()) &&
	      remembered_failure(supply, &cache, &failure) == STATUS_OK;
	token_release(&current);
	if (due) {
		trace_say(supply->trace, "profile %s: renewing in the background",
			supply->profile->name);
		if (go_on(supply, &cache, lock)) {
			renew(supply, &cache);
			_exit(0);
		}
	}
done:
	if (lock >= 0)
		close(lock);
	cache_close(&cache);
}

/*
 * The fleet's copy, too: whoever has none in a cache of his own would be given it again. Without a
 * client secret there is none that this user could have put there.
 */
static enum status erase_shared(const struct supply *supply, const struct cache *cache,
	const struct token *token, long long deadline, struct failure *failure)
{
	struct secret secret = SECRET_INIT;
	const struct member member = {supply, &secret, cache, false};
	long left_ms = (long)(deadline - process_milliseconds());
	struct failure reason;
	enum status status =
		secret_find(supply->settings, supply->profile, left_ms, &secret, &reason);

	if (!status)
		status = member_drop(&member, token, deadline, failure);
	else if (status == STATUS_NO_SECRET)
		status = STATUS_OK;
	else
		status_fail(failure, status,
			"the token may still lie in the shared store: %.180s", reason.reason);
	secret_release(&secret);
	return status;
}

/* value NULL: whichever token there is. */
static enum status erase_locked(const struct supply *supply, const struct cache *cache,
	const char *value, long long deadline, struct failure *failure)
{
	struct token current = TOKEN_INIT;
	bool found = cache_get(cache, supply->clock(), &current);
	enum status status = STATUS_OK;

	if (!value || (found && strcmp(current.value, value) == 0)) {
		status = cache_erase(cache, failure);
		if (!status)
			trace_say(supply->trace, "profile %s: cached token dropped",
				supply->profile->name);
		if (!status && supply->profile->shared_store)
			status = erase_shared(
				supply, cache, value ? &current : NULL, deadline, failure);
	}
	token_release(&current);
	return status;
}

/* Like open_cache(), but nothing is made, and one that is there must be usable. */
static enum status open_to_erase(
	const struct supply *supply, struct cache *cache, struct failure *failure)
{
	char *path = settings_cache_path(supply->settings);
	enum status status = cache_open(cache, path, supply->profile, false, failure);

	if (status == STATUS_SYSTEM && (!path || errno == ENOENT))
		status = STATUS_OK;
	buffer_free_text(path);
	return status;
}

enum status supply_erase(const struct supply *supply, const char *value, struct failure *failure)
{
	long long deadline =
		process_milliseconds() + settings_timeout_s(supply->settings) * 1000;
	struct cache cache = CACHE_INIT;
	enum status status = open_to_erase(supply, &cache, failure);
	int lock = -1;

	if (!status && cache.directory >= 0)
		status = lock_to_change(supply, &cache, &lock, failure);
	if (!status)
		status = erase_locked(supply, &cache, value, deadline, failure);
	if (lock >= 0)
		close(lock);
	cache_close(&cache);
	return status;
}
