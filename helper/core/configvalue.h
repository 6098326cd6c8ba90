#ifndef CONFIGVALUE_H
#define CONFIGVALUE_H

#include <stdbool.h>

/* Which values the keys of the config accept: predicates for the table of keys in profile.c. */

bool configvalue_is_text(const char *value);
bool configvalue_is_text_or_empty(const char *value);

/* One URL, or several separated by spaces: https, or http to a loopback host; no fragment. */
bool configvalue_is_url(const char *value);
bool configvalue_is_urls(const char *value);

/* An absolute URI without fragment (RFC 8707). */
bool configvalue_is_resource(const char *value);

bool configvalue_is_seconds(const char *value);

/* The URL of a shared store that this build supports; "" means no store. */
bool configvalue_is_store(const char *value);
extern const char CONFIGVALUE_STORES[]; /* what configvalue_is_store() accepts, for a message */

#endif
