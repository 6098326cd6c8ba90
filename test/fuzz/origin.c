/*
 * Origins: what is accepted is plain, writes and reads the same again, and is what libcurl makes of
 * the same URL. The input is a URL; or, where it holds a line break, git's protocol and host.
 */
#include "core/origin.h"

#include <curl/curl.h>

#include <stdio.h>
#include <strings.h>

#include "fuzz.h"

static void check_plain(const struct origin *origin)
{
	size_t length = strlen(origin->host);
	struct buffer url = BUFFER_INIT(1024);
	struct origin again;

	assert(origin->port > 0 && length > 0 && length <= ORIGIN_HOST_MAX);
	assert(strspn(origin->host, "abcdefghijklmnopqrstuvwxyz0123456789-_.:[]") == length);
	assert(origin_may_carry(origin) == (origin->secure || origin_is_loopback(origin)));
	assert(origin_write(origin, &url) == STATUS_OK);
	assert(origin_from_url(&again, url.data) && origin_equal(origin, &again));
	buffer_release(&url);
}

/* curl writes IPv4 addresses its own way, where ours is the text. */
static bool looks_like_a_number(const char *host)
{
	return strspn(host, "0123456789abcdefx.") == strlen(host);
}

static void check_against_curl(const struct origin *origin, const char *url)
{
	CURLU *parsed = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	char *port = NULL;
	char expected[8];

	assert(parsed);
	if (curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK) {
		assert(curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
		assert(curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK);
		assert(curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) ==
			CURLUE_OK);
		snprintf(expected, sizeof(expected), "%hu", origin->port);
		assert(strcasecmp(scheme, origin->secure ? "https" : "http") == 0);
		assert(strcmp(port, expected) == 0);
		assert(looks_like_a_number(origin->host) || origin->host[0] == '[' ||
			strcasecmp(host, origin->host) == 0);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char *host = strchr(text, '\n');
	struct origin origin;

	if (host) {
		*host++ = '\0';
		if (origin_from_protocol(&origin, text, host))
			check_plain(&origin);
	} else if (origin_from_url(&origin, text)) {
		check_plain(&origin);
		check_against_curl(&origin, text);
	}
	free(text);
	return 0;
}
