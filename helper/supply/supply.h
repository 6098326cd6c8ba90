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
 */
/*
 * Takes at most SYPHT_TIMEOUT. On success token is the caller's, for token_release(). Where no
 * cache can be had a token is supplied all the same, and the trace says so. Where no fresh token
 * can be had, the cached one is supplied until it expires.
 */
enum status supply_token(
	const struct supply *supply, struct token *token, struct failure *failure) MUST_CHECK;

/* A fresh token for these very credentials; neither looked for in the cache nor put there. */
enum status supply_prove(const struct supply *supply, const struct secret *secret,
	struct token *token, struct failure *failure) MUST_CHECK;

/* Put a token that was proved so into the cache. A failure says why it is not there. */
enum status supply_keep(
	const struct supply *supply, const struct token *token, struct failure *failure) MUST_CHECK;

/*
 * To be called after the answer is out: where the cached token is in its renewal window and nobody
 * else renews it, a process of its own mints the next one in the background, if the cache can take
 * it. Never fails.
 */
void supply_renew(const struct supply *supply, const struct token *token);

#endif
