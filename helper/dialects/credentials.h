#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stdbool.h>

#include "dialects/call.h"

struct secret;

/*
 * What store and erase mean, whatever the caller's language. Tokens come from us and need no
 * keeping, but that one was taken is good to know (withdraw_approved()); client credentials are
 * kept for the profiles whose token endpoint is at the place named, unless they name another client
 * id, with the profile's client_secret_helper where it has one, else beside the config. Where some
 * are kept already, the new ones replace them only once the token endpoint has taken them.
 * STATUS_NO_SECRET: all profiles name another client.
 */
struct credentials_change {
	struct origin origin;
	const char *username; /* NULL: any; a store without one changes nothing */
	const char *password; /* store: the secret, without which nothing changes; erase: the only
				 token or secret to drop, NULL: whichever is there */
	const char *token;    /* store: what the place has taken, NULL: not known */
	bool matched;         /* set: some profile has to do with that place */
};

enum status credentials_store(
	struct call *call, struct credentials_change *change, struct failure *failure) MUST_CHECK;
enum status credentials_erase(
	struct call *call, struct credentials_change *change, struct failure *failure) MUST_CHECK;

/*
 * The same for one profile, as login and logout do it; its tokens go either way. A failure says
 * what was not done, or what remains.
 */
enum status credentials_keep(struct call *call, const struct profile *profile,
	const struct secret *secret, struct failure *failure) MUST_CHECK;

/* Cache call->token, by which they were proved, unless others come before them. */
void credentials_keep_token(const struct call *call, const struct profile *profile);

enum status credentials_drop(struct call *call, const struct profile *profile, bool *was_kept,
	struct failure *failure) MUST_CHECK;

#endif
