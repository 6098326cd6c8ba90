#ifndef CELL_H
#define CELL_H

/* Old options are options too. */
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { UPLOAD_BYTES = 70000, UPLOAD_OFFSET = 1234, READ_BYTES = 9000 };

/* What a callback was called for. What the first two carry is kept in order. */
enum stream {
	STREAM_HEADER,
	STREAM_BODY,
	STREAM_READ,
	STREAM_SEEK,
	STREAM_IOCTL,
	STREAM_PROGRESS,
	STREAM_XFERINFO,
	STREAM_DEBUG_HEADER_IN,
	STREAM_DEBUG_HEADER_OUT,
	STREAM_DEBUG_DATA_IN,
	STREAM_DEBUG_DATA_OUT,
	STREAM_TRAILER,
	STREAM_SOCKOPT,
	STREAM_OPENSOCKET,
	STREAM_CLOSESOCKET,
	STREAM_PREREQ,
	STREAM_RESOLVER,
	STREAM_SSLCTX,
	STREAM_CHUNK_BEGIN,
	STREAM_CHUNK_END,
	STREAM_FNMATCH,
	STREAM_INTERLEAVE,
	STREAM_HSTS_READ,
	STREAM_HSTS_WRITE,
	STREAM_SOCKET,
	STREAM_TIMER,
	STREAM_COUNT
};

enum moment { MOMENT_NEVER, MOMENT_FIRST, MOMENT_MIDDLE, MOMENT_LAST, MOMENT_EVERY };

/* A callback that is to pause or to abort the transfer, and when. */
struct interruption {
	enum moment moment;
	enum stream stream;
	bool done;
};

/* What a callback is given. Another pointer than its own is found out by the label. */
struct slot {
	uint64_t label;
	enum stream stream;
	struct cell *cell;
};

struct tally {
	unsigned long calls;
	uint64_t digest;
	size_t bytes;
};

enum { RECORDS_MAX = 64 };

struct record {
	enum stream stream;
	struct tally tally;
};

struct source {
	struct slot slot; /* first: it is what read callbacks are given */
	curl_off_t start;
	curl_off_t size;
	curl_off_t at;
};

/* One program: which callbacks it sets, how it drives its handle, and what it has seen. */
struct cell {
	CURL *easy;
	CURLM *multi;
	CURLSH *share;
	struct slot slots[STREAM_COUNT];
	struct source source; /* of CURLOPT_READFUNCTION */
	struct source *parts; /* of forms that read through callbacks */
	FILE *upload;         /* of CURLOPT_READDATA, without a function or with fread() */
	FILE *body_file;      /* of CURLOPT_WRITEDATA, likewise */
	FILE *header_file;
	struct curl_slist *headers;
	struct curl_httppost *form;
	curl_mime *mime;
	struct interruption pause;
	struct interruption abort;
	enum { PUSH_NONE, PUSH_ACCEPTED, PUSH_DENIED } push;
	enum { RAW_NOT, RAW_HTTP, RAW_WEBSOCKET } raw;
	int transfer; /* which it is, from 0 */
	bool paused;
	bool waits;     /* its body is sent once the response comes in */
	bool body_once; /* only the first transfer sends one */
	struct record records[RECORDS_MAX];
	size_t record_count;
	struct tally tallies[STREAM_COUNT];
	char error[CURL_ERROR_SIZE];
	char remarks[2048];
	const char *url;      /* of this transfer */
	const char *stranger; /* out of scope */
};

/* Bytes that came through a stream; NULL where it carries none. */
void cell_note(struct cell *cell, enum stream stream, const char *bytes, size_t length);

/* What a callback of that kind is to be given. */
struct slot *cell_slot(struct cell *cell, enum stream stream);

/* The cell behind what a callback was given; NULL, and a line about it, where that is not its own.
 */
struct cell *cell_of(void *context, enum stream stream);

/* Whether this piece, the one at position at of total bytes, is the one to pause, or abort, at. */
bool cell_pauses(struct cell *cell, enum stream stream, size_t at, size_t length, size_t total);
bool cell_aborts(struct cell *cell, enum stream stream, size_t at, size_t length, size_t total);

/* A line about something else, to print with what came of the transfer. */
void cell_remark(struct cell *cell, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With BEARER in the environment: use it, or nothing. */
void cell_authenticate(CURL *easy, bool wanted);

/* Let the transfer go on, if a callback has paused it. */
void cell_resume(struct cell *cell);

/* Print what came of a transfer, and begin with nothing. */
void cell_report(struct cell *cell, CURLcode result);

/* What is sent as a body: byte i of it. */
char cell_upload(curl_off_t i);

/* Apply a word of the table to the handle. False where there is no such word. */
bool receive_apply(struct cell *cell, const char *word);
bool hook_apply(struct cell *cell, const char *word);
bool body_apply(struct cell *cell, const char *word);

/* A later transfer sends the same from the start; or nothing at all. */
void body_restart(struct cell *cell);
void body_remove(struct cell *cell);
void body_free(struct cell *cell);

/* Make the transfer in this way. False where there is no such way. */
bool drive_known(const char *way);
CURLcode drive(struct cell *cell, const char *way);
CURLcode drive_streams(struct cell *cell);

#endif
