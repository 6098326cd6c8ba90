#ifndef SUPPLY_H
#define SUPPLY_H

#include "core/status.h"
#include "supply/parameters.h"

struct secret;
struct token;

/*
 * A token from the cache, else from the endpoint, as one operation. Processes that miss at the same
 * time make one token request: one of them takes the lock, and the others look into the cache again
 * when they get it. A failed supply is remembered, so that they do not all repeat it (state.h).
 *
 * Takes at most SYPHT_TIMEOUT. On success the caller owns token, for token_release(). Without a
 * usable cache the token comes from the endpoint, and the trace says so. If no fresh token can be
 * got, the result is the cached one until it expires.
 */
enum status supply_token(
	const struct supply *supply, struct token *token, struct failure *failure) MUST_CHECK;

/* A fresh token for exactly these credentials. The cache is neither read nor written. */
enum status supply_prove(const struct supply *supply, const struct secret *secret,
	struct token *token, struct failure *failure) MUST_CHECK;

/* Cache a token that supply_prove() got. A failure says why it is not cached. */
enum status supply_keep(
	const struct supply *supply, const struct token *token, struct failure *failure) MUST_CHECK;

/*
 * Call this after the answer is written. If the cached token is in its renewal window, no other
 * process renews it, and the cache can be written, a background process mints the next one. Never
 * fails.
 */
void supply_renew(const struct supply *supply, const struct token *token);

#endif
