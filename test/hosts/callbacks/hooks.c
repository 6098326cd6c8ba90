#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"

/* Watching ---------------------------------------------------------------------------------- */

/* How often it is called depends on the machine; that it is called, and how it ends, does not. */
static int watch(struct cell *cell, enum stream stream)
{
	cell->tallies[stream].calls = 1;
	cell_resume(cell);
	return cell_aborts(cell, stream, 0, 0, 0);
}

static int see_xferinfo(
	void *context, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct cell *cell = cell_of(context, STREAM_XFERINFO);

	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	return cell && watch(cell, STREAM_XFERINFO);
}

static int see_progress(void *context, double total, double now, double up_total, double up_now)
{
	struct cell *cell = cell_of(context, STREAM_PROGRESS);

	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	return cell && watch(cell, STREAM_PROGRESS);
}

static void set_xferinfo(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_XFERINFOFUNCTION, see_xferinfo);
	curl_easy_setopt(cell->easy, CURLOPT_XFERINFODATA, cell_slot(cell, STREAM_XFERINFO));
	curl_easy_setopt(cell->easy, CURLOPT_NOPROGRESS, 0L);
}

static void set_progress(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_PROGRESSFUNCTION, see_progress);
	curl_easy_setopt(cell->easy, CURLOPT_PROGRESSDATA, cell_slot(cell, STREAM_PROGRESS));
	curl_easy_setopt(cell->easy, CURLOPT_NOPROGRESS, 0L);
}

/* A token is another each time, and so is a port. */
static void mask(char *bytes, const char *after, char end)
{
	char *at = strstr(bytes, after);

	for (at = at ? at + strlen(after) : NULL; at && *at && *at != end; at++)
		*at = 'x';
}

static int see_debug(CURL *handle, curl_infotype type, char *bytes, size_t length, void *context)
{
	struct cell *cell = cell_of(context, STREAM_DEBUG_HEADER_IN);
	char *copy;

	(void)handle;
	if (!cell)
		return 0;
	if (type == CURLINFO_HEADER_IN)
		cell_note(cell, STREAM_DEBUG_HEADER_IN, bytes, length);
	else if (type == CURLINFO_DATA_IN)
		cell_note(cell, STREAM_DEBUG_DATA_IN, bytes, length);
	else if (type == CURLINFO_DATA_OUT)
		cell_note(cell, STREAM_DEBUG_DATA_OUT, bytes, length);
	if (type != CURLINFO_HEADER_OUT || !(copy = strndup(bytes, length)))
		return 0;
	mask(copy, "Bearer ", '\r');
	mask(copy, "Host: ", '\r');
	cell_note(cell, STREAM_DEBUG_HEADER_OUT, copy, length);
	free(copy);
	return 0;
}

static void set_debug(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_DEBUGFUNCTION, see_debug);
	curl_easy_setopt(cell->easy, CURLOPT_DEBUGDATA, cell_slot(cell, STREAM_DEBUG_HEADER_IN));
	curl_easy_setopt(cell->easy, CURLOPT_VERBOSE, 1L);
}

/* Connecting -------------------------------------------------------------------------------- */

/* Callbacks that carry nothing: they are called, and may refuse. */
static bool permits(void *context, enum stream stream)
{
	struct cell *cell = cell_of(context, stream);

	if (!cell)
		return true;
	if (cell_aborts(cell, stream, 0, 0, 0))
		return false;
	cell_note(cell, stream, NULL, 0);
	return true;
}

static int see_sockopt(void *context, curl_socket_t socket, curlsocktype purpose)
{
	(void)socket;
	(void)purpose;
	return permits(context, STREAM_SOCKOPT) ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	if (!permits(context, STREAM_OPENSOCKET))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int close_socket(void *context, curl_socket_t socket)
{
	permits(context, STREAM_CLOSESOCKET);
	return close(socket);
}

static int see_prereq(void *context, char *ip, char *local_ip, int port, int local_port)
{
	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	return permits(context, STREAM_PREREQ) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static int see_resolver(void *state, void *reserved, void *context)
{
	(void)state;
	(void)reserved;
	return !permits(context, STREAM_RESOLVER);
}

static CURLcode see_sslctx(CURL *handle, void *tls, void *context)
{
	(void)handle;
	SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
	return permits(context, STREAM_SSLCTX) ? CURLE_OK : CURLE_ABORTED_BY_CALLBACK;
}

static CURLSTScode read_hsts(CURL *handle, struct curl_hstsentry *entry, void *context)
{
	(void)handle;
	(void)entry;
	return permits(context, STREAM_HSTS_READ) ? CURLSTS_DONE : CURLSTS_FAIL;
}

static CURLSTScode write_hsts(
	CURL *handle, struct curl_hstsentry *entry, struct curl_index *index, void *context)
{
	(void)handle;
	(void)entry;
	(void)index;
	return permits(context, STREAM_HSTS_WRITE) ? CURLSTS_OK : CURLSTS_FAIL;
}

static long begin_chunk(const void *info, void *context, int remains)
{
	(void)info;
	(void)remains;
	return permits(context, STREAM_CHUNK_BEGIN) ? CURL_CHUNK_BGN_FUNC_OK
						    : CURL_CHUNK_BGN_FUNC_FAIL;
}

/* This one shares its pointer with the one above. */
static long end_chunk(void *context)
{
	struct cell *cell = cell_of(context, STREAM_CHUNK_BEGIN);

	if (cell)
		cell_note(cell, STREAM_CHUNK_END, NULL, 0);
	return CURL_CHUNK_END_FUNC_OK;
}

static int match_name(void *context, const char *pattern, const char *name)
{
	struct cell *cell = cell_of(context, STREAM_FNMATCH);

	if (cell)
		cell_note(cell, STREAM_FNMATCH, name, strlen(name));
	return strncmp(pattern, name, strcspn(pattern, "*")) == 0 ? CURL_FNMATCHFUNC_MATCH
								  : CURL_FNMATCHFUNC_NOMATCH;
}

static size_t receive_interleaved(void *bytes, size_t size, size_t count, void *context)
{
	struct cell *cell = cell_of(context, STREAM_INTERLEAVE);

	if (cell)
		cell_note(cell, STREAM_INTERLEAVE, bytes, size * count);
	return size * count;
}

/* The callbacks that a function and a pointer set up, and no more. */
static const struct {
	const char *word;
	enum stream stream;
	CURLoption function_option;
	CURLoption data_option;
	void *function;
} pairs[] = {
	{"sockopt", STREAM_SOCKOPT, CURLOPT_SOCKOPTFUNCTION, CURLOPT_SOCKOPTDATA,
		(void *)see_sockopt},
	{"opensocket", STREAM_OPENSOCKET, CURLOPT_OPENSOCKETFUNCTION, CURLOPT_OPENSOCKETDATA,
		(void *)open_socket},
	{"closesocket", STREAM_CLOSESOCKET, CURLOPT_CLOSESOCKETFUNCTION, CURLOPT_CLOSESOCKETDATA,
		(void *)close_socket},
	{"prereq", STREAM_PREREQ, CURLOPT_PREREQFUNCTION, CURLOPT_PREREQDATA, (void *)see_prereq},
	{"resolver", STREAM_RESOLVER, CURLOPT_RESOLVER_START_FUNCTION, CURLOPT_RESOLVER_START_DATA,
		(void *)see_resolver},
	{"sslctx", STREAM_SSLCTX, CURLOPT_SSL_CTX_FUNCTION, CURLOPT_SSL_CTX_DATA,
		(void *)see_sslctx},
	{"hsts-read", STREAM_HSTS_READ, CURLOPT_HSTSREADFUNCTION, CURLOPT_HSTSREADDATA,
		(void *)read_hsts},
	{"hsts-write", STREAM_HSTS_WRITE, CURLOPT_HSTSWRITEFUNCTION, CURLOPT_HSTSWRITEDATA,
		(void *)write_hsts},
	{"fnmatch", STREAM_FNMATCH, CURLOPT_FNMATCH_FUNCTION, CURLOPT_FNMATCH_DATA,
		(void *)match_name},
	{"chunk", STREAM_CHUNK_BEGIN, CURLOPT_CHUNK_BGN_FUNCTION, CURLOPT_CHUNK_DATA,
		(void *)begin_chunk},
	{"interleave", STREAM_INTERLEAVE, CURLOPT_INTERLEAVEFUNCTION, CURLOPT_INTERLEAVEDATA,
		(void *)receive_interleaved},
};

static void set_wildcard(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_WILDCARDMATCH, 1L);
	curl_easy_setopt(cell->easy, CURLOPT_CHUNK_END_FUNCTION, end_chunk);
}

static void set_hsts(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_HSTS_CTRL, (long)CURLHSTS_ENABLE);
}

static void set_rtsp(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_RTSP_REQUEST, (long)CURL_RTSPREQ_DESCRIBE);
	curl_easy_setopt(cell->easy, CURLOPT_RTSP_STREAM_URI, "rtsp://127.0.0.1/stream");
}

static void set_expect(struct cell *cell)
{
	cell->headers = curl_slist_append(cell->headers, "Expect: 100-continue");
	curl_easy_setopt(cell->easy, CURLOPT_HTTPHEADER, cell->headers);
}

static void set_own_bearer(struct cell *cell)
{
	cell->headers = curl_slist_append(cell->headers, "Authorization: Bearer own");
	curl_easy_setopt(cell->easy, CURLOPT_HTTPHEADER, cell->headers);
}

static void set_connect_only(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_CONNECT_ONLY, 1L);
	cell->raw = RAW_HTTP;
}

static void set_websocket(struct cell *cell)
{
	enum { WEBSOCKET_STYLE = 2 };

	curl_easy_setopt(cell->easy, CURLOPT_CONNECT_ONLY, (long)WEBSOCKET_STYLE);
	cell->raw = RAW_WEBSOCKET;
}

/* The body is sent when the response has begun, whatever it is. */
static void set_waiting(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_KEEP_SENDING_ON_ERROR, 1L);
	cell->waits = true;
}

static void set_push(struct cell *cell)
{
	cell->push = PUSH_ACCEPTED;
}

static void set_push_denied(struct cell *cell)
{
	cell->push = PUSH_DENIED;
}

static const struct {
	const char *word;
	void (*set)(struct cell *);
} hooks[] = {
	{"xferinfo", set_xferinfo},
	{"progress", set_progress},
	{"debug", set_debug},
	{"chunk", set_wildcard},
	{"hsts-read", set_hsts},
	{"rtsp", set_rtsp},
	{"expect", set_expect},
	{"own-bearer", set_own_bearer},
	{"connect-only", set_connect_only},
	{"websocket", set_websocket},
	{"waiting", set_waiting},
	{"push", set_push},
	{"push-denied", set_push_denied},
};

/* pause:STREAM:MOMENT and abort:STREAM:MOMENT */
static bool set_interruption(struct interruption *interruption, const char *text)
{
	static const struct {
		const char *text;
		struct interruption interruption;
	} known[] = {
		{"write:first", {MOMENT_FIRST, STREAM_BODY, false}},
		{"write:middle", {MOMENT_MIDDLE, STREAM_BODY, false}},
		{"write:last", {MOMENT_LAST, STREAM_BODY, false}},
		{"write:every", {MOMENT_EVERY, STREAM_BODY, false}},
		{"header:first", {MOMENT_FIRST, STREAM_HEADER, false}},
		{"header:middle", {MOMENT_MIDDLE, STREAM_HEADER, false}},
		{"header:last", {MOMENT_LAST, STREAM_HEADER, false}},
		{"header:every", {MOMENT_EVERY, STREAM_HEADER, false}},
		{"read:first", {MOMENT_FIRST, STREAM_READ, false}},
		{"read:middle", {MOMENT_MIDDLE, STREAM_READ, false}},
		{"read:last", {MOMENT_LAST, STREAM_READ, false}},
		{"read:every", {MOMENT_EVERY, STREAM_READ, false}},
		{"seek", {MOMENT_FIRST, STREAM_SEEK, false}},
		{"ioctl", {MOMENT_FIRST, STREAM_IOCTL, false}},
		{"xferinfo", {MOMENT_LAST, STREAM_XFERINFO, false}},
		{"progress", {MOMENT_LAST, STREAM_PROGRESS, false}},
		{"trailer", {MOMENT_FIRST, STREAM_TRAILER, false}},
		{"sockopt", {MOMENT_FIRST, STREAM_SOCKOPT, false}},
		{"opensocket", {MOMENT_FIRST, STREAM_OPENSOCKET, false}},
		{"prereq", {MOMENT_FIRST, STREAM_PREREQ, false}},
		{"resolver", {MOMENT_FIRST, STREAM_RESOLVER, false}},
		{"sslctx", {MOMENT_FIRST, STREAM_SSLCTX, false}},
		{"hsts-read", {MOMENT_FIRST, STREAM_HSTS_READ, false}},
		{"hsts-write", {MOMENT_FIRST, STREAM_HSTS_WRITE, false}},
		{"chunk", {MOMENT_FIRST, STREAM_CHUNK_BEGIN, false}},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].text, text) != 0)
			continue;
		*interruption = known[i].interruption;
		return true;
	}
	return false;
}

bool hook_apply(struct cell *cell, const char *word)
{
	bool known = false;

	if (strncmp(word, "abort:", 6) == 0)
		return set_interruption(&cell->abort, word + 6);
	if (strncmp(word, "pause:", 6) == 0) {
		set_xferinfo(cell);
		return set_interruption(&cell->pause, word + 6);
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (strcmp(pairs[i].word, word) != 0)
			continue;
		curl_easy_setopt(cell->easy, pairs[i].function_option, pairs[i].function);
		curl_easy_setopt(
			cell->easy, pairs[i].data_option, cell_slot(cell, pairs[i].stream));
		known = true;
	}
	for (size_t i = 0; i < sizeof(hooks) / sizeof(*hooks); i++) {
		if (strcmp(hooks[i].word, word) != 0)
			continue;
		hooks[i].set(cell);
		known = true;
	}
	return known;
}
