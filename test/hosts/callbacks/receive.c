#include <string.h>

#include "cell.h"

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
	struct cell *cell = cell_of(context, STREAM_BODY);
	size_t length = size * count, at;
	curl_off_t total = 0;

	if (!cell)
		return length;
	at = cell->tallies[STREAM_BODY].bytes;
	curl_easy_getinfo(cell->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
	if (cell_pauses(cell, STREAM_BODY, at, length, (size_t)total))
		return CURL_WRITEFUNC_PAUSE;
	if (cell_aborts(cell, STREAM_BODY, at, length, (size_t)total))
		return 0;
	cell_note(cell, STREAM_BODY, bytes, length);
	if (cell->waits)
		cell_resume(cell);
	return length;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
{
	struct cell *cell = cell_of(context, STREAM_HEADER);
	size_t length = size * count, rest = length > 2;

	if (!cell)
		return length;
	if (cell_pauses(cell, STREAM_HEADER, 0, length, rest))
		return CURL_WRITEFUNC_PAUSE;
	if (cell_aborts(cell, STREAM_HEADER, 0, length, rest))
		return 0;
	cell_note(cell, STREAM_HEADER, bytes, length);
	return length;
}

/* One function for both: which it is, only its pointer tells. */
static size_t receive_either(char *bytes, size_t size, size_t count, void *context)
{
	const struct slot *slot = context;

	return (slot->stream == STREAM_HEADER ? receive_header : receive_body)(
		bytes, size, count, context);
}

static void set_write(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_WRITEFUNCTION, receive_body);
	curl_easy_setopt(cell->easy, CURLOPT_WRITEDATA, cell_slot(cell, STREAM_BODY));
}

static void set_write_file(struct cell *cell)
{
	cell->body_file = tmpfile();
	curl_easy_setopt(cell->easy, CURLOPT_WRITEFUNCTION, NULL);
	curl_easy_setopt(cell->easy, CURLOPT_WRITEDATA, cell->body_file);
}

static void set_header(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_HEADERFUNCTION, receive_header);
	curl_easy_setopt(cell->easy, CURLOPT_HEADERDATA, cell_slot(cell, STREAM_HEADER));
}

/* Without a function of their own the headers go through the write function. */
static void set_header_data(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_WRITEFUNCTION, receive_either);
	curl_easy_setopt(cell->easy, CURLOPT_HEADERDATA, cell_slot(cell, STREAM_HEADER));
}

static void set_header_file(struct cell *cell)
{
	set_write_file(cell);
	cell->header_file = tmpfile();
	curl_easy_setopt(cell->easy, CURLOPT_HEADERDATA, cell->header_file);
}

static void set_header_in_body(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_HEADER, 1L);
}

static const struct {
	const char *word;
	void (*set)(struct cell *);
} receivers[] = {
	{"write", set_write},
	{"write-file", set_write_file},
	{"header", set_header},
	{"header-data", set_header_data},
	{"header-file", set_header_file},
	{"header-in-body", set_header_in_body},
};

bool receive_apply(struct cell *cell, const char *word)
{
	for (size_t i = 0; i < sizeof(receivers) / sizeof(*receivers); i++) {
		if (strcmp(receivers[i].word, word) != 0)
			continue;
		receivers[i].set(cell);
		return true;
	}
	return false;
}
