#ifndef CONFIGVALUE_H
#define CONFIGVALUE_H

#include <stdbool.h>

/* What the keys of the config accept. Each predicate is one row's in the table of profile.c. */

bool configvalue_is_text(const char *value);
bool configvalue_is_text_or_empty(const char *value);

/* One URL, or several divided by blanks: https, or http to a loopback host, without fragment. */
bool configvalue_is_url(const char *value);
bool configvalue_is_urls(const char *value);

/* An absolute URI without fragment (RFC 8707). */
bool configvalue_is_resource(const char *value);

bool configvalue_is_seconds(const char *value);

/* A shared store that this build can reach; "" for none. */
bool configvalue_is_store(const char *value);
extern const char CONFIGVALUE_STORES[]; /* what configvalue_is_store() accepts, for a message */

#endif
