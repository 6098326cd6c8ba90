#ifndef DIALECT_STATUS_H
#define DIALECT_STATUS_H

#include "dialects/call.h"

/*
 * For people who ask why it does not work: where config and cache are, and whether they can be
 * used; for a URL, which profile covers it; for each profile its origins, its endpoint, the source
 * of its secret, the rest of the cached token's life, and the last refusal. Only with call->online
 * is a token asked for. Exit status 1 if no profile covers the URL, if a secret cannot be used, or
 * if an endpoint gives no token.
 */
call_verb status_show;

#endif
