#include "policy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handle.h"
#include "scope.h"

extern char **environ;

/* The application's own ways to authenticate, and what is no HTTP request. */
static const struct {
	unsigned facts;
	const char *reason;
} vetoes[] = {
	{FACT_USER | FACT_PASSWORD, "the application gives user or password"},
	{FACT_NETRC_REQUIRED, "the application insists on .netrc"},
	{FACT_SIGV4, "the application signs with SigV4"},
	{FACT_BEARER, "the application has a bearer token of its own"},
	{FACT_CONNECT_ONLY, "the application only connects"},
	{FACT_UNKNOWN, "memory was short"},
};

enum {
	VETOES = FACT_USER | FACT_PASSWORD | FACT_NETRC_REQUIRED | FACT_SIGV4 | FACT_BEARER |
		 FACT_CONNECT_ONLY | FACT_UNKNOWN,
	UNVERIFIED = FACT_PEER_UNVERIFIED | FACT_HOST_UNVERIFIED,
	/* something may carry the bytes of a loopback request off this machine */
	DIVERSIONS = FACT_PROXY | FACT_PRE_PROXY | FACT_UNIX_SOCKET | FACT_ABSTRACT_SOCKET |
		     FACT_CONNECT_TO | FACT_DOH,
};

static const char *veto_reason(unsigned facts)
{
	for (size_t i = 0; i < sizeof(vetoes) / sizeof(*vetoes); i++)
		if (facts & vetoes[i].facts)
			return vetoes[i].reason;
	return NULL;
}

/*
 * Also its removal ("Authorization:", "Authorization;") is the application's word. The list is
 * looked at when the transfer starts, since it may have been changed after it was set.
 */
static bool has_authorization(const struct curl_slist *header)
{
	static const char name[] = "Authorization";

	for (; header; header = header->next) {
		const char *line = header->data;

		if (line && (*line | 0x20) == 'a' &&
			strncasecmp(line, name, sizeof(name) - 1) == 0) {
			line += sizeof(name) - 1;
			line += strspn(line, " \t");
			if (*line == ':' || *line == ';')
				return true;
		}
	}
	return false;
}

/* Whether list, as in no_proxy, names the host itself or everything. Domains are not looked at. */
static bool names_host(const char *list, const char *host)
{
	static const char separators[] = ", ";
	size_t length;

	if (!list)
		return false;
	if (strcmp(list, "*") == 0)
		return true;
	for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
		length = strcspn(list, separators);
		if (strlen(host) == length && strncasecmp(list, host, length) == 0)
			return true;
		list += length;
	}
	return false;
}

static bool is_proxy_variable(const char *variable)
{
	static const char *const names[] = {
		"http_proxy=", "https_proxy=", "HTTPS_PROXY=", "all_proxy=", "ALL_PROXY="};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(variable, names[i], length) == 0 && variable[length])
			return true;
	}
	return false;
}

/* Done for every request over loopback http, hence the first look at two letters. */
static bool environment_has_proxy(void)
{
	for (char **variable = environ; variable && *variable; variable++) {
		const char *name = *variable;
		int first = name[0] | 0x20;

		if ((first == 'h' && (name[1] | 0x20) == 't') ||
			(first == 'a' && (name[1] | 0x20) == 'l'))
			if (is_proxy_variable(name))
				return true;
	}
	return false;
}

static bool is_proxied(const struct easy *easy, const struct origin *origin)
{
	const char *exceptions;

	if (easy->facts & FACT_NO_PROXY || !environment_has_proxy())
		return false;
	exceptions = easy->no_proxy.set ? easy->no_proxy.bytes : getenv("no_proxy");
	if (!exceptions)
		exceptions = getenv("NO_PROXY");
	return !names_host(exceptions, origin->host);
}

/* Without TLS, or with its checks turned off, only the kernel vouches for where the bytes go. */
static const char *exposure_reason(const struct easy *easy, const struct realm *realm)
{
	if (realm->origin.secure && !(easy->facts & UNVERIFIED))
		return NULL;
	if (!realm->loopback)
		return realm->origin.secure ? "certificate checks are off"
					    : "http beyond this machine";
	if (easy->facts & DIVERSIONS || easy_ever_resolved() || is_proxied(easy, &realm->origin))
		return "something else may carry a loopback request";
	return NULL;
}

/*
 * Parsed URLs. A prefix "scheme://authority/" that a libcurl has once accepted, made of nothing but
 * letters, digits and what cannot be misread, means the same in every URL that begins with it. A
 * few are remembered for the life of the process.
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
	return url[scheme + 3 + authority] == '/' ? scheme + 3 + authority + 1 : 0;
}

static void remember_prefix(const struct libcurl *libcurl, const char *url,
	const struct origin *origin, const struct realm *realm)
{
	size_t length = plain_prefix_length(url);
	struct prefix *prefix, *none;

	if (!length || length >= PREFIX_BYTES || atomic_load(&prefixes[PREFIXES_MAX - 1]))
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

/* What may not stand in a URL that is to carry a token. */
static const char *url_reason(const struct libcurl *libcurl, CURLU *url)
{
	if (has_part(libcurl, url, CURLUPART_USER) || has_part(libcurl, url, CURLUPART_PASSWORD))
		return "the URL gives user or password";
	return NULL;
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

static const struct realm *realm_at_port(const struct easy *easy, struct origin *origin)
{
	if (easy->port)
		origin->port = (unsigned short)easy->port;
	return scope_find(origin);
}

static struct verdict refuse(const char *reason)
{
	return (struct verdict){.reason = reason};
}

static struct verdict judge_parsed(const struct easy *easy, CURLU *url, bool remember)
{
	struct origin origin;
	const struct realm *realm;
	const char *reason;

	if (!read_origin(easy->libcurl, url, &origin))
		return refuse("not in scope");
	reason = url_reason(easy->libcurl, url);
	if (reason)
		return refuse(reason);
	if (remember)
		remember_prefix(easy->libcurl, easy->url.bytes, &origin, scope_find(&origin));
	realm = realm_at_port(easy, &origin);
	return realm ? (struct verdict){.realm = realm} : refuse("not in scope");
}

static struct verdict judge_url(const struct easy *easy)
{
	const struct libcurl *libcurl = easy->libcurl;
	const struct prefix *prefix;
	struct verdict verdict;
	CURLU *url;

	/* before 7.62 there is no URL API; before 7.66 redirects to any protocol are the default */
	if (!libcurl->own.multi_poll || !libcurl->own.url)
		return refuse("this libcurl is older than 7.66");
	if (easy->url_handle)
		return judge_parsed(easy, easy->url_handle, false);
	if (!easy->url.set)
		return refuse("no URL was seen");

	prefix = find_prefix(libcurl, easy->url.bytes);
	if (prefix) {
		struct origin origin;

		if (!easy->port)
			return prefix->realm ? (struct verdict){.realm = prefix->realm}
					     : refuse("not in scope");
		origin = prefix->origin;
		return (struct verdict){
			.realm = realm_at_port(easy, &origin), .reason = "not in scope"};
	}

	url = libcurl->own.url();
	if (!url)
		return refuse("memory was short");
	verdict = set_url(easy, url) ? refuse("libcurl does not take the URL")
				     : judge_parsed(easy, url, !easy->default_protocol.set);
	libcurl->own.url_cleanup(url);
	return verdict;
}

struct verdict policy_judge(const struct easy *easy)
{
	struct verdict verdict = judge_url(easy);
	const char *reason = NULL;

	if (!verdict.realm)
		return verdict;
	if (easy->facts & VETOES)
		reason = veto_reason(easy->facts);
	else if (has_authorization(easy->headers))
		reason = "the application has an Authorization header of its own";
	else
		reason = exposure_reason(easy, verdict.realm);
	return reason ? refuse(reason) : verdict;
}
