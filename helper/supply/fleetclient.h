#ifndef FLEETCLIENT_H
#define FLEETCLIENT_H

#include <stdbool.h>

#include "core/status.h"

struct profile;
struct secret;
struct state;
struct supply;
struct token;

/*
 * A token that many machines share through profile->shared_store; sypht-fleet speaks to the store.
 * The result is the token in the store. If there is none, one member takes a lock and mints for
 * all, and the others wait for its token as long as notices show that it is minting. If no member
 * mints, or the time that is left is just enough for a mint, this machine mints by itself. A store
 * that is down, slow, full, wiped or lying costs at most three seconds, and never the token.
 */
struct fleetclient {
	const struct supply *supply;
	const struct secret *secret;
	struct state *state; /* its serial tells older entries from newer ones. It is raised
				here; the caller writes the record */
	bool renewing;       /* there still is a good token; STATUS_TIMEOUT where another
				member is about to replace it, and takes long */
};

/*
 * deadline, token and failure as for mintclient_run(). STATUS_REFUSED also where another member was
 * told not to ask the endpoint for a while.
 */
enum status fleetclient_obtain(const struct fleetclient *member, long long deadline,
	struct token *token, struct failure *failure) MUST_CHECK;

/*
 * Remove this token from the store (NULL: any that is there). From then on this machine takes no
 * token that is as old. A failure names the store, which may still have it.
 */
enum status fleetclient_drop(const struct fleetclient *member, const struct token *token,
	long long deadline, struct failure *failure) MUST_CHECK;

/*
 * Whether the store can do all that a fleet needs, and how many milliseconds that took. With a
 * secret, it tries the keys of this profile. failure says what to do.
 */
enum status fleetclient_ping(const struct supply *supply, const struct secret *secret,
	long *took_ms, struct failure *failure) MUST_CHECK;

#endif
