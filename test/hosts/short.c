/*
 * A program whose plugin is short of memory:  short API BYSTANDER
 *
 * It makes two requests to the API, one to the bystander and one more to the API, each with a
 * handle of its own. A request to the API must succeed or fail before it is sent, with
 * CURLE_LOGIN_DENIED and a reason; a handle may be refused. The bystander must be reached. If one
 * allocation alone failed (TORTURE_ALLOC without a "+"), the last request must succeed.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 200 };

enum outcome { SUCCEEDED, REFUSED, WRONG };

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static enum outcome request(const char *url)
{
	char error[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_easy_init();
	long response = 0;
	CURLcode code;

	if (!easy)
		return REFUSED;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	curl_easy_cleanup(easy);
	printf("%s: %d %ld %s\n", url, code, response, error);
	if (code == CURLE_OK && response == FINE)
		return SUCCEEDED;
	return code == CURLE_LOGIN_DENIED && strncmp(error, "sypht: ", 7) == 0 && error[7] ? REFUSED
											   : WRONG;
}

int main(int argc, char **argv)
{
	const char *order = getenv("TORTURE_ALLOC");
	bool lasting = order && strchr(order, '+');
	bool right;

	if (argc < 3)
		return 2;
	right = request(argv[1]) != WRONG;
	right &= request(argv[1]) != WRONG;
	right &= request(argv[2]) == SUCCEEDED;
	right &= request(argv[1]) <= (lasting ? REFUSED : SUCCEEDED);
	return right ? 0 : 1;
}
