#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <time.h>

#include "../origin.h"
#include "../token.h"

struct buffer;
struct profile;
struct settings;
struct supply;
struct trace;

/*
 * One call of a helper, whatever the caller's language: what was asked on the command line, and
 * what was found to answer it. A dialect reads its own input, asks call_supply(), and composes its
 * whole answer in reply; main() writes it in one go, or not at all.
 */
struct call {
	const struct settings *settings;
	const struct trace *trace;
	time_t (*clock)(void);
	const char *profile_name; /* --profile, else SYPHT_PROFILE; NULL: whichever covers */
	const char *url;          /* the operand, or NULL */
	long min_valid;           /* seconds */
	bool json;
	struct buffer *reply;

	struct profile *profile; /* the one that covers what was asked for; NULL: none does */
	struct token token;
};

/* The answer to one verb: STATUS_OK with an empty reply is an answer too. */
typedef enum status call_verb(struct call *call, struct failure *failure);

/*
 * Set call->profile for origin; NULL stands for the default profile. STATUS_OK with no profile
 * where none covers it.
 */
enum status call_find_profile(
	struct call *call, const struct origin *origin, struct failure *failure) MUST_CHECK;

/* call_find_profile() for call->url, where a profile must be found. */
enum status call_find_url(struct call *call, struct failure *failure) MUST_CHECK;

/* Set call->token for call->profile. rejected: as in struct supply. */
enum status call_supply(
	struct call *call, const char *rejected, struct failure *failure) MUST_CHECK;

/* Once the answer is out: renew the token that was handed out if it is time to. */
void call_renew(const struct call *call);

/* Drop cached tokens of one profile: all, or only the one with this value. */
void call_erase(const struct call *call, const struct profile *profile, const char *value);

void call_release(struct call *call);

#endif
