#ifndef REDISTLS_H
#define REDISTLS_H

#include "core/status.h"

struct redisContext;

/*
 * TLS on a fresh connection of hiredis: at least 1.2, with a verified certificate that names this
 * host; hiredis itself does not check the name. cainfo: a CA bundle; NULL: the system's.
 */
enum status redistls_start(struct redisContext *context, const char *host, const char *cainfo,
	struct failure *failure) MUST_CHECK;

#endif
