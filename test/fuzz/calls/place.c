#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy_part(CURLU *url, CURLUPart part, unsigned flags, char *out, size_t size)
{
	char *text = NULL;
	bool there = curl_url_get(url, part, &text, flags) == CURLUE_OK;

	snprintf(out, size, "%s", there ? text : "");
	curl_free(text);
	return there;
}

bool place_read(CURLU *url, struct fake_place *place)
{
	char port[8], user[16];
	bool read = copy_part(url, CURLUPART_SCHEME, 0, place->scheme, sizeof(place->scheme)) &&
		    copy_part(url, CURLUPART_HOST, 0, place->host, sizeof(place->host)) &&
		    copy_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) &&
		    copy_part(url, CURLUPART_PATH, 0, place->path, sizeof(place->path));

	place->port = strtol(port, NULL, 10);
	place->user = copy_part(url, CURLUPART_USER, 0, user, sizeof(user));
	return read;
}

/* The text of CURLOPT_URL or of a redirect; it is then kept as it was understood. */
CURLU *place_parse(struct fake_easy *easy)
{
	const char *scheme = fake_pointer(easy, FAKE_DEFAULT_PROTOCOL);
	CURLU *url = curl_url();
	char composed[128], *normal = NULL;

	snprintf(composed, sizeof(composed), "%s%s%s",
		scheme && !strstr(easy->url, "://") ? scheme : "",
		scheme && !strstr(easy->url, "://") ? "://" : "", easy->url);
	if (curl_url_set(url, CURLUPART_URL, composed,
		    CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_URL, &normal, 0) != CURLUE_OK) {
		curl_url_cleanup(url);
		return NULL;
	}
	free(easy->url);
	easy->url = strdup(normal);
	easy->url_parsed = true;
	curl_free(normal);
	return url;
}

bool place_equal(const struct fake_place *one, const struct fake_place *other)
{
	return strcmp(one->scheme, other->scheme) == 0 && strcasecmp(one->host, other->host) == 0 &&
	       one->port == other->port;
}

/* Curl_pretransfer(): which URL counts. */
CURLcode place_choose(struct fake_easy *easy)
{
	CURLU *url = fake_pointer(easy, FAKE_CURLU);
	bool stored = fake_flavour.eight ? fake_pointer(easy, FAKE_URL) : (void *)easy->url;
	char *text = NULL;

	if (!stored && !url)
		return CURLE_URL_MALFORMAT;
	if (url && (fake_flavour.eight || easy->url_parsed || !easy->url)) {
		if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
			return CURLE_URL_MALFORMAT;
		free(easy->set[FAKE_URL].pointer);
		easy->set[FAKE_URL].pointer = strdup(text);
		curl_free(text);
	}
	easy->url_replaced |= url != NULL;
	free(easy->url);
	text = fake_pointer(easy, FAKE_URL);
	easy->url = text ? strdup(text) : NULL;
	easy->url_parsed = false;
	return easy->url ? CURLE_OK : CURLE_URL_MALFORMAT;
}

static bool list_names(const char *list, const char *host)
{
	return list && (strcmp(list, "*") == 0 || strstr(list, host));
}

static const char *either(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value && *value ? value : getenv(other);
}

bool place_is_proxied(const struct fake_easy *easy, const struct fake_place *at)
{
	const char *proxy = fake_pointer(easy, FAKE_PROXY),
		   *except = fake_pointer(easy, FAKE_NOPROXY);

	if (!proxy) {
		proxy = strcmp(at->scheme, "http") == 0 ? getenv("http_proxy")
							: either("https_proxy", "HTTPS_PROXY");
		if (!proxy || !*proxy)
			proxy = either("all_proxy", "ALL_PROXY");
		if (!except)
			except = either("no_proxy", "NO_PROXY");
	}
	return proxy && *proxy && !list_names(except, at->host);
}

bool place_is_diverted(const struct fake_easy *easy)
{
	return fake_pointer(easy, FAKE_PRE_PROXY) || fake_pointer(easy, FAKE_UNIX_SOCKET_PATH) ||
	       fake_pointer(easy, FAKE_CONNECT_TO) || fake_pointer(easy, FAKE_OPENSOCKETFUNCTION);
}

long place_protocol(const struct fake_place *at)
{
	static const struct {
		const char *scheme;
		long bit;
	} known[] = {{"http", CURLPROTO_HTTP}, {"https", CURLPROTO_HTTPS}, {"ftp", CURLPROTO_FTP},
		{"imap", CURLPROTO_IMAP}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(known[i].scheme, at->scheme) == 0)
			return known[i].bit;
	return 0;
}
