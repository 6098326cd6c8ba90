#ifndef CHALLENGE_H
#define CHALLENGE_H

#include <stdbool.h>

/*
 * What the WWW-Authenticate values (RFC 9110, 11.6.1) of one response say. A value holds one
 * challenge or several, each a scheme with parameters.
 */
struct challenges {
	bool basic;         /* the server takes a user name and a password */
	bool bearer;        /* the server takes a bearer token */
	bool invalid_token; /* error="invalid_token" of Bearer: the server saw a token and refused
			       it; without an error it saw none (RFC 6750, 3.1) */
};

#define CHALLENGES_INIT \
	{ \
		.basic = false \
	}

/* Add what one value says. A malformed value is read as far as it makes sense. */
void challenges_add(struct challenges *challenges, const char *value);

#endif
