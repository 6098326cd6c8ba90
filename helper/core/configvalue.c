#include "core/configvalue.h"

#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "core/storeurl.h"

enum { SECONDS_MAX = 366 * 86400, URL_MAX_BYTES = 2048 };

bool configvalue_is_text_or_empty(const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

bool configvalue_is_text(const char *value)
{
	return *value != '\0' && configvalue_is_text_or_empty(value);
}

/* A client never sends a fragment to the server, so a "#" in the URL is a mistake. */
bool configvalue_is_url(const char *value)
{
	struct origin origin;

	return configvalue_is_text(value) && !strchr(value, ' ') && !strchr(value, '#') &&
	       origin_from_url(&origin, value) && origin_may_carry(&origin);
}

/* Several URLs, separated by blanks. */
bool configvalue_is_urls(const char *value)
{
	char url[URL_MAX_BYTES + 1];
	size_t length;

	for (value += strspn(value, " "); *value != '\0'; value += strspn(value, " ")) {
		length = strcspn(value, " ");
		if (length >= sizeof(url))
			return false;
		memcpy(url, value, length);
		url[length] = '\0';
		if (!configvalue_is_url(url))
			return false;
		value += length;
	}
	return true;
}

/* RFC 8707, 2: an absolute URI without a fragment. */
bool configvalue_is_resource(const char *value)
{
	return configvalue_is_text(value) && strchr(value, ':') && !strchr(value, '#');
}

bool configvalue_is_seconds(const char *value)
{
	char *end;
	long seconds = strtol(value, &end, 10);

	return end != value && *end == '\0' && seconds >= 1 && seconds <= SECONDS_MAX;
}

/* sypht-fleet needs hiredis and libsodium. It supports TLS if hiredis does. */
#if defined(SYPHT_STORE_TLS)
enum { HAS_STORE = true, HAS_STORE_TLS = true };
const char CONFIGVALUE_STORES[] =
	"redis:// or rediss://[user:password@]host[:port][/db], or redis+unix:///path";
#elif defined(SYPHT_STORE)
enum { HAS_STORE = true, HAS_STORE_TLS = false };
const char CONFIGVALUE_STORES[] =
	"redis://[user:password@]host[:port][/db] or redis+unix:///path; no rediss:// here, as "
	"the hiredis this was built with has no TLS";
#else
enum { HAS_STORE = false, HAS_STORE_TLS = false };
const char CONFIGVALUE_STORES[] = "nothing, as this was built without hiredis or without libsodium";
#endif

bool configvalue_is_store(const char *value)
{
	struct storeurl url;
	bool good = storeurl_parse(&url, value) && HAS_STORE &&
		    (HAS_STORE_TLS || url.kind != STOREURL_TLS);

	storeurl_clear(&url);
	return good || *value == '\0';
}
