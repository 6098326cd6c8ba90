#include "core/configkey.h"

#include <stdlib.h>
#include <string.h>

#include "core/origin.h"
#include "core/storeurl.h"

enum { SECONDS_MAX = 366 * 86400, URL_MAX_BYTES = 2048 };

#define BUILT_IN_LIFE "3600" /* Sypht documents one hour, and shows replies without expires_in */

static bool is_text(const char *value)
{
	for (const char *p = value; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return *value != '\0';
}

static bool is_text_or_empty(const char *value)
{
	return *value == '\0' || is_text(value);
}

/* Where bytes may go without being read on the way; a fragment never reaches a server. */
static bool is_safe_url(const char *value)
{
	struct origin origin;

	return is_text(value) && !strpbrk(value, " #") && origin_from_url(&origin, value) &&
	       origin_may_carry(&origin);
}

static bool is_safe_urls(const char *value)
{
	char url[URL_MAX_BYTES + 1];
	size_t length;

	for (value += strspn(value, " "); *value != '\0'; value += strspn(value, " ")) {
		length = strcspn(value, " ");
		if (length >= sizeof(url))
			return false;
		memcpy(url, value, length);
		url[length] = '\0';
		if (!is_safe_url(url))
			return false;
		value += length;
	}
	return true;
}

/* RFC 8707: an absolute URI without a fragment. */
static bool is_resource(const char *value)
{
	return is_text(value) && strchr(value, ':') && !strchr(value, '#');
}

static bool is_seconds(const char *value)
{
	char *end;
	long seconds = strtol(value, &end, 10);

	return end != value && *end == '\0' && seconds >= 1 && seconds <= SECONDS_MAX;
}

static bool is_auth_method(const char *value)
{
	return strcmp(value, "basic") == 0 || strcmp(value, "post") == 0 ||
	       strcmp(value, "private_key_jwt") == 0;
}

static bool is_basic_encoding(const char *value)
{
	return strcmp(value, "rfc") == 0 || strcmp(value, "raw") == 0;
}

/* What this build can reach; sypht-fleet is there where hiredis and libsodium were. */
#if defined(SYPHT_STORE_TLS)
enum { HAS_STORE = true, HAS_STORE_TLS = true };
#define A_STORE "redis:// or rediss://[user:password@]host[:port][/db], or redis+unix:///path"
#elif defined(SYPHT_STORE)
enum { HAS_STORE = true, HAS_STORE_TLS = false };
#define A_STORE \
	"redis://[user:password@]host[:port][/db] or redis+unix:///path; no rediss:// here, as " \
	"the " \
	"hiredis this was built with has no TLS"
#else
enum { HAS_STORE = false, HAS_STORE_TLS = false };
#define A_STORE "nothing, as this was built without hiredis or without libsodium"
#endif

static bool is_store(const char *value)
{
	struct storeurl url;
	bool good = storeurl_parse(&url, value) && HAS_STORE &&
		    (HAS_STORE_TLS || url.kind != STOREURL_TLS);

	storeurl_clear(&url);
	return good || *value == '\0';
}

#define A_URL "an https URL (http only to a loopback host)"

const struct configkey_rule CONFIGKEY_RULES[CONFIGKEY_COUNT] = {
	[KEY_ORIGIN] = {"origin", is_safe_urls, A_URL, true, "https://api.sypht.com", NULL},
	[KEY_TOKEN_URL] = {"token_url", is_safe_url, A_URL, false,
		"https://auth.sypht.com/oauth2/token", NULL},
	[KEY_ISSUER] = {"issuer", is_safe_url, A_URL, false, NULL, NULL},
	[KEY_CLIENT_ID] = {"client_id", is_text, "a client id", false, NULL, NULL},
	[KEY_CLIENT_SECRET_FILE] = {"client_secret_file", is_text, "a path", false, NULL, NULL},
	[KEY_CLIENT_SECRET_COMMAND] = {"client_secret_command", is_text, "a command", false, NULL,
		NULL},
	[KEY_CLIENT_SECRET_HELPER] = {"client_secret_helper", is_text, "a git credential helper",
		false, NULL, NULL},
	[KEY_SCOPE] = {"scope", is_text_or_empty, "scopes separated by spaces", false, NULL, NULL},
	[KEY_AUDIENCE] = {"audience", is_text_or_empty, "an audience", false, NULL, NULL},
	[KEY_RESOURCE] = {"resource", is_resource, "an absolute URI without fragment", true, NULL,
		NULL},
	[KEY_AUTH_METHOD] = {"auth_method", is_auth_method, "basic, post or private_key_jwt", false,
		NULL, "basic"},
	[KEY_PRIVATE_KEY_FILE] = {"private_key_file", is_text, "a path", false, NULL, NULL},
	[KEY_PRIVATE_KEY_ID] = {"private_key_id", is_text, "the id of a key", false, NULL, NULL},
	[KEY_PRIVATE_KEY_CERTIFICATE] = {"private_key_certificate", is_text, "a path", false, NULL,
		NULL},
	[KEY_ASSERTION_AUDIENCE] = {"assertion_audience", is_text, "an audience", false, NULL,
		NULL},
	[KEY_BASIC_ENCODING] = {"basic_encoding", is_basic_encoding, "rfc or raw", false, "raw",
		"rfc"},
	[KEY_DEFAULT_LIFETIME] = {"default_lifetime", is_seconds, "seconds, at least 1", false,
		BUILT_IN_LIFE, "300"},
	[KEY_MAX_LIFETIME] = {"max_lifetime", is_seconds, "seconds, at least 1", false,
		BUILT_IN_LIFE, "86400"},
	[KEY_BASIC_USERNAME] = {"basic_username", is_text_or_empty, "a user name, or nothing",
		false, NULL, "oauth2"},
	[KEY_SHARED_STORE] = {"shared_store", is_store, A_STORE, false, NULL, NULL},
};

enum configkey configkey_find(const char *name)
{
	enum configkey key = 0;

	while (key < CONFIGKEY_COUNT && strcmp(CONFIGKEY_RULES[key].name, name) != 0)
		key++;
	return key;
}
