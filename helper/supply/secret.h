#ifndef SECRET_H
#define SECRET_H

#include "core/status.h"

/* Client credentials. All members are owned, and NULL where there is nothing. */
struct secret {
	char *client_id;
	char *client_secret;
	char *private_key; /* PEM, instead of a secret, where auth_method is private_key_jwt */
};

#define SECRET_INIT \
	{ \
		.client_id = NULL \
	}

/* Copy id and secret into an empty one. Release it also after STATUS_NO_MEMORY. */
enum status secret_set(struct secret *secret, const char *client_id, const char *client_secret,
	struct failure *failure) MUST_CHECK;

/* Wipe and free. */
void secret_release(struct secret *secret);

#endif
