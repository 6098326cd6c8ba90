#ifndef AUTHMETHOD_H
#define AUTHMETHOD_H

/* How a client proves to the token endpoint who it is: auth_method in the config. */
enum authmethod {
	AUTHMETHOD_UNSET,
	AUTHMETHOD_BASIC,           /* id and secret in the Authorization header */
	AUTHMETHOD_POST,            /* id and secret in the body */
	AUTHMETHOD_PRIVATE_KEY_JWT, /* an assertion that its private key signs */
};

/* The names, the first for AUTHMETHOD_BASIC; NULL ends them. */
extern const char *const AUTHMETHOD_NAMES[];

/* AUTHMETHOD_UNSET for a name that is none, and for NULL. */
enum authmethod authmethod_find(const char *name);

#endif
