#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <time.h>

#include "core/buffer.h"
#include "core/source.h"
#include "core/token.h"

struct attributes;
struct profile;
struct settings;

/*
 * What all processes of a user remember about one token, besides the token: how the last try to get
 * one failed, which token its API refused, who renews it. Times are wall-clock seconds since the
 * epoch; the record lies in the cache beside the token (cache.h).
 */
enum {
	STATE_PAUSE_S = 5,           /* between two tries, and between two replacements */
	STATE_PAUSE_REFUSED_S = 300, /* the longest, while the endpoint refuses the secret */
	STATE_PAUSE_REPLACE_S = 60,  /* the longest, while the API refuses fresh tokens */
	STATE_PAUSE_ASKED_S = 300,   /* the longest that a Retry-After is obeyed */
	STATE_HEALS = 100,
};

/* The last supply failed. It stands for others until retry_from, or until a mark changes. */
struct state_failure {
	enum status status; /* STATUS_OK: it did not fail */
	struct failure reason;
	time_t at;
	time_t retry_from;
	long in_a_row;
	char marks[SOURCE_MARKS_BYTES]; /* of the files that decided on it */
	long environment;               /* and of the variables; see supply.c */
};

/* A token that its API refused was replaced, or is about to be. */
struct state_refusal {
	char fingerprint[TOKEN_FINGERPRINT_BYTES]; /* "": none was */
	time_t replace_from;                       /* not before that is the next token fetched */
	long in_a_row;                             /* replacements that did not help */
};

struct state {
	struct state_failure failure;
	struct state_refusal refusal;
	time_t renewing_until; /* a process that renews the token is given so long; 0: none does */
	long long serial; /* of what a fleet shares: the lowest that may come from its store; 0: any
			   */
};

#define STATE_INIT \
	{ \
		.failure = {.status = STATUS_OK } \
	}

/* Append what is not at its default, as key=value lines. */
enum status state_write(const struct state *state, struct buffer *out) MUST_CHECK;

/* What the lines say, as far as it can be true at now; the rest is at its default. */
void state_read(struct state *state, const struct attributes *entry, time_t now);

/* Whether a failure still stands at now: its time is not over, and no file has changed. */
bool state_is_still(const struct state_failure *failure, const struct settings *settings,
	const struct profile *profile, time_t now);

/* Whether nothing is remembered, so that no record is needed. */
bool state_is_empty(const struct state *state);

/*
 * Note a failure at now. What failed in the same way under the same marks counts on: a refused
 * secret is tried again after 5, 10, 20 … 300 s, everything else after 5 s, or after retry_after_s.
 */
void state_fail(
	struct state *state, const struct state_failure *failure, long retry_after_s, time_t now);

/*
 * Note that the API refused this token. The first refusal in a while permits a replacement at once;
 * the next waits until 5, 10, 20 … 60 s have passed since the last replacement.
 */
void state_refuse(struct state *state, const char *fingerprint, time_t now);

/*
 * Note that the API took the token that replaced a refused one: the next refusal is healed at once.
 * An API that takes and refuses the same tokens in turn gets no more than STATE_HEALS that way.
 */
void state_approve(struct state *state, time_t now);

/* Note that a token was had: it ends a failure, and replaces the token that was refused. */
void state_succeed(struct state *state, time_t now);

/* Seconds until a refused token may be replaced; 0: now. */
long state_pause(const struct state *state, time_t now);

#endif
