#ifndef REDISTLS_H
#define REDISTLS_H

#include "core/status.h"

struct redisContext;

/*
 * TLS on a fresh connection of hiredis: 1.2 at least, the certificate verified, and for this host,
 * which hiredis leaves to us. cainfo: a CA bundle; NULL: the system's.
 */
enum status redistls_start(struct redisContext *context, const char *host, const char *cainfo,
	struct failure *failure) MUST_CHECK;

#endif
