#include "cell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t FNV_OFFSET = 14695981039346656037U;
static const uint64_t FNV_PRIME = 1099511628211U;

static const char *const names[STREAM_COUNT] = {
	[STREAM_HEADER] = "header",
	[STREAM_BODY] = "body",
	[STREAM_READ] = "read",
	[STREAM_SEEK] = "seek",
	[STREAM_IOCTL] = "ioctl",
	[STREAM_PROGRESS] = "progress",
	[STREAM_XFERINFO] = "xferinfo",
	[STREAM_DEBUG_HEADER_IN] = "debug-header-in",
	[STREAM_DEBUG_HEADER_OUT] = "debug-header-out",
	[STREAM_DEBUG_DATA_IN] = "debug-data-in",
	[STREAM_DEBUG_DATA_OUT] = "debug-data-out",
	[STREAM_TRAILER] = "trailer",
	[STREAM_SOCKOPT] = "sockopt",
	[STREAM_OPENSOCKET] = "opensocket",
	[STREAM_CLOSESOCKET] = "closesocket",
	[STREAM_PREREQ] = "prereq",
	[STREAM_RESOLVER] = "resolver",
	[STREAM_SSLCTX] = "sslctx",
	[STREAM_CHUNK_BEGIN] = "chunk-begin",
	[STREAM_CHUNK_END] = "chunk-end",
	[STREAM_FNMATCH] = "fnmatch",
	[STREAM_INTERLEAVE] = "interleave",
	[STREAM_HSTS_READ] = "hsts-read",
	[STREAM_HSTS_WRITE] = "hsts-write",
	[STREAM_SOCKET] = "socket",
	[STREAM_TIMER] = "timer",
};

static void tally_add(struct tally *tally, const char *bytes, size_t length)
{
	if (tally->calls++ == 0)
		tally->digest = FNV_OFFSET;
	tally->bytes += length;
	for (size_t i = 0; bytes && i < length; i++)
		tally->digest = (tally->digest ^ (unsigned char)bytes[i]) * FNV_PRIME;
}

static void record_add(struct cell *cell, enum stream stream, const char *bytes, size_t length)
{
	struct record *last = cell->records + cell->record_count - 1;

	if (cell->record_count == 0 || last->stream != stream) {
		if (cell->record_count == RECORDS_MAX)
			return;
		last = &cell->records[cell->record_count++];
		*last = (struct record){.stream = stream};
	}
	tally_add(&last->tally, bytes, length);
}

void cell_note(struct cell *cell, enum stream stream, const char *bytes, size_t length)
{
	if (stream == STREAM_HEADER || stream == STREAM_BODY)
		record_add(cell, stream, bytes, length);
	tally_add(&cell->tallies[stream], bytes, length);
}

struct slot *cell_slot(struct cell *cell, enum stream stream)
{
	struct slot *slot = &cell->slots[stream];

	*slot = (struct slot){.label = (uintptr_t)slot, .stream = stream, .cell = cell};
	return slot;
}

struct cell *cell_of(void *context, enum stream stream)
{
	struct slot *slot = context;

	if (slot && slot->label == (uintptr_t)slot && slot->stream == stream)
		return slot->cell;
	printf("%s was given a pointer that is not its own\n", names[stream]);
	return NULL;
}

static bool is_moment(
	enum moment moment, enum stream stream, unsigned long calls, size_t end, size_t total)
{
	enum { MIDDLE_LINE = 2 };

	switch (moment) {
	case MOMENT_FIRST:
		return calls == 0;
	case MOMENT_MIDDLE:
		return stream == STREAM_HEADER ? calls == MIDDLE_LINE : end > total / 2;
	case MOMENT_LAST:
		return stream == STREAM_HEADER ? total == 0 : end >= total;
	case MOMENT_EVERY:
		return true;
	case MOMENT_NEVER:
	default:
		return false;
	}
}

static bool is_due(struct interruption *interruption, const struct cell *cell, enum stream stream,
	size_t end, size_t total)
{
	bool due = interruption->stream == stream && !interruption->done &&
		   is_moment(interruption->moment, stream, cell->tallies[stream].calls, end, total);

	interruption->done |= due;
	return due;
}

bool cell_pauses(struct cell *cell, enum stream stream, size_t at, size_t length, size_t total)
{
	bool pauses = is_due(&cell->pause, cell, stream, at + length, total);

	cell->paused |= pauses;
	if (!pauses && cell->pause.moment == MOMENT_EVERY)
		cell->pause.done = false;
	return pauses;
}

bool cell_aborts(struct cell *cell, enum stream stream, size_t at, size_t length, size_t total)
{
	return cell->transfer == 0 && is_due(&cell->abort, cell, stream, at + length, total);
}

void cell_remark(struct cell *cell, const char *format, ...)
{
	size_t length = strlen(cell->remarks);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(cell->remarks + length, sizeof(cell->remarks) - length, format, arguments);
	va_end(arguments);
	length = strlen(cell->remarks);
	if (length + 1 < sizeof(cell->remarks))
		memcpy(cell->remarks + length, "\n", 2);
}

void cell_authenticate(CURL *easy, bool wanted)
{
	const char *bearer = getenv("BEARER");

	if (!bearer)
		return;
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, wanted ? CURLAUTH_BEARER : CURLAUTH_BASIC);
	curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, wanted ? bearer : NULL);
}

void cell_resume(struct cell *cell)
{
	if (!cell->paused)
		return;
	cell->paused = false;
	curl_easy_pause(cell->easy, CURLPAUSE_CONT);
}

char cell_upload(curl_off_t i)
{
	return (char)('a' + (i * 7 + i / 251) % 26);
}

static void print_tally(const char *title, enum stream stream, const struct tally *tally)
{
	printf("%s %s %zu %016" PRIx64, title, names[stream], tally->bytes, tally->digest);
}

/* What libcurl wrote to a file is there once the transfer is over. */
static void note_file(struct cell *cell, FILE *file, enum stream stream)
{
	char bytes[4096];
	size_t length;

	if (!file)
		return;
	rewind(file);
	while ((length = fread(bytes, 1, sizeof(bytes), file)) > 0)
		cell_note(cell, stream, bytes, length);
	if (!freopen(NULL, "w+", file))
		printf("no file\n");
}

static void print_outcome(struct cell *cell, CURLcode result)
{
	long code = 0, redirects = 0;
	curl_off_t received = 0;

	curl_easy_getinfo(cell->easy, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_getinfo(cell->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(cell->easy, CURLINFO_SIZE_DOWNLOAD_T, &received);
	printf("transfer %d\nresult %d\ncode %ld\nredirects %ld\nreceived %" CURL_FORMAT_CURL_OFF_T
	       "\nerror %s\n",
		cell->transfer, result, code, redirects, received, cell->error);
}

void cell_report(struct cell *cell, CURLcode result)
{
	print_outcome(cell, result);
	printf("%s", cell->remarks);
	note_file(cell, cell->header_file, STREAM_HEADER);
	note_file(cell, cell->body_file, STREAM_BODY);
	for (size_t i = 0; i < cell->record_count; i++) {
		print_tally("seen", cell->records[i].stream, &cell->records[i].tally);
		printf("\n");
	}
	for (enum stream stream = STREAM_READ; stream < STREAM_COUNT; stream++) {
		if (cell->tallies[stream].calls == 0)
			continue;
		print_tally("called", stream, &cell->tallies[stream]);
		printf(" %lu\n", cell->tallies[stream].calls);
	}
	cell->record_count = 0;
	cell->error[0] = cell->remarks[0] = '\0';
	memset(cell->tallies, 0, sizeof(cell->tallies));
	cell->pause.done = cell->abort.done = cell->paused = false;
}
