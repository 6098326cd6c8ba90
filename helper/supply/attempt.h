#ifndef ATTEMPT_H
#define ATTEMPT_H

#include <stdbool.h>

#include "core/cache.h"
#include "core/state.h"
#include "core/status.h"

struct supply;
struct token;

/*
 * One attempt to get a fresh token. Only the holder of the cache's lock makes one. The state record
 * says whether it may be made, and keeps how it ended.
 */
struct attempt {
	const struct supply *supply;
	struct cache *cache; /* locked, where it has a lock */
	struct state state;
	char marks[SOURCE_MARKS_BYTES]; /* of the files, before the secret was last read */
	time_t began;       /* wall-clock seconds: a failure since then is this attempt's, too */
	long long deadline; /* on the clock of process_milliseconds() */
	bool renewing;      /* there still is a good token */
	bool hurried;       /* the deadline is sooner than SYPHT_TIMEOUT allows */
};

/* Read the state record. */
void attempt_prepare(struct attempt *attempt);

/*
 * STATUS_OK: the attempt may be made. Otherwise the last one failed, or an API refused its token,
 * too short a time ago. failure says which.
 */
enum status attempt_allowed(const struct attempt *attempt, struct failure *failure) MUST_CHECK;

/* From the fleet where there is one, else from the endpoint, into the cache. */
enum status attempt_make(
	struct attempt *attempt, struct token *token, struct failure *failure) MUST_CHECK;

/*
 * The same where there is no cache. Nothing is remembered. If the endpoint refuses a client whose
 * files have changed since they were read, it is asked once more, with what they hold now.
 */
enum status attempt_make_uncached(
	struct attempt *attempt, struct token *token, struct failure *failure) MUST_CHECK;

#endif
