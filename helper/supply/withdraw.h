#ifndef WITHDRAW_H
#define WITHDRAW_H

#include "core/status.h"

struct supply;

/* Taking a cached token out of use, with the copy that a fleet shares. */

/*
 * Remove the cached token, if any, and its state record. A failure says what remains, and where.
 * The client secret is needed to find the shared copy, so drop the token before the secret.
 */
enum status withdraw_any(const struct supply *supply, struct failure *failure) MUST_CHECK;

/*
 * Remove the token that its API refused. Only a token with this value is removed: a late refusal
 * must not remove the fresh token that another process has put in its place. value NULL: the caller
 * does not know which token was refused. Then the cached one is removed, unless it is such a fresh
 * token. state_refuse() decides how soon another may be fetched.
 */
enum status withdraw_refused(
	const struct supply *supply, const char *value, struct failure *failure) MUST_CHECK;

/*
 * The API accepted this token. If it replaced a refused one, see state_approve(). Otherwise this
 * only reads the cache. Never fails.
 */
void withdraw_approved(const struct supply *supply, const char *value);

#endif
