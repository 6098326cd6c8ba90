#ifndef STOREURL_H
#define STOREURL_H

#include <stdbool.h>

#include "core/buffer.h"

/*
 * Where a fleet keeps the token it shares:
 *
 *	redis://[user:password@]host[:port][/db]	rediss://…, the same by TLS
 *	redis+unix://[user:password@]/path
 *
 * User and password are percent-decoded; the user may be empty, as Redis knew none before
 *version 6.
 */
enum storeurl_kind { STOREURL_TCP, STOREURL_TLS, STOREURL_UNIX };

enum { STOREURL_PORT_DEFAULT = 6379, STOREURL_DATABASE_MAX = 65535, STOREURL_TEXT_MAX = 512 };

struct storeurl {
	enum storeurl_kind kind;
	char user[STOREURL_TEXT_MAX];     /* "": none */
	char password[STOREURL_TEXT_MAX]; /* "": none */
	char place[STOREURL_TEXT_MAX];    /* the host, without brackets; or the path */
	int port;
	int database;
};

/* False where url is none of the above; storeurl_clear() is due all the same. */
bool storeurl_parse(struct storeurl *out, const char *url);

/* Whether a URL that storeurl_parse() accepts holds a password. */
bool storeurl_has_password(const char *url);

/* Append a URL that storeurl_parse() accepts, without user and password: for people. */
enum status storeurl_show(const char *url, struct buffer *out) MUST_CHECK;

/* Wipe. */
void storeurl_clear(struct storeurl *url);

#endif
