/*
 * A module that fetches a URL, in whatever way it is compiled and linked. make_handle() and
 * perform() end in a call of libcurl, which then returns to wherever they were called from.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#define LAST_CALL __attribute__((noinline, optimize("O2")))

static char error[CURL_ERROR_SIZE];

void *make_handle(void);
void aim(void *easy, const char *url);
int perform(void *easy);
long response_of(void *easy);
long fetch(const char *url);

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

LAST_CALL void *make_handle(void)
{
	return curl_easy_init();
}

void aim(void *easy, const char *url)
{
	const char *authorities = getenv("CURL_CA_BUNDLE");

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	if (authorities)
		curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
}

LAST_CALL int perform(void *easy)
{
	return curl_easy_perform(easy);
}

long response_of(void *easy)
{
	long response = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	curl_easy_cleanup(easy);
	return response;
}

/* The response code, or 0 with what libcurl says about it on stdout. */
long fetch(const char *url)
{
	CURL *easy = make_handle();
	CURLcode code;

	aim(easy, url);
	code = perform(easy);
	if (code)
		printf("%s\n", error);
	return response_of(easy);
}
