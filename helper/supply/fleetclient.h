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
 * This machine as one of a fleet that shares its token through profile->shared_store, by way of
 * sypht-fleet: the token that lies there, else the right to mint the next one for all, else that of
 * whoever has that right. As long as another member is seen to mint we wait for him; when nobody
 * is, or when the time that is left is what a mint takes, we mint by ourselves. A store that is
 * down, slow, full, wiped or lying costs three seconds at most; never a supply.
 */
struct fleetclient {
	const struct supply *supply;
	const struct secret *secret;
	struct state *state; /* its serial tells which entries are older than what was seen; it
				is raised, and the caller's to write */
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
 * Have nobody of the fleet take this token any more (NULL: whichever lies there), and this machine
 * nothing that is as old. A failure names the store that may still have it.
 */
enum status fleetclient_drop(const struct fleetclient *member, const struct token *token,
	long long deadline, struct failure *failure) MUST_CHECK;

/*
 * Whether the store does all that a fleet takes, and after how many milliseconds. Where a secret is
 * given it is about this profile's place there. failure says what a person may do.
 */
enum status fleetclient_ping(const struct supply *supply, const struct secret *secret,
	long *took_ms, struct failure *failure) MUST_CHECK;

#endif
