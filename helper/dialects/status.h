#ifndef DIALECT_STATUS_H
#define DIALECT_STATUS_H

#include "dialects/call.h"

/*
 * What this machine knows, for people who ask why it does not work: where config and cache are and
 * whether they can be used; for a URL, whether it is in scope; per profile its origins, its
 * endpoint, where the secret comes from, what is left of the cached token, and the last refusal.
 * Nothing is minted and no secret is read, unless call->online has the endpoints asked. Exit status
 * 1 where the URL is not in scope, or an endpoint gave no token.
 */
call_verb status_show;

#endif
