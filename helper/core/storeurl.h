#ifndef STOREURL_H
#define STOREURL_H

#include <stdbool.h>

#include "core/buffer.h"

/*
 * The URL of the store in which a fleet shares its token:
 *
 *	redis://[user:password@]host[:port][/db]	rediss://…, the same over TLS
 *	redis+unix://[user:password@]/path
 *
 * User and password are percent-decoded. The user may be empty: Redis before 6 has no users.
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

/* False: the URL is invalid. Call storeurl_clear() in any case. */
bool storeurl_parse(struct storeurl *out, const char *url);

/* Whether a URL that storeurl_parse() accepts holds a password. */
bool storeurl_has_password(const char *url);

/* Append a URL that storeurl_parse() accepts, without user and password, for display. */
enum status storeurl_show(const char *url, struct buffer *out) MUST_CHECK;

/* Wipe. */
void storeurl_clear(struct storeurl *url);

#endif
