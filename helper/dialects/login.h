#ifndef LOGIN_H
#define LOGIN_H

#include "dialects/call.h"

/*
 * For people: keep the client credentials of a profile, or drop them and the tokens they got.
 * login_keep() asks at a terminal, without showing the secret; from anything else it reads what
 * git's store would, username= and password=, or bare lines: client id and secret, or
 * "id:secret", or the secret alone where the profile names the client id. Nothing is kept that the
 * token endpoint has not answered with a token.
 */
call_verb login_keep;
call_verb login_drop;

#endif
