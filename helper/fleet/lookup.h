#ifndef LOOKUP_H
#define LOOKUP_H

#include "core/status.h"

struct request;

/*
 * Answer with the token that lies in the store, if it is one that may be served; else, as soon as
 * the lock is free, with its owner's name and the serial of the token that is to be minted; else,
 * after wait_ms, with nothing.
 */
enum status look_for_token(struct request *session, struct failure *failure) MUST_CHECK;

#endif
