#ifndef KEYRING_H
#define KEYRING_H

#include "dialects/call.h"

/*
 * The command line of Python's keyring, as pip and uv run it: get URL USER prints the token, with
 * status 1 and not a word where there is none for them. set keeps client credentials, secret on
 * stdin, for the host of a token endpoint; elsewhere it has nothing to do, as tokens come from us.
 * del drops what is there.
 */
call_verb keyring_get;
call_verb keyring_set;
call_verb keyring_del;

#endif
