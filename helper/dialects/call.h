#ifndef CALL_H
#define CALL_H

#include <stdbool.h>
#include <time.h>

#include "core/buffer.h"
#include "core/origin.h"
#include "core/token.h"

struct profile;
struct secret;
struct settings;
struct supply;
struct trace;

/*
 * One call of a credential helper, in any dialect: the command line, and what was found to answer
 * it. A dialect reads its own input, calls call_supply(), and composes its whole answer in reply.
 * cli_main() writes the reply at once, or not at all.
 */
struct call {
	const struct settings *settings;
	const struct trace *trace;
	time_t (*clock)(void);
	char **argv;              /* the whole command line */
	const char *protocol;     /* the name of the dialect */
	char *const *operands;    /* the words after the verb, NULL-terminated */
	const char *url;          /* the first of them, or NULL */
	const char *profile_name; /* --profile, else SYPHT_PROFILE; NULL: any */
	long min_valid;           /* seconds */
	bool json;
	bool online;         /* status may ask the token endpoint */
	struct buffer input; /* the part of stdin that was read to choose the dialect */
	struct buffer *reply;
	int exit_code;      /* after an answer; a dialect may set another one than 0 */
	bool used_settings; /* a token was supplied or asked for, so warn of invalid settings */

	struct profile *profile; /* the one that covers the origin; NULL: none does */
	struct token token;
};

/* Answers one verb. STATUS_OK with an empty reply is an answer too. */
typedef enum status call_verb(struct call *call, struct failure *failure);

/*
 * Set call->profile for origin; NULL stands for the default profile. If none covers it: STATUS_OK
 * and no profile.
 */
enum status call_find_profile(
	struct call *call, const struct origin *origin, struct failure *failure) MUST_CHECK;

/*
 * call_find_profile() for a caller who names no place. If profile sypht has no client
 * credentials and the config has exactly one other profile, use that one. If it has several others:
 * STATUS_NO_SECRET, and failure lists them.
 */
enum status call_find_default(struct call *call, struct failure *failure) MUST_CHECK;

/*
 * call_find_profile() for call->url, where a profile must be found; call_find_default() without a
 * URL.
 */
enum status call_find_url(struct call *call, struct failure *failure) MUST_CHECK;

/* Read call->url, which a person typed. */
enum status call_read_url(
	const struct call *call, struct origin *origin, struct failure *failure) MUST_CHECK;

/*
 * The origin that registries and keyrings name by a bare "host[:port]", which means https, or by a
 * URL, whose user is ignored. False if it is no origin.
 */
bool call_origin_of_server(struct origin *origin, const char *server) MUST_CHECK;

/*
 * call_find_profile() for such a server. A bare loopback name may also mean http, if a profile
 * covers only that.
 */
enum status call_find_server(
	struct call *call, const char *server, struct failure *failure) MUST_CHECK;

/* Whether a token of this profile may have that user name. NULL and "" stand for any. */
bool call_accepts_user(const struct profile *profile, const char *username);

/* What supply.h and fleetclient.h want to know, for a token of this profile. */
struct supply call_parameters(const struct call *call, const struct profile *profile);

/* Set call->token for call->profile. rejected: as in struct supply. */
enum status call_supply(
	struct call *call, const char *rejected, struct failure *failure) MUST_CHECK;

/*
 * Ask the profile's endpoint for call->token with these credentials. Neither the cache nor the
 * configured credentials are used.
 */
enum status call_prove(struct call *call, const struct profile *profile,
	const struct secret *secret, struct failure *failure) MUST_CHECK;

/* Cache the token that call_prove() got. */
enum status call_keep(
	const struct call *call, const struct profile *profile, struct failure *failure) MUST_CHECK;

/* Call this after the answer is written: renew the token in it if renewal is due. */
void call_renew(const struct call *call);

/*
 * Drop the cached token of one profile. With value: its API refused that token, see
 * withdraw_refused(). Without: the user wants it gone, see withdraw_any().
 */
enum status call_erase(const struct call *call, const struct profile *profile, const char *value,
	struct failure *failure) MUST_CHECK;

/*
 * The API refused the cached token of call->profile. This is for callers that do not say which
 * token they sent, and that may say so once for each of many requests.
 */
enum status call_refuse(const struct call *call, struct failure *failure) MUST_CHECK;

/* The API accepted this token. See withdraw_approved(). */
void call_approve(const struct call *call, const struct profile *profile, const char *value);

void call_release(struct call *call);

#endif
