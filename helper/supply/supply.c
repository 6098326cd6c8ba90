#include "supply/supply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/profile.h"
#include "core/settings.h"
#include "core/token.h"
#include "core/trace.h"
#include "process.h"
#include "supply/attempt.h"
#include "supply/mintclient.h"

enum { SPARE_MS = 1500 }; /* time to hand out the spare token; clock() counts whole seconds */

/* ---- the cached token ---- */

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
		"no token of profile '%s' is valid for %ld seconds: a new one lives for %ld; lower "
		"--min-valid",
		supply->profile->name, supply->min_valid, lifetime);
}

/* Why the cached token cannot be used, or NULL. */
static const char *token_objection(
	const struct supply *supply, const struct token *token, time_t now)
{
	if (is_rejected(supply, token))
		return "rejected";
	if (token->expires - now < supply->min_valid)
		return "not valid for long enough";
	return token_usable(token, now) ? NULL : "expired, or about to";
}

/*
 * Get the cached token if it can be used; otherwise token->value is NULL. If the whole lifetime of
 * the cached token is shorter than min_valid, so is that of a fresh one: fail without a request. A
 * token in its last minute becomes the spare one, which is used if no fresh one can be had.
 */
static enum status look_into_cache(const struct supply *supply, const struct cache *cache,
	struct token *token, struct token *spare, struct failure *failure)
{
	time_t now = supply->clock();
	enum status status = STATUS_OK;
	const char *why;

	if (!cache_get(cache, now, token)) {
		trace_say(
			supply->trace, "profile %s: no token in the cache", supply->profile->name);
		return STATUS_OK;
	}
	why = token_objection(supply, token, now);
	if (token_usable(token, now) && !is_rejected(supply, token) &&
		token_lifetime(token) < supply->min_valid)
		status = refuse_min_valid(supply, token_lifetime(token), failure);
	trace_say(supply->trace, "profile %s: cached token, %lld seconds left%s%s",
		supply->profile->name, (long long)(token->expires - now), why ? ": " : "",
		why ? why : "");
	if (!why && !status)
		return STATUS_OK;

	/* judged again without the margin before its expiry */
	token->to_the_end = true;
	token_release(spare);
	if (!status && !token_objection(supply, token, now)) {
		*spare = *token;
		*token = (struct token)TOKEN_INIT;
	}
	token_release(token);
	return status;
}

/* ---- under the lock ---- */

/*
 * Note that the API refused the cached token, so that attempt_allowed() sees it. If the cached one
 * is another by now, somebody has replaced the refused one already.
 */
static void note_rejection(struct attempt *attempt)
{
	const struct supply *supply = attempt->supply;
	struct token current = TOKEN_INIT;

	if (supply->rejected && cache_get(attempt->cache, supply->clock(), &current) &&
		is_rejected(supply, &current))
		state_refuse(&attempt->state, supply->rejected, supply->clock());
	token_release(&current);
}

/* Look again: the process that held the lock before us may have cached a token meanwhile. */
static enum status supply_locked(
	struct attempt *attempt, struct token *token, struct token *spare, struct failure *failure)
{
	enum status status =
		look_into_cache(attempt->supply, attempt->cache, token, spare, failure);

	if (status || token->value)
		return status;
	attempt_prepare(attempt);
	note_rejection(attempt);
	status = attempt_allowed(attempt, failure);
	return status ? status : attempt_make(attempt, token, failure);
}

/*
 * A file system without flock(2). The cache works there too, as a rename is atomic; only processes
 * that miss at the same time then make a request each.
 */
static bool is_without_locks(int error)
{
	return error == ENOLCK || error == EOPNOTSUPP || error == ENOSYS;
}

static enum status supply_missed(
	struct attempt *attempt, struct token *token, struct token *spare, struct failure *failure)
{
	const struct supply *supply = attempt->supply;
	long left_ms = (long)(attempt->deadline - process_milliseconds());
	enum status status;

	if (cache_lock(attempt->cache, left_ms > 0 ? left_ms : 1) || is_without_locks(errno)) {
		status = supply_locked(attempt, token, spare, failure);
		cache_unlock(attempt->cache);
		return status;
	}
	if (errno == EINTR)
		return status_fail(failure, STATUS_TIMEOUT,
			"another process has been asking for this token for %ld seconds; try again "
			"later",
			settings_timeout_s(supply->settings));
	trace_say(supply->trace, "no lock, so no cache: %s", strerror(errno));
	return attempt_make_uncached(attempt, token, failure);
}

/*
 * A cache that others can read or write is a failure, as a token from it may be forged. A cache
 * that cannot be opened only costs a request for each call.
 */
static enum status open_cache(
	const struct supply *supply, struct cache *cache, bool create, struct failure *failure)
{
	enum status status = cache_open(cache, supply->settings, supply->profile, create, failure);

	if (status != STATUS_SYSTEM)
		return status;
	trace_say(supply->trace, "working without a cache: %s", failure->reason);
	return STATUS_OK;
}

/* End the attempt while the spare token can still be used, in case it fails. */
static void hurry_attempt(struct attempt *attempt, const struct token *spare)
{
	const struct supply *supply = attempt->supply;
	long long now_ms = process_milliseconds();
	long long left_ms = (long long)(spare->expires - supply->clock()) * 1000 - SPARE_MS;

	if (!spare->value || attempt->deadline - now_ms <= left_ms)
		return;
	attempt->deadline = now_ms + left_ms;
	attempt->hurried = true;
}

static enum status take_spare(const struct supply *supply, enum status status, struct token *token,
	struct token *spare, const struct failure *failure)
{
	if (!status || !token_usable(spare, supply->clock()))
		return status;
	trace_say(supply->trace, "profile %s: no fresh token, so the cached one: %s",
		supply->profile->name, failure->reason);
	*token = *spare;
	*spare = (struct token)TOKEN_INIT;
	return STATUS_OK;
}

static struct attempt make_attempt(const struct supply *supply, struct cache *cache)
{
	return (struct attempt){
		.supply = supply,
		.cache = cache,
		.state = STATE_INIT,
		.began = supply->clock(),
		.deadline = process_milliseconds() + settings_timeout_s(supply->settings) * 1000,
	};
}

enum status supply_token(const struct supply *supply, struct token *token, struct failure *failure)
{
	struct cache cache = CACHE_INIT;
	struct token spare = TOKEN_INIT;
	struct attempt attempt;
	enum status status;

	*token = (struct token)TOKEN_INIT;
	if (supply->min_valid > supply->profile->max_lifetime)
		return refuse_min_valid(supply, supply->profile->max_lifetime, failure);
	status = open_cache(supply, &cache, true, failure);
	if (!status)
		status = look_into_cache(supply, &cache, token, &spare, failure);
	if (!status && !token->value) {
		attempt = make_attempt(supply, &cache);
		hurry_attempt(&attempt, &spare);
		status = supply_missed(&attempt, token, &spare, failure);
		status = take_spare(supply, status, token, &spare, failure);
	}
	cache_close(&cache);
	token_release(&spare);

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
	return mintclient_run(
		supply, secret, NULL, process_milliseconds() + timeout_ms, token, failure);
}

/*
 * Forget the failures and refusals of the old credentials. Keep the serial: with a lower one, this
 * machine would take an older token back from the fleet's store.
 */
static enum status keep_locked(const struct supply *supply, struct cache *cache,
	const struct token *token, struct failure *failure)
{
	struct state before;
	struct state state = STATE_INIT;
	enum status status;

	cache_get_state(cache, supply->clock(), &before);
	state.serial = before.serial;
	status = cache_put(cache, token, failure);
	return status ? status : cache_put_state(cache, &state, failure);
}

enum status supply_keep(
	const struct supply *supply, const struct token *token, struct failure *failure)
{
	struct cache cache = CACHE_INIT;
	enum status status = open_cache(supply, &cache, true, failure);

	if (!status &&
		(cache_lock(&cache, settings_timeout_s(supply->settings) * 1000) || errno != EINTR))
		status = keep_locked(supply, &cache, token, failure);
	else if (!status)
		status = status_fail(failure, STATUS_TIMEOUT, "another process holds the lock");
	cache_close(&cache);
	return status;
}

/* ---- renewal in the background ---- */

/* A relative path stops working when the process leaves its directory; see attempt.c. */
static char *make_absolute(const char **path)
{
	char *absolute = *path && **path != '/' ? realpath(*path, NULL) : NULL;

	if (absolute)
		*path = absolute;
	return absolute;
}

static void renew_token(const struct supply *supply, const struct attempt *prepared)
{
	const struct trace silence = TRACE_OFF;
	struct settings settings = *supply->settings;
	struct supply detached = *supply;
	struct attempt attempt = *prepared;
	struct token token = TOKEN_INIT;
	struct failure failure;
	char *absolute = make_absolute(&settings.cainfo);

	detached.settings = &settings;
	if (supply->trace->fd <= STDERR_FILENO)
		detached.trace = &silence;
	attempt.supply = &detached;
	attempt.renewing = true;
	if (attempt_make(&attempt, &token, &failure))
		trace_say(detached.trace, "renewal failed: %s", failure.reason);
	token_release(&token);
	free(absolute);
}

/*
 * Both processes hold the lock by the same open file. It is free when both have closed it, so no
 * other process can step in between them.
 */
static bool go_on(const struct supply *supply, const struct cache *cache)
{
	int kept[LOCK_GENERATIONS + 2] = {cache->directory, supply->trace->fd};

	memcpy(kept + 2, cache->lock.descriptors, sizeof(cache->lock.descriptors));
	if (!process_go_on(kept, sizeof(kept) / sizeof(kept[0])))
		return false;
	lock_go_on(&cache->lock);
	return true;
}

/*
 * Whether the cache can be written: try it with the record and with the present token. If a renewed
 * token could not be cached, because the disk is full for example, each later call would fetch
 * another one.
 */
static bool can_be_renewed(struct attempt *attempt, const struct token *current)
{
	const struct supply *supply = attempt->supply;
	struct failure failure;

	attempt->state.renewing_until = supply->clock() + settings_timeout_s(supply->settings);
	if (!cache_put_state(attempt->cache, &attempt->state, &failure) &&
		!cache_put(attempt->cache, current, &failure))
		return true;
	trace_say(supply->trace, "profile %s: not renewed: %s", supply->profile->name,
		failure.reason);
	return false;
}

/* Check again under the lock: another process may have renewed the token meanwhile, or failed. */
static bool is_due(struct attempt *attempt)
{
	const struct supply *supply = attempt->supply;
	struct token current = TOKEN_INIT;
	struct failure failure;
	bool due;

	attempt_prepare(attempt);
	due = cache_get(attempt->cache, supply->clock(), &current) &&
	      token_wants_renewal(&current, supply->clock()) &&
	      attempt_allowed(attempt, &failure) == STATUS_OK && can_be_renewed(attempt, &current);
	token_release(&current);
	return due;
}

void supply_renew(const struct supply *supply, const struct token *token)
{
	struct cache cache = CACHE_INIT;
	struct attempt attempt = make_attempt(supply, &cache);
	struct failure failure;

	if (!token_wants_renewal(token, supply->clock()))
		return;
	if (open_cache(supply, &cache, true, &failure) == STATUS_OK && cache_lock(&cache, 0) &&
		is_due(&attempt)) {
		trace_say(supply->trace, "profile %s: renewing in the background",
			supply->profile->name);
		if (go_on(supply, &cache)) {
			renew_token(supply, &attempt);
			_exit(0); /* the caller of cli_main() has answered already */
		}
	}
	cache_close(&cache);
}
