#ifndef CREDENTIALS_H
#define CREDENTIALS_H

#include <stdbool.h>

#include "dialects/call.h"

struct secret;

/*
 * store and erase, for all dialects. A stored token is already in the cache, so storing it only
 * tells withdraw_approved() that a server accepted it. Client credentials are kept for each profile
 * whose token endpoint has this origin, unless the profile names another client id. They go to the
 * profile's client_secret_helper if it has one, else to a file beside the config. They replace
 * others only after the token endpoint has accepted them. STATUS_NO_SECRET: every such profile
 * names another client.
 */
struct credentials_change {
	struct origin origin;
	const char *username; /* NULL: any; a store without one changes nothing */
	const char *password; /* store: the secret, NULL: nothing changes; erase: the token or
				 secret to drop, NULL: any */
	const char *token;    /* store: the token that was accepted, NULL: not known */
	bool matched;         /* set: there is a profile for that origin */
};

typedef enum status credentials_changer(
	struct call *call, struct credentials_change *change, struct failure *failure) MUST_CHECK;
credentials_changer credentials_store;
credentials_changer credentials_erase;

/*
 * The same for one profile, for login and logout. Both drop its cached tokens. A failure says what
 * was not done, or what remains.
 */
enum status credentials_keep(struct call *call, const struct profile *profile,
	const struct secret *secret, struct failure *failure) MUST_CHECK;

/* Cache call->token, which proved them, unless another source of credentials comes first. */
void credentials_keep_token(const struct call *call, const struct profile *profile);

enum status credentials_drop(struct call *call, const struct profile *profile, bool *was_kept,
	struct failure *failure) MUST_CHECK;

#endif
