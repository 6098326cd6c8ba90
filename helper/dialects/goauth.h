#ifndef GOAUTH_H
#define GOAUTH_H

#include "dialects/call.h"

/*
 * Go's GOAUTH (go help goauth). The answer is a block of URLs and the header for them. Go asks once
 * without a URL before it fetches anything; that answer is for the https origins of the default
 * profile. After each response 4xx, Go asks again with the URL on the command line and the head of
 * the response on stdin. A 401 with error="invalid_token" for Bearer means that the server refused
 * the token: then it is replaced.
 */
call_verb go_answer;

#endif
