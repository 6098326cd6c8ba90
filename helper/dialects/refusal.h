#ifndef REFUSAL_H
#define REFUSAL_H

#include "call.h"

/*
 * For callers that report a refused token without saying which one it was, and may report it once
 * for each of many requests.
 *
 * Set call->token for call->profile, to another token than the cached one. A token that has itself
 * replaced a refused one stays for a minute: later reports may still be about its predecessor, and
 * a server that refuses every token must not cost a token request each time.
 */
enum status refusal_supply(struct call *call, struct failure *failure) MUST_CHECK;

/* A caller starts afresh with the cached token: the next report will be about that one. */
void refusal_forget(const struct call *call);

#endif
