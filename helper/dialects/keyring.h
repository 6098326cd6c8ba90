#ifndef KEYRING_H
#define KEYRING_H

#include "dialects/call.h"

/*
 * The command line of Python's keyring, as pip and uv run it. get URL USER prints the token; if no
 * profile covers them, it prints nothing, with exit status 1. set reads a secret from stdin and
 * keeps it as client credentials for the host of a token endpoint; for other hosts it does nothing,
 * as their tokens are made here. del drops the token or the credentials.
 */
call_verb keyring_get;
call_verb keyring_set;
call_verb keyring_del;

#endif
