#ifndef GO_H
#define GO_H

#include "call.h"

/*
 * Go's GOAUTH (go help goauth): blocks of URLs and the header for them. Without a URL, as go asks
 * once before it fetches anything, for the https origins of the default profile. With one, and the
 * head of a refusal on stdin, for that URL alone: a 401 there costs the cached token.
 */
call_verb go_answer;

#endif
