#ifndef REQUEST_H
#define REQUEST_H

#include <time.h>

#include "core/storeurl.h"
#include "fleet/notice.h"
#include "fleet/redis.h"
#include "fleet/seal.h"

/* What sypht-fleet knows while it answers one question. */
enum { SESSION_NAME_BYTES = 64 };

struct session {
	const struct attributes *asked;
	struct buffer *answer;
	long long started; /* on the clock of process_milliseconds() */
	struct seal seal;
	char entry_name[SESSION_NAME_BYTES];
	char lock_name[SESSION_NAME_BYTES];
	char notice_name[SESSION_NAME_BYTES];
	char probe_name[SESSION_NAME_BYTES];
	struct storeurl url;
	struct store_place place;
	struct store *store; /* NULL until session_reach() */
};

/* What was asked: 0 and "" where there is no such row. */
long long session_number(const struct session *session, const char *key);
const char *session_text(const struct session *session, const char *key);

/* Whoever asks says what time it is; from there on it passes. */
time_t session_now(const struct session *session);

struct store_lock session_lock(const struct session *session, const char *owner);

/*
 * Open the store, within its answer_ms. Nothing bounds a resolver, nor each byte of a TLS
 * handshake: a process that would wait too long for them says so, and ends.
 */
enum status session_reach(struct session *session, struct failure *failure) MUST_CHECK;

/* Put a notice there, or leave the fleet without it. */
void session_tell(const struct session *session, struct store *store, const struct notice *notice);

/* Release the lock, or leave it to end by itself. */
void session_give_up(const struct session *session, const struct store_lock *lock);

#endif
