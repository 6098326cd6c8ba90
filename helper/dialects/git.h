#ifndef GIT_H
#define GIT_H

#include "dialects/call.h"

/*
 * git's credential protocol, gitcredentials(7) and git-credential(1): a description on stdin, an
 * answer on stdout. What is not ours to answer gets silence and success.
 *
 *	get         a bearer token where the caller offers capability authtype, unless its
 *	            challenges offer Basic and not Bearer; else user and password
 *	store       client credentials, for the host of a token endpoint; otherwise nothing
 *	erase       the token it names, or all of that host; at a token endpoint the stored
 *	            credentials
 *	capability  what we speak beyond the classic fields
 *
 * A cached token is answered with continue and a state, where the caller has capability state: if
 * the server rejects it, git comes back with that state instead of giving up, and gets a fresh one.
 * A fresh one never carries continue, which is what keeps git from asking for ever.
 */
call_verb git_get;
call_verb git_store;
call_verb git_erase;
call_verb git_capability;

#endif
