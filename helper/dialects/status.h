#ifndef DIALECT_STATUS_H
#define DIALECT_STATUS_H

#include "call.h"

/*
 * What this machine knows, for people: per profile its origins, its endpoint, where the secret
 * comes from, what is left of the cached token, and the last refusal. Nothing is minted, no secret
 * is read.
 */
call_verb status_show;

#endif
