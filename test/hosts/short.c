/*
 * A program whose plugin is short of memory:  short API BYSTANDER
 *
 * It makes two requests to the API, one to the bystander and one more to the API, each with a
 * handle of its own; connections are shared, which saves handshakes. A request must succeed, or
 * fail before it is sent: the handle or an option is refused for lack of memory, or the transfer
 * ends with CURLE_LOGIN_DENIED and a reason. If one allocation alone failed (TORTURE_ALLOC without
 * a "+"), no more than one request may fail.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FINE = 200 };

enum outcome { SUCCEEDED, REFUSED, WRONG };

static CURLSH *connections;

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static bool set_up(CURL *easy, const char *url, char *error)
{
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SHARE, connections) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE")) == CURLE_OK;
}

static enum outcome request(const char *url)
{
	char error[CURL_ERROR_SIZE] = "";
	CURL *easy = curl_easy_init();
	long response = 0;
	CURLcode code;

	if (!easy || !set_up(easy, url, error)) {
		curl_easy_cleanup(easy);
		printf("%s: refused\n", url);
		return REFUSED;
	}
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
	int outcomes[WRONG + 1] = {0};

	if (argc < 3)
		return 2;
	connections = curl_share_init();
	curl_share_setopt(connections, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
	outcomes[request(argv[1])]++;
	outcomes[request(argv[1])]++;
	outcomes[request(argv[2])]++;
	outcomes[request(argv[1])]++;
	curl_share_cleanup(connections);
	return outcomes[WRONG] == 0 && (lasting || outcomes[REFUSED] <= 1) ? 0 : 1;
}
