#ifndef AUTHMETHOD_H
#define AUTHMETHOD_H

#include <stdbool.h>

/* How a client authenticates to the token endpoint: auth_method in the config. */
enum authmethod {
	AUTHMETHOD_UNSET,
	AUTHMETHOD_BASIC,            /* id and secret in the Authorization header */
	AUTHMETHOD_POST,             /* id and secret in the body; the next ones have no secret */
	AUTHMETHOD_PRIVATE_KEY_JWT,  /* an assertion signed with its private key (RFC 7523) */
	AUTHMETHOD_CLIENT_ASSERTION, /* an assertion that somebody else signed (RFC 7521) */
	AUTHMETHOD_TLS,              /* a certificate that a CA signed (RFC 8705) */
	AUTHMETHOD_SELF_SIGNED_TLS,  /* a certificate that the server knows (RFC 8705) */
};

/* The names, from AUTHMETHOD_BASIC on; NULL ends the list. */
extern const char *const AUTHMETHOD_NAMES[];

/* Whether the client shows a certificate to the endpoint. */
bool authmethod_is_tls(enum authmethod method);

/* Whether a private key is named by a PKCS#11 URI (RFC 7512), and so is not in a file. */
bool authmethod_key_is_uri(const char *key);

/* AUTHMETHOD_UNSET for an unknown name and for NULL. */
enum authmethod authmethod_find(const char *name);

#endif
