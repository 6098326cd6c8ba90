#include "target.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handle.h"
#include "scope.h"

/*
 * Parsing a URL costs 10,000 instructions. So remember a few prefixes "scheme://authority/" that
 * libcurl has accepted: made of letters, digits and unambiguous characters only, they mean the same
 * in every URL. The authority must not be empty: libcurl finds that of "https:///host/" after the
 * third slash.
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

/* The prefixes fill the list from its start and are never removed, so readers need no lock. */
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
		(realm && !realm->supplier)) /* a realm without a supplier may have one the next
						time */
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

/* A parsed URL, and whether memory was short while its parts were read. */
struct reading {
	const struct libcurl *libcurl;
	CURLU *url;
	bool starved; /* memory was short */
};

/* NULL if there is no such part. Release it with own.free(). */
static char *read_part(struct reading *reading, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	CURLUcode code = reading->libcurl->own.url_get(reading->url, part, &text, flags);

	reading->starved |= code == CURLUE_OUT_OF_MEMORY;
	return code ? NULL : text;
}

static bool has_part(struct reading *reading, CURLUPart part)
{
	char *text = read_part(reading, part, 0);

	reading->libcurl->own.free(text);
	return text != NULL;
}

/* An address with a zone (fe80::1%eth0) means something else on each machine: no profile has it. */
static bool read_origin(struct reading *reading, struct origin *origin)
{
	char *scheme = read_part(reading, CURLUPART_SCHEME, 0);
	char *host = read_part(reading, CURLUPART_HOST, 0);
	char *port = read_part(reading, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	char text[ORIGIN_HOST_MAX + sizeof("https://:65535")];
	bool read = false;

	if (scheme && host && port && !has_part(reading, CURLUPART_ZONEID)) {
		int length = snprintf(text, sizeof(text), "%s://%s:%s", scheme, host, port);

		read = length > 0 && (size_t)length < sizeof(text) && origin_from_url(origin, text);
	}
	reading->libcurl->own.free(port);
	reading->libcurl->own.free(host);
	reading->libcurl->own.free(scheme);
	return read;
}

static bool has_scheme(const char *url)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	return strncmp(url + strspn(url, letters), "://", 3) == 0;
}

/* Like libcurl, put CURLOPT_DEFAULT_PROTOCOL before a URL without a scheme. */
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

/* CURLOPT_PORT overrides the port of the URL. */
static const struct realm *realm_of(const struct easy *easy, const struct origin *origin)
{
	struct origin connected = *origin;

	if (easy->port)
		connected.port = (unsigned short)easy->port;
	return scope_find(&connected);
}

static const struct realm *realm_of_parsed(
	const struct easy *easy, struct reading *reading, bool remember, const char **reason)
{
	struct origin origin;

	if (!read_origin(reading, &origin))
		return NULL;
	if (has_part(reading, CURLUPART_USER) || has_part(reading, CURLUPART_PASSWORD))
		*reason = "the URL gives user or password";
	else if (remember && !reading->starved)
		remember_prefix(reading->libcurl, easy->url.bytes, &origin, scope_find(&origin));
	return realm_of(easy, &origin);
}

static bool find_text(const struct easy *easy, const struct realm **realm, const char **reason)
{
	const struct libcurl *libcurl = easy->libcurl;
	const struct prefix *prefix = find_prefix(libcurl, easy->url.bytes);
	struct reading reading = {.libcurl = libcurl};
	CURLUcode code = CURLUE_OUT_OF_MEMORY;

	if (prefix) {
		*realm = easy->port ? realm_of(easy, &prefix->origin) : prefix->realm;
		return true;
	}
	reading.url = libcurl->own.url();
	if (reading.url)
		code = set_url(easy, reading.url);
	if (code == CURLUE_OK)
		*realm = realm_of_parsed(easy, &reading, !easy->default_protocol.set, reason);
	libcurl->own.url_cleanup(reading.url);
	return code != CURLUE_OUT_OF_MEMORY && !reading.starved;
}

static bool find_pinned(const struct easy *easy, const struct realm **realm, const char **reason)
{
	struct reading reading = {.libcurl = easy->libcurl, .url = easy->load.pinned_url};

	if (!reading.url)
		return false;
	*realm = realm_of_parsed(easy, &reading, false, reason);
	return !reading.starved;
}

bool target_find(struct easy *easy, const struct realm **realm, const char **reason)
{
	bool found;

	*realm = easy->target;
	if (easy->target_known)
		return true;
	*realm = NULL;
	/* before 7.62 there is no URL API; before 7.66 redirects to any protocol are the default */
	if (!easy->libcurl->own.multi_poll || !easy->libcurl->own.url)
		return true;
	if (easy->url_handle)
		return find_pinned(easy, realm, reason);
	found = !easy->url.set || find_text(easy, realm, reason);
	easy->target = *realm;
	easy->target_known = found && !*reason && (!*realm || (*realm)->supplier);
	return found;
}

bool target_is_reached(const struct easy *easy, const struct realm *realm)
{
	struct reading reading = {.libcurl = easy->libcurl};
	const struct libcurl *libcurl = easy->libcurl;
	const char *text = easy_url(easy);
	struct origin origin;
	bool reached;

	if (easy_info(easy, CURLINFO_REDIRECT_COUNT) == 0)
		return true;
	reading.url = text ? libcurl->own.url() : NULL;
	reached = reading.url &&
		  libcurl->own.url_set(reading.url, CURLUPART_URL, text, 0) == CURLUE_OK &&
		  read_origin(&reading, &origin) && origin_equal(&origin, &realm->origin);
	libcurl->own.url_cleanup(reading.url);
	return reached;
}
