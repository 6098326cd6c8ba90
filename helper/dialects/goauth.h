#ifndef GOAUTH_H
#define GOAUTH_H

#include "dialects/call.h"

/*
 * Go's GOAUTH (go help goauth): a block of URLs and the header for them. Go asks once without a URL
 * before it fetches anything; the answer is for the https origins of the default profile. It asks
 * again with the URL of each request that was answered 4xx, and the head of that answer on stdin.
 * A 401 whose Bearer challenge says error="invalid_token" refused a token, which is replaced.
 */
call_verb go_answer;

#endif
