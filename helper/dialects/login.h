#ifndef LOGIN_H
#define LOGIN_H

#include "dialects/call.h"

/*
 * For people: keep the client credentials of a profile, or drop them with their tokens.
 *
 * On a terminal login_keep() prompts, and does not show the secret. Otherwise it reads stdin:
 * username= and password= as for git's store, or bare lines: client id and secret, or "id:secret",
 * or only the secret if the profile names the client id. It keeps only credentials for which the
 * token endpoint gives a token.
 */
call_verb login_keep;
call_verb login_drop;

#endif
