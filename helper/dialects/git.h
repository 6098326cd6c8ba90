#ifndef GIT_H
#define GIT_H

#include "dialects/call.h"

/*
 * git's credential protocol, gitcredentials(7) and git-credential(1): a description on stdin, an
 * answer on stdout. For a place that no profile covers the answer is empty, with exit status 0, so
 * that git asks its next helper.
 *
 *	get         A bearer token if the caller has capability authtype, unless the server's
 *	            challenges offer Basic and not Bearer. Otherwise username and password.
 *	store       Keep client credentials, for the host of a token endpoint. Otherwise nothing.
 *	erase       Drop the token that is named, or any for that host; for the host of a token
 *	            endpoint, the stored credentials.
 *	capability  List our capabilities.
 *
 * If the caller has capability state, the answer with a cached token has continue=1 and a state. If
 * the server rejects the token, git asks again with that state, and gets a fresh token. The answer
 * with a fresh token has no continue, so git does not ask for ever.
 */
call_verb git_get;
call_verb git_store;
call_verb git_erase;
call_verb git_capability;

#endif
