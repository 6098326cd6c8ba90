#ifndef CHALLENGE_H
#define CHALLENGE_H

#include <stdbool.h>

/*
 * A WWW-Authenticate value (RFC 9110, 11.6.1): one challenge or several, each a scheme with
 * parameters. Whether a Bearer challenge among them says error="invalid_token" (RFC 6750, 3.1):
 * the server saw a token and did not like it. Without an error it saw none.
 */
bool challenge_says_invalid_token(const char *value);

#endif
