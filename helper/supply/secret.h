#ifndef SECRET_H
#define SECRET_H

#include "core/status.h"

/*
 * How a client proves who it is: by a secret, a private key or an assertion. All members are owned,
 * and NULL where there is nothing.
 */
struct secret {
	char *client_id;
	char *client_secret;
	char *private_key;  /* PEM; or "hex:" and PKCS#12, or "pkcs11:" and where the key is */
	char *key_password; /* of private_key */
	char *certificate;  /* of private_key, PEM; NULL: none, or private_key includes it */
	char *assertion;    /* signed by somebody else */
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
