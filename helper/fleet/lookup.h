#ifndef LOOKUP_H
#define LOOKUP_H

#include "core/status.h"

struct request;

/*
 * Wait up to wait_ms for a token in the store that may be served, or for the lock. With the lock,
 * the answer is the name of its new owner, and the serial for the token that the owner has to mint.
 * With neither, the answer is empty.
 */
enum status lookup_token(struct request *request, struct failure *failure) MUST_CHECK;

#endif
