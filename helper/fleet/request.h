#ifndef REQUEST_H
#define REQUEST_H

#include <time.h>

#include "core/storeurl.h"
#include "fleet/notice.h"
#include "fleet/redis.h"
#include "fleet/seal.h"

/* What sypht-fleet knows while it answers one question. */
enum { REQUEST_NAME_BYTES = 64 };

struct request {
	const struct attributes *asked;
	struct buffer *answer;
	long long started; /* on the clock of process_milliseconds() */
	struct seal seal;
	char entry_name[REQUEST_NAME_BYTES];
	char lock_name[REQUEST_NAME_BYTES];
	char notice_name[REQUEST_NAME_BYTES];
	char probe_name[REQUEST_NAME_BYTES];
	struct storeurl url;
	struct redis_place place;
	struct redis *store; /* NULL until request_reach() */
};

/* What was asked: 0 and "" where there is no such row. */
long long request_number(const struct request *session, const char *key);
const char *request_text(const struct request *session, const char *key);

/* Whoever asks says what time it is; from there on it passes. */
time_t request_now(const struct request *session);

struct redis_lock request_lock(const struct request *session, const char *owner);

/*
 * Open the store, within its answer_ms. Nothing bounds a resolver, nor each byte of a TLS
 * handshake: a process that would wait too long for them says so, and ends.
 */
enum status request_reach(struct request *session, struct failure *failure) MUST_CHECK;

/* Put a notice there, or leave the fleet without it. */
void request_tell(const struct request *session, struct redis *store, const struct notice *notice);

/* Release the lock, or leave it to end by itself. */
void request_give_up(const struct request *session, const struct redis_lock *lock);

#endif
