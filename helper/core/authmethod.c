#include "core/authmethod.h"

#include <stddef.h>
#include <string.h>

/* In the order of enum authmethod, without AUTHMETHOD_UNSET. */
const char *const AUTHMETHOD_NAMES[] = {"basic", "post", "private_key_jwt", "client_assertion",
	"tls_client_auth", "self_signed_tls_client_auth", NULL};

enum authmethod authmethod_find(const char *name)
{
	for (unsigned i = 0; name && AUTHMETHOD_NAMES[i]; i++) {
		if (strcmp(AUTHMETHOD_NAMES[i], name) == 0)
			return (enum authmethod)(AUTHMETHOD_BASIC + i);
	}
	return AUTHMETHOD_UNSET;
}

bool authmethod_is_tls(enum authmethod method)
{
	return method == AUTHMETHOD_TLS || method == AUTHMETHOD_SELF_SIGNED_TLS;
}

bool authmethod_key_is_uri(const char *key)
{
	static const char scheme[] = "pkcs11:";

	return strncmp(key, scheme, sizeof(scheme) - 1) == 0;
}
