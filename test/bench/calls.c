/*
 * Calls libcurl so that what a call costs can be counted: the instructions of 2 N calls less those
 * of N are those of N warm calls, and nothing else. One thread, one process, no other party: the
 * answers come from a debug callback, which libcurl calls when the request is out.
 *
 *	calls perform N	N requests on a live connection by one handle
 *	calls anew N	the same, its URL set again before each
 *	calls setopt N	N times an option that nobody but libcurl cares about
 *	calls url N	N times the URL
 *	calls handles N	N handles made, aimed and freed, all alive at once
 *	calls init N	nothing but what a program does before its first request
 *
 * With BEARER in the environment its value is set as CURLOPT_XOAUTH2_BEARER, once per handle.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char REPLY[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

static int listener = -1;
static int peer = -1;
static long bearers;
static char url[64];

static void check(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "calls: %s\n", what);
		exit(1);
	}
}

/* ---- the other end ---- */

/* Must come before libcurl is used: what is in scope is read once. */
static void listen_on_loopback(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 &&
			listen(listener, 1) == 0 &&
			getsockname(listener, (struct sockaddr *)&address, &size) == 0,
		"cannot listen");
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	setenv("SYPHT_API_BASE_ENDPOINT", url, 1);
	strcat(url, "/v1/documents?page=1");
}

static int answer(CURL *handle, curl_infotype type, char *data, size_t size, void *context)
{
	char request[4096];
	ssize_t length;

	(void)handle;
	(void)context;
	if (type != CURLINFO_HEADER_OUT)
		return 0;
	if (peer < 0)
		peer = accept(listener, NULL, NULL);
	length = read(peer, request, sizeof(request) - 1);
	check(length == (ssize_t)size && write(peer, REPLY, sizeof(REPLY) - 1) > 0, "no request");
	bearers += memmem(data, size, "Authorization: Bearer ", 22) != NULL;
	return 0;
}

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

/* ---- the calls ---- */

static CURL *aimed_handle(void)
{
	CURL *handle = curl_easy_init();
	const char *bearer = getenv("BEARER");

	check(handle != NULL, "no handle");
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_PROXY, "");
	curl_easy_setopt(handle, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, answer);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard);
	if (bearer) {
		curl_easy_setopt(handle, CURLOPT_XOAUTH2_BEARER, bearer);
		curl_easy_setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
	}
	return handle;
}

static void perform(long count, int anew)
{
	CURL *handle = aimed_handle();

	for (long i = 0; i < count; i++) {
		if (anew)
			curl_easy_setopt(handle, CURLOPT_URL, url);
		check(curl_easy_perform(handle) == CURLE_OK, "a request failed");
	}
	check(bearers == count, "a request went out without a token");
	curl_easy_cleanup(handle);
}

static void set(long count, CURLoption option)
{
	CURL *handle = aimed_handle();

	for (long i = 0; i < count; i++) {
		if (option == CURLOPT_URL)
			curl_easy_setopt(handle, CURLOPT_URL, url);
		else
			curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 1000L);
	}
	curl_easy_cleanup(handle);
}

static void make_handles(long count)
{
	CURL **handles = calloc((size_t)count + 1, sizeof(*handles));

	check(handles != NULL, "out of memory");
	for (long i = 0; i < count; i++)
		handles[i] = aimed_handle();
	for (long i = 0; i < count; i++)
		curl_easy_cleanup(handles[i]);
	free(handles);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

	listen_on_loopback();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (strcmp(what, "perform") == 0)
		perform(count, 0);
	else if (strcmp(what, "anew") == 0)
		perform(count, 1);
	else if (strcmp(what, "setopt") == 0)
		set(count, CURLOPT_TIMEOUT_MS);
	else if (strcmp(what, "url") == 0)
		set(count, CURLOPT_URL);
	else if (strcmp(what, "handles") == 0)
		make_handles(count);
	else
		check(strcmp(what, "init") == 0, "usage: calls WHAT N");
	curl_global_cleanup();
	return 0;
}
