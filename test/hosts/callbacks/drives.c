#include <dlfcn.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "cell.h"

enum { WAIT_MS = 100, PATIENCE_S = 12, SOCKETS_MAX = 16 };

/* What hangs here would hang for ever. */
static bool is_late(struct cell *cell, time_t since)
{
	if (time(NULL) - since < PATIENCE_S)
		return false;
	cell_remark(cell, "it hangs");
	return true;
}

static CURLcode result_in(struct cell *cell)
{
	CURLcode result = CURLE_OBSOLETE16; /* nothing else uses it */
	CURLMsg *message;
	int queued, ends = 0;

	while ((message = curl_multi_info_read(cell->multi, &queued))) {
		ends += message->msg == CURLMSG_DONE;
		result = message->data.result;
	}
	if (ends != 1)
		cell_remark(cell, "told %d times that it ended", ends);
	return result;
}

static CURLcode drive_easy(struct cell *cell)
{
	return curl_easy_perform(cell->easy);
}

static CURLcode drive_multi(struct cell *cell)
{
	time_t start = time(NULL);
	int running = 1;
	CURLcode result;

	if (!cell->multi)
		cell->multi = curl_multi_init();
	curl_multi_add_handle(cell->multi, cell->easy);
	while (!curl_multi_perform(cell->multi, &running) && running && !is_late(cell, start)) {
		if (!cell->paused)
			curl_multi_poll(cell->multi, NULL, 0, WAIT_MS, NULL);
		cell_resume(cell);
	}
	result = result_in(cell);
	curl_multi_remove_handle(cell->multi, cell->easy);
	return result;
}

/* An event loop of its own --------------------------------------------------------------------- */

struct loop {
	struct slot socket; /* first: what the callbacks are given */
	struct slot timer;
	struct pollfd polled[SOCKETS_MAX];
	nfds_t count;
	bool due;
};

static int watch_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *own)
{
	struct cell *cell = cell_of(context, STREAM_SOCKET);
	struct loop *loop = context;
	nfds_t i = 0;

	(void)easy;
	(void)own;
	if (!cell)
		return 0;
	while (i < loop->count && loop->polled[i].fd != socket)
		i++;
	if (what == CURL_POLL_REMOVE && i < loop->count)
		loop->polled[i] = loop->polled[--loop->count];
	else if (what != CURL_POLL_REMOVE && i < SOCKETS_MAX) {
		loop->count += i == loop->count;
		loop->polled[i] = (struct pollfd){.fd = socket,
			.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
					  (what & CURL_POLL_OUT ? POLLOUT : 0))};
	}
	return 0;
}

/* A timer that is due early does no harm: only whether there is one is kept. */
static int watch_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct cell *cell = cell_of(context, STREAM_TIMER);

	(void)multi;
	if (cell)
		((struct loop *)((char *)context - offsetof(struct loop, timer)))->due =
			timeout_ms >= 0;
	return 0;
}

static void act(CURLM *multi, struct loop *loop, int *running)
{
	struct pollfd ready[SOCKETS_MAX];
	nfds_t count = loop->count;

	memcpy(ready, loop->polled, sizeof(ready));
	poll(ready, count, loop->due ? 1 : WAIT_MS);
	if (loop->due) {
		loop->due = false;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, running);
		loop->due |= *running > 0 && loop->count == 0;
	}
	for (nfds_t i = 0; i < count; i++) {
		int events = (ready[i].revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
			     (ready[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0);

		if (events)
			curl_multi_socket_action(multi, ready[i].fd, events, running);
	}
}

static CURLcode drive_socket(struct cell *cell)
{
	struct loop loop = {.due = true};
	time_t start = time(NULL);
	int running = 1;
	CURLcode result;

	if (!cell->multi)
		cell->multi = curl_multi_init();
	loop.socket = (struct slot){(uintptr_t)&loop.socket, STREAM_SOCKET, cell};
	loop.timer = (struct slot){(uintptr_t)&loop.timer, STREAM_TIMER, cell};
	curl_multi_setopt(cell->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(cell->multi, CURLMOPT_SOCKETDATA, &loop.socket);
	curl_multi_setopt(cell->multi, CURLMOPT_TIMERFUNCTION, watch_timer);
	curl_multi_setopt(cell->multi, CURLMOPT_TIMERDATA, &loop.timer);
	curl_multi_add_handle(cell->multi, cell->easy);
	while (running && !is_late(cell, start)) {
		act(cell->multi, &loop, &running);
		cell_resume(cell);
	}
	result = result_in(cell);
	curl_multi_remove_handle(cell->multi, cell->easy);
	curl_multi_setopt(cell->multi, CURLMOPT_SOCKETFUNCTION, NULL);
	curl_multi_setopt(cell->multi, CURLMOPT_TIMERFUNCTION, NULL);
	return result;
}

/* Other ways ------------------------------------------------------------------------------------
 */

static CURLcode drive_share(struct cell *cell)
{
	if (!cell->share) {
		cell->share = curl_share_init();
		curl_share_setopt(cell->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
		curl_share_setopt(cell->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
		curl_share_setopt(cell->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
		curl_share_setopt(cell->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
		curl_easy_setopt(cell->easy, CURLOPT_SHARE, cell->share);
		curl_easy_setopt(cell->easy, CURLOPT_COOKIEFILE, "");
	}
	return curl_easy_perform(cell->easy);
}

/* The handle that has all the options is gone; its duplicate has them too. */
static CURLcode drive_copy(struct cell *cell)
{
	CURL *copy = curl_easy_duphandle(cell->easy);

	curl_easy_cleanup(cell->easy);
	cell->easy = copy;
	return curl_easy_perform(cell->easy);
}

static const struct {
	const char *way;
	CURLcode (*drive)(struct cell *);
} drives[] = {
	{"easy", drive_easy},
	{"multi", drive_multi},
	{"socket", drive_socket},
	{"share", drive_share},
	{"copy", drive_copy},
	{"streams", drive_streams},
};

/* Connected, and no more: the application speaks -------------------------------------------------
 */

static bool wait_for(struct cell *cell)
{
	curl_socket_t socket = CURL_SOCKET_BAD;
	struct pollfd polled = {.events = POLLIN};

	curl_easy_getinfo(cell->easy, CURLINFO_ACTIVESOCKET, &socket);
	polled.fd = socket;
	return poll(&polled, 1, PATIENCE_S * 1000) == 1;
}

static CURLcode speak_http(struct cell *cell)
{
	static const char request[] =
		"GET /raw/1 HTTP/1.1\r\nHost: raw\r\nConnection: close\r\n\r\n";
	char bytes[4096];
	size_t length = 0;
	CURLcode result = curl_easy_send(cell->easy, request, sizeof(request) - 1, &length);

	for (;;) {
		if (result == CURLE_OK)
			result = curl_easy_recv(cell->easy, bytes, sizeof(bytes), &length);
		if (result == CURLE_AGAIN && wait_for(cell))
			result = CURLE_OK;
		else if (result == CURLE_OK && length > 0)
			cell_note(cell, STREAM_BODY, bytes, length);
		else
			return result;
		length = 0;
	}
}

/* As in a header of libcurl 8; this may be compiled with an older one. */
static CURLcode speak_websocket(struct cell *cell)
{
	CURLcode (*send)(CURL *, const void *, size_t, size_t *, curl_off_t, unsigned);
	CURLcode (*receive)(CURL *, void *, size_t, size_t *, const void **);
	static const char text[] = "hello";
	char bytes[64];
	const void *frame;
	size_t length = 0;
	CURLcode result;

	*(void **)&send = dlsym(RTLD_DEFAULT, "curl_ws_send");
	*(void **)&receive = dlsym(RTLD_DEFAULT, "curl_ws_recv");
	if (!send || !receive)
		return CURLE_NOT_BUILT_IN;
	result = send(cell->easy, text, sizeof(text) - 1, &length, 0, 1);
	while (result == CURLE_OK && wait_for(cell)) {
		result = receive(cell->easy, bytes, sizeof(bytes), &length, &frame);
		if (result == CURLE_OK) {
			cell_note(cell, STREAM_BODY, bytes, length);
			return result;
		}
		if (result == CURLE_AGAIN)
			result = CURLE_OK;
	}
	return result;
}

static bool find_drive(const char *way, size_t *found)
{
	for (size_t i = 0; i < sizeof(drives) / sizeof(*drives); i++) {
		if (strcmp(drives[i].way, way) == 0) {
			*found = i;
			return true;
		}
	}
	return false;
}

bool drive_known(const char *way)
{
	size_t found;

	return find_drive(way, &found);
}

CURLcode drive(struct cell *cell, const char *way)
{
	size_t found = 0;
	CURLcode result;

	find_drive(way, &found);
	result = drives[found].drive(cell);
	if (result == CURLE_OK && cell->raw == RAW_HTTP)
		result = speak_http(cell);
	else if (result == CURLE_OK && cell->raw == RAW_WEBSOCKET)
		result = speak_websocket(cell);
	return result;
}
