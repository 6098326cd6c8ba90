#ifndef WITHDRAW_H
#define WITHDRAW_H

#include "core/status.h"

struct supply;

/* Taking a cached token out of use, the copy that a fleet shares included. */

/*
 * Whatever token there is, and all that is remembered of it. A failure says what remains, and
 * where. The shared copy is found by the client secret: who drops that as well drops the token
 * first.
 */
enum status withdraw_any(const struct supply *supply, struct failure *failure) MUST_CHECK;

/*
 * The token that its API refused. Only the one with this value is dropped, so that a late refusal
 * does not cost the fresh token that somebody else has put in its place; value NULL, where the
 * caller cannot tell, means the cached one unless that is such a fresh token itself. How soon
 * another may be fetched is then up to state_refuse().
 */
enum status withdraw_refused(
	const struct supply *supply, const char *value, struct failure *failure) MUST_CHECK;

/*
 * The API took this token: if it replaced one that was refused, see state_approve(). Costs a look
 * at the cache where there is nothing to do. Never fails.
 */
void withdraw_approved(const struct supply *supply, const char *value);

#endif
