#include "core/authmethod.h"

#include <stddef.h>
#include <string.h>

const char *const AUTHMETHOD_NAMES[] = {"basic", "post", "private_key_jwt", NULL};

enum authmethod authmethod_find(const char *name)
{
	for (unsigned i = 0; name && AUTHMETHOD_NAMES[i]; i++) {
		if (strcmp(AUTHMETHOD_NAMES[i], name) == 0)
			return (enum authmethod)(AUTHMETHOD_BASIC + i);
	}
	return AUTHMETHOD_UNSET;
}
