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

/* A row of the question; 0 or "" if it is missing. */
long long request_number(const struct request *request, const char *key);
const char *request_text(const struct request *request, const char *key);

/* The time that the question gave, plus what has passed since. */
time_t request_now(const struct request *request);

struct redis_lock request_lock(const struct request *request, const char *owner);

/*
 * Open the store within its answer_ms. Neither a resolver nor a TLS handshake has a timeout of its
 * own, so an alarm ends this process with its reason if they take too long.
 */
enum status request_reach(struct request *request, struct failure *failure) MUST_CHECK;

/* Write a notice. An error is ignored: the fleet works without it. */
void request_tell(const struct request *request, struct redis *store, const struct notice *notice);

/* Release the lock. If that fails, it expires. */
void request_give_up(const struct request *request, const struct redis_lock *lock);

#endif
