#include "target.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"
#include "scope.h"

/*
 * A prefix "scheme://authority/" that a libcurl has once accepted, made of nothing but
 * letters, digits and what cannot be misread, means the same in every URL that begins with it. A
 * few are remembered for the life of the process. An empty authority is no such prefix: libcurl
 * takes that of "https:///host/" from behind the third slash.
 */
enum { PREFIXES_MAX = 16, PREFIX_BYTES = 128 };

struct prefix {
	const struct libcurl *libcurl;
	struct origin origin;
	const struct realm *realm;
	size_t length;
	char text[PREFIX_BYTES];
};

static _Atomic(struct prefix *) prefixes[PREFIXES_MAX];

static const struct prefix *find_prefix(const struct libcurl *libcurl, const char *url)
{
	for (size_t i = 0; i < PREFIXES_MAX; i++) {
		const struct prefix *prefix =
			atomic_load_explicit(&prefixes[i], memory_order_acquire);

		if (!prefix)
			return NULL;
		if (prefix->libcurl == libcurl && strncmp(url, prefix->text, prefix->length) == 0)
			return prefix;
	}
	return NULL;
}

static size_t plain_prefix_length(const char *url)
{
	size_t scheme = strspn(url, "https");
	size_t authority;

	if (strncmp(url + scheme, "://", 3) != 0)
		return 0;
	authority = strspn(url + scheme + 3, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]");
	if (authority == 0 || url[scheme + 3 + authority] != '/')
		return 0;
	return scheme + 3 + authority + 1;
}

static void remember_prefix(const struct libcurl *libcurl, const char *url,
	const struct origin *origin, const struct realm *realm)
{
	size_t length = plain_prefix_length(url);
	struct prefix *prefix, *none;

	if (!length || length >= PREFIX_BYTES || atomic_load(&prefixes[PREFIXES_MAX - 1]) ||
		(realm && !realm->supplier)) /* it may have one the next time */
		return;
	prefix = malloc(sizeof(*prefix));
	if (!prefix)
		return;
	*prefix = (struct prefix){
		.libcurl = libcurl, .origin = *origin, .realm = realm, .length = length};
	memcpy(prefix->text, url, length);
	for (size_t i = 0; i < PREFIXES_MAX; i++) {
		none = NULL;
		if (atomic_compare_exchange_strong(&prefixes[i], &none, prefix))
			return;
	}
	free(prefix);
}

static bool has_part(const struct libcurl *libcurl, CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = libcurl->own.url_get(url, part, &text, 0) == CURLUE_OK && text;

	libcurl->own.free(text);
	return has;
}

static bool read_origin(const struct libcurl *libcurl, CURLU *url, struct origin *origin)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	char text[ORIGIN_HOST_MAX + sizeof("https://:65535")];
	bool read = false;

	if (!libcurl->own.url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
		!libcurl->own.url_get(url, CURLUPART_HOST, &host, 0) &&
		!libcurl->own.url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
		!has_part(libcurl, url, CURLUPART_ZONEID)) {
		int length = snprintf(text, sizeof(text), "%s://%s:%s", scheme, host, port);

		read = length > 0 && (size_t)length < sizeof(text) && origin_from_url(origin, text);
	}
	libcurl->own.free(port);
	libcurl->own.free(host);
	libcurl->own.free(scheme);
	return read;
}

static bool has_scheme(const char *url)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return strncmp(url + strspn(url, letters), "://", 3) == 0;
}

/* As libcurl does: CURLOPT_DEFAULT_PROTOCOL stands before a URL that has no scheme of its own. */
static CURLUcode set_url(const struct easy *easy, CURLU *url)
{
	const struct libcurl *libcurl = easy->libcurl;
	const char *text = easy->url.bytes;
	size_t size = strlen(text) + sizeof("://");
	char *composed;
	CURLUcode code = CURLUE_OUT_OF_MEMORY;

	if (!easy->default_protocol.set || has_scheme(text))
		return libcurl->own.url_set(
			url, CURLUPART_URL, text, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
	size += strlen(easy->default_protocol.bytes);
	composed = malloc(size);
	if (composed) {
		snprintf(composed, size, "%s://%s", easy->default_protocol.bytes, text);
		code = libcurl->own.url_set(url, CURLUPART_URL, composed, CURLU_NON_SUPPORT_SCHEME);
	}
	free(composed);
	return code;
}

static const struct realm *realm_of(const struct easy *easy, const struct origin *origin)
{
	struct origin connected = *origin;

	if (easy->port)
		connected.port = (unsigned short)easy->port;
	return scope_find(&connected);
}

static const struct realm *realm_of_parsed(
	const struct easy *easy, CURLU *url, bool remember, const char **reason)
{
	const struct libcurl *libcurl = easy->libcurl;
	struct origin origin;
	const struct realm *realm;

	if (!read_origin(libcurl, url, &origin))
		return NULL;
	realm = realm_of(easy, &origin);
	if (has_part(libcurl, url, CURLUPART_USER) || has_part(libcurl, url, CURLUPART_PASSWORD))
		*reason = "the URL gives user or password";
	else if (remember)
		remember_prefix(libcurl, easy->url.bytes, &origin, scope_find(&origin));
	return realm;
}

static const struct realm *realm_of_text(const struct easy *easy, const char **reason)
{
	const struct libcurl *libcurl = easy->libcurl;
	const struct prefix *prefix = find_prefix(libcurl, easy->url.bytes);
	const struct realm *realm = NULL;
	CURLU *url;

	if (prefix)
		return easy->port ? realm_of(easy, &prefix->origin) : prefix->realm;
	url = libcurl->own.url();
	if (url && set_url(easy, url) == CURLUE_OK)
		realm = realm_of_parsed(easy, url, !easy->default_protocol.set, reason);
	libcurl->own.url_cleanup(url);
	return realm;
}

const struct realm *target_realm(const struct easy *easy, const char **reason)
{
	/* before 7.62 there is no URL API; before 7.66 redirects to any protocol are the default */
	if (!easy->libcurl->own.multi_poll || !easy->libcurl->own.url)
		return NULL;
	if (easy->url_handle)
		return realm_of_parsed(easy, easy->url_handle, false, reason);
	return easy->url.set ? realm_of_text(easy, reason) : NULL;
}

bool target_is_reached(const struct easy *easy, const struct realm *realm)
{
	const struct libcurl *libcurl = easy->libcurl;
	const char *text = NULL;
	struct origin origin;
	long redirects = 0;
	CURLU *url;
	bool reached;

	libcurl->own.easy_getinfo(easy->handle, CURLINFO_REDIRECT_COUNT, &redirects);
	if (redirects == 0)
		return true;
	libcurl->own.easy_getinfo(easy->handle, CURLINFO_EFFECTIVE_URL, &text);
	url = text ? libcurl->own.url() : NULL;
	reached = url && libcurl->own.url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		  read_origin(libcurl, url, &origin) && origin_equal(&origin, &realm->origin);
	libcurl->own.url_cleanup(url);
	return reached;
}
