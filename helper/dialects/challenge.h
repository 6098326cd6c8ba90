#ifndef CHALLENGE_H
#define CHALLENGE_H

#include <stdbool.h>

/*
 * The challenges in the WWW-Authenticate fields of one response (RFC 9110, 11.6.1). A field holds
 * one or several; each is a scheme with parameters.
 */
struct challenges {
	bool basic;         /* the server accepts user name and password */
	bool bearer;        /* the server accepts a bearer token */
	bool invalid_token; /* Bearer has error="invalid_token": the server got a token and refused
			       it; without an error it got none (RFC 6750, 3.1) */
};

#define CHALLENGES_INIT \
	{ \
		.basic = false \
	}

/* Add the challenges of one field. Of a malformed field, add those that can be read. */
void challenges_add(struct challenges *challenges, const char *value);

#endif
