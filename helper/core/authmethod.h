#ifndef AUTHMETHOD_H
#define AUTHMETHOD_H

/* How a client authenticates to the token endpoint: auth_method in the config. */
enum authmethod {
	AUTHMETHOD_UNSET,
	AUTHMETHOD_BASIC,           /* id and secret in the Authorization header */
	AUTHMETHOD_POST,            /* id and secret in the body */
	AUTHMETHOD_PRIVATE_KEY_JWT, /* an assertion signed with its private key */
};

/* The names, from AUTHMETHOD_BASIC on; NULL ends the list. */
extern const char *const AUTHMETHOD_NAMES[];

/* AUTHMETHOD_UNSET for an unknown name and for NULL. */
enum authmethod authmethod_find(const char *name);

#endif
