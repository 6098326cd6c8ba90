/*
 * A libcurl program with an event loop of its own: curl_multi_socket_action() driven by poll(2) and
 * the timer libcurl asks for, and no more. All URLs at once; one line each when all are done:
 *
 *	loop URL...		0 200 14 URL	CURLcode, response code, bytes received
 *
 * It ends when libcurl says that nothing runs any more, as event loops do.
 */
#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOCKETS_MAX = 256 };

struct transfer {
	const char *url;
	long bytes;
	int ends; /* how often we were told that it is done */
	CURLcode result;
};

static struct pollfd polled[SOCKETS_MAX];
static nfds_t polled_count;
static long long due_ms = -1; /* when libcurl wants to be called; -1: never */

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int set_timer(CURLM *multi, long timeout_ms, void *context)
{
	(void)multi;
	(void)context;
	due_ms = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	return 0;
}

static void forget(curl_socket_t socket)
{
	for (nfds_t i = 0; i < polled_count; i++)
		if (polled[i].fd == socket)
			polled[i--] = polled[--polled_count];
}

static int watch(CURL *easy, curl_socket_t socket, int what, void *context, void *own)
{
	short events =
		(short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));

	(void)easy;
	(void)context;
	(void)own;
	forget(socket);
	if (what == CURL_POLL_REMOVE)
		return 0;
	if (polled_count == SOCKETS_MAX)
		exit(2);
	polled[polled_count++] = (struct pollfd){.fd = socket, .events = events};
	return 0;
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	(void)bytes;
	transfer->bytes += (long)(size * count);
	return size * count;
}

static void read_messages(CURLM *multi)
{
	CURLMsg *message;
	int queued;

	while ((message = curl_multi_info_read(multi, &queued))) {
		struct transfer *transfer;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		transfer->ends++;
		transfer->result = message->data.result;
	}
}

static void act(CURLM *multi, curl_socket_t socket, int events, int *running)
{
	curl_multi_socket_action(multi, socket, events, running);
	read_messages(multi);
}

static void run(CURLM *multi)
{
	int running = 1;

	act(multi, CURL_SOCKET_TIMEOUT, 0, &running);
	while (running > 0) {
		struct pollfd ready[SOCKETS_MAX];
		nfds_t count = polled_count;
		long long wait_ms = due_ms < 0 ? 1000 : due_ms - now_ms();

		memcpy(ready, polled, sizeof(ready));
		poll(ready, count, wait_ms > 0 ? (int)wait_ms : 0);
		if (due_ms >= 0 && now_ms() >= due_ms) {
			due_ms = -1;
			act(multi, CURL_SOCKET_TIMEOUT, 0, &running);
		}
		for (nfds_t i = 0; i < count; i++) {
			int events = (ready[i].revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
				     (ready[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
				     (ready[i].revents & POLLERR ? CURL_CSELECT_ERR : 0);

			if (events)
				act(multi, ready[i].fd, events, &running);
		}
	}
}

int main(int argc, char **argv)
{
	int count = argc - 1;
	struct transfer *transfers = calloc((size_t)count, sizeof(*transfers));
	CURL **easies = calloc((size_t)count, sizeof(CURL *));
	CURLM *multi;

	curl_global_init(CURL_GLOBAL_ALL);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	for (int i = 0; i < count; i++) {
		transfers[i].url = argv[i + 1];
		easies[i] = curl_easy_init();
		curl_easy_setopt(easies[i], CURLOPT_URL, argv[i + 1]);
		curl_easy_setopt(easies[i], CURLOPT_PRIVATE, &transfers[i]);
		curl_easy_setopt(easies[i], CURLOPT_WRITEFUNCTION, receive);
		curl_easy_setopt(easies[i], CURLOPT_WRITEDATA, &transfers[i]);
		curl_easy_setopt(easies[i], CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
		curl_multi_add_handle(multi, easies[i]);
	}
	run(multi);
	for (int i = 0; i < count; i++) {
		long response = 0;

		curl_easy_getinfo(easies[i], CURLINFO_RESPONSE_CODE, &response);
		if (transfers[i].ends == 1)
			printf("%d %ld %ld %s\n", transfers[i].result, response, transfers[i].bytes,
				transfers[i].url);
		else
			printf("told %d times that it ended: %s\n", transfers[i].ends,
				transfers[i].url);
		curl_multi_remove_handle(multi, easies[i]);
		curl_easy_cleanup(easies[i]);
	}
	curl_multi_cleanup(multi);
	curl_global_cleanup();
	free(easies);
	free(transfers);
	return 0;
}
