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
 * The record that all processes of a user share about one token: how the last attempt to get it
 * failed, which token the API refused, whether a process renews it. It lies in the cache beside the
 * token (cache.h). Times are wall-clock seconds since the epoch.
 */
enum {
	STATE_PAUSE_S = 5,           /* the shortest between two attempts, or two replacements */
	STATE_PAUSE_REFUSED_S = 300, /* the longest, while the endpoint refuses the secret */
	STATE_PAUSE_REPLACE_S = 60,  /* the longest, while the API refuses fresh tokens */
	STATE_PAUSE_ASKED_S = 300,   /* the longest Retry-After that is obeyed */
	STATE_HEALS = 100,
};

/* The last attempt failed. Others repeat its failure until retry_from, or until a mark changes. */
struct state_failure {
	enum status status; /* STATUS_OK: no failure */
	struct failure reason;
	time_t at;
	time_t retry_from;
	long in_a_row;
	char marks[SOURCE_MARKS_BYTES]; /* of the files that affect a token request */
	long environment;               /* hash of the variables that do; see attempt.c */
};

/* The API refused a token, which was replaced or will be. */
struct state_refusal {
	char fingerprint[TOKEN_FINGERPRINT_BYTES]; /* "": none was refused */
	time_t replace_from;                       /* fetch no new token before that */
	long in_a_row;                             /* replacements that did not help */
};

struct state {
	struct state_failure failure;
	struct state_refusal refusal;
	time_t renewing_until; /* time limit of the process that renews the token; 0: none does */
	long long serial;      /* the lowest to accept from a fleet's shared store; 0: any */
};

#define STATE_INIT \
	{ \
		.failure = {.status = STATUS_OK } \
	}

/* Append the fields that differ from their default, as key=value lines. */
enum status state_write(const struct state *state, struct buffer *out) MUST_CHECK;

/* Read the lines. Fields that are missing or impossible at now get their default. */
void state_read(struct state *state, const struct attributes *entry, time_t now);

/* Whether a failure still holds: now is before retry_from, and no mark has changed. */
bool state_is_still(const struct state_failure *failure, const struct settings *settings,
	const struct profile *profile, time_t now);

/* Whether there is nothing to remember, so that no record is needed. */
bool state_is_empty(const struct state *state);

/*
 * Note a failure at now. If status, marks and environment equal those of the last one, it is one
 * more in a row. A refused secret is retried after 5, 10, 20 … 300 s, everything else after 5 s,
 * but not before retry_after_s (at most STATE_PAUSE_ASKED_S) have passed.
 */
void state_fail(
	struct state *state, const struct state_failure *failure, long retry_after_s, time_t now);

/*
 * Note that the API refused this token. After the first refusal in a while it may be replaced at
 * once; after the next ones, not before 5, 10, 20 … 60 s after the last replacement.
 */
void state_refuse(struct state *state, const char *fingerprint, time_t now);

/*
 * Note that the API accepted the replacement of a refused token. After the next refusal it may be
 * replaced at once, at most STATE_HEALS times: an API may accept and refuse the same token in turn.
 */
void state_approve(struct state *state, time_t now);

/* Note that a new token was fetched. It ends a failure and replaces a refused token. */
void state_succeed(struct state *state, time_t now);

/* Seconds until a refused token may be replaced; 0: now. */
long state_pause(const struct state *state, time_t now);

#endif
