#include <stdlib.h>
#include <string.h>

#include "cell.h"

/* What is sent ------------------------------------------------------------------------------ */

/* All of it in memory, once. */
static char *upload_bytes(void)
{
	static char bytes[UPLOAD_BYTES + 1];

	for (curl_off_t i = 0; !*bytes && i < UPLOAD_BYTES; i++)
		bytes[UPLOAD_BYTES - 1 - i] = cell_upload(UPLOAD_BYTES - 1 - i);
	return bytes;
}

static FILE *upload_file(void)
{
	FILE *file = tmpfile();

	if (!file || fwrite(upload_bytes(), 1, UPLOAD_BYTES, file) != UPLOAD_BYTES)
		exit(2);
	rewind(file);
	return file;
}

/* Forms want its name. */
static const char *upload_name(void)
{
	static const char name[] = "upload";
	FILE *file = fopen(name, "w");

	if (!file || fwrite(upload_bytes(), 1, UPLOAD_BYTES, file) != UPLOAD_BYTES || fclose(file))
		exit(2);
	return name;
}

static struct source *source_init(struct source *source, struct cell *cell, curl_off_t size)
{
	source->slot = (struct slot){(uintptr_t)source, STREAM_READ, cell};
	source->at = source->start = 0;
	source->size = size;
	return source;
}

/* Reading it -------------------------------------------------------------------------------- */

static size_t read_source(char *bytes, size_t size, size_t count, void *context)
{
	struct cell *cell = cell_of(context, STREAM_READ);
	struct source *source = context;
	size_t length = size * count, left;

	if (!cell)
		return 0;
	left = (size_t)(source->size - source->at);
	length = length < READ_BYTES ? length : READ_BYTES;
	length = length < left ? length : left;
	if (cell->waits && cell->tallies[STREAM_BODY].calls == 0) {
		cell->paused = true;
		return CURL_READFUNC_PAUSE;
	}
	if (cell_pauses(cell, STREAM_READ, (size_t)source->at, length, (size_t)source->size))
		return CURL_READFUNC_PAUSE;
	if (cell_aborts(cell, STREAM_READ, (size_t)source->at, length, (size_t)source->size))
		return CURL_READFUNC_ABORT;
	for (size_t i = 0; i < length; i++)
		bytes[i] = cell_upload(source->at + (curl_off_t)i);
	source->at += (curl_off_t)length;
	cell_note(cell, STREAM_READ, bytes, length);
	return length;
}

static int seek_source(void *context, curl_off_t offset, int origin)
{
	struct cell *cell = cell_of(context, STREAM_READ);
	struct source *source = context;

	if (!cell || origin != SEEK_SET || cell_aborts(cell, STREAM_SEEK, 0, 0, 0))
		return CURL_SEEKFUNC_FAIL;
	cell_note(cell, STREAM_SEEK, NULL, 0);
	source->at = source->start + offset;
	return CURL_SEEKFUNC_OK;
}

static curlioerr restart_source(CURL *handle, int command, void *context)
{
	struct cell *cell = cell_of(context, STREAM_READ);
	struct source *source = context;

	(void)handle;
	if (command != CURLIOCMD_RESTARTREAD)
		return CURLIOE_UNKNOWNCMD;
	if (!cell || cell_aborts(cell, STREAM_IOCTL, 0, 0, 0))
		return CURLIOE_FAILRESTART;
	cell_note(cell, STREAM_IOCTL, NULL, 0);
	source->at = source->start;
	return CURLIOE_OK;
}

static int give_trailers(struct curl_slist **list, void *context)
{
	struct cell *cell = cell_of(context, STREAM_TRAILER);

	if (!cell || cell_aborts(cell, STREAM_TRAILER, 0, 0, 0))
		return CURL_TRAILERFUNC_ABORT;
	cell_note(cell, STREAM_TRAILER, NULL, 0);
	*list = curl_slist_append(NULL, "X-After: all");
	return CURL_TRAILERFUNC_OK;
}

static void set_read(struct cell *cell)
{
	source_init(&cell->source, cell, UPLOAD_BYTES);
	curl_easy_setopt(cell->easy, CURLOPT_READFUNCTION, read_source);
	curl_easy_setopt(cell->easy, CURLOPT_READDATA, &cell->source);
}

static void set_seek(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_SEEKFUNCTION, seek_source);
	curl_easy_setopt(cell->easy, CURLOPT_SEEKDATA, &cell->source);
}

static void set_ioctl(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_IOCTLFUNCTION, restart_source);
	curl_easy_setopt(cell->easy, CURLOPT_IOCTLDATA, &cell->source);
}

static void set_trailers(struct cell *cell)
{
	cell->body_once = true; /* libcurl 7.88 writes before its buffer at the next chunked body */
	curl_easy_setopt(cell->easy, CURLOPT_TRAILERFUNCTION, give_trailers);
	curl_easy_setopt(cell->easy, CURLOPT_TRAILERDATA, cell_slot(cell, STREAM_TRAILER));
}

/* Requests ---------------------------------------------------------------------------------- */

static void set_head(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_NOBODY, 1L);
}

static void set_delete(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
}

static void set_post_fields(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_POSTFIELDSIZE, (long)UPLOAD_BYTES);
	curl_easy_setopt(cell->easy, CURLOPT_POSTFIELDS, upload_bytes());
}

static void set_copy_post_fields(struct cell *cell)
{
	static const char fields[] = "a=1&b=2";

	/* without its size libcurl 7.88 cannot duplicate it */
	curl_easy_setopt(cell->easy, CURLOPT_POSTFIELDSIZE, (long)sizeof(fields) - 1);
	curl_easy_setopt(cell->easy, CURLOPT_COPYPOSTFIELDS, fields);
}

static void set_empty_post(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_POSTFIELDS, "");
}

static void set_post_size(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(cell->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)UPLOAD_BYTES);
	set_read(cell);
}

static void set_chunked(struct cell *cell)
{
	cell->headers = curl_slist_append(cell->headers, "Transfer-Encoding: chunked");
	curl_easy_setopt(cell->easy, CURLOPT_HTTPHEADER, cell->headers);
}

static void set_post_chunked(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_POST, 1L);
	set_chunked(cell);
	set_read(cell);
}

static void set_put_size(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(cell->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)UPLOAD_BYTES);
	set_read(cell);
}

static void set_put_chunked(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_UPLOAD, 1L);
	set_read(cell);
}

/* libcurl reads the file by itself. */
static void set_put_file(struct cell *cell)
{
	cell->upload = upload_file();
	curl_easy_setopt(cell->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(cell->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)UPLOAD_BYTES);
	curl_easy_setopt(cell->easy, CURLOPT_READDATA, cell->upload);
}

/* Not the file's start is the body's. */
static void set_put_offset(struct cell *cell)
{
	set_put_file(cell);
	cell->source.start = UPLOAD_OFFSET;
	fseek(cell->upload, UPLOAD_OFFSET, SEEK_SET);
	curl_easy_setopt(
		cell->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)(UPLOAD_BYTES - UPLOAD_OFFSET));
}

static void set_fread(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_READFUNCTION, fread);
}

/* Forms of old ------------------------------------------------------------------------------ */

static void set_form(struct cell *cell)
{
	struct curl_httppost *last = NULL;

	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "a", CURLFORM_COPYCONTENTS, "1",
		CURLFORM_END);
	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "b", CURLFORM_PTRCONTENTS,
		upload_bytes(), CURLFORM_CONTENTSLENGTH, (long)UPLOAD_BYTES, CURLFORM_END);
	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "c", CURLFORM_BUFFER, "name",
		CURLFORM_BUFFERPTR, upload_bytes(), CURLFORM_BUFFERLENGTH, (long)UPLOAD_BYTES,
		CURLFORM_END);
	curl_easy_setopt(cell->easy, CURLOPT_HTTPPOST, cell->form);
}

static void set_form_file(struct cell *cell)
{
	struct curl_httppost *last = NULL;

	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "a", CURLFORM_FILE, upload_name(),
		CURLFORM_END);
	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "b", CURLFORM_FILECONTENT,
		upload_name(), CURLFORM_END);
	curl_easy_setopt(cell->easy, CURLOPT_HTTPPOST, cell->form);
}

/* A part that is read from where stream points to, by the function of CURLOPT_READFUNCTION. */
static void add_stream(struct cell *cell, void *stream)
{
	struct curl_httppost *last = NULL;

	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "a", CURLFORM_COPYCONTENTS, "1",
		CURLFORM_END);
	curl_formadd(&cell->form, &last, CURLFORM_COPYNAME, "s", CURLFORM_STREAM, stream,
		CURLFORM_FILENAME, "s", CURLFORM_CONTENTLEN, (curl_off_t)UPLOAD_BYTES,
		CURLFORM_END);
	curl_easy_setopt(cell->easy, CURLOPT_HTTPPOST, cell->form);
}

static void set_form_stream(struct cell *cell)
{
	set_read(cell);
	cell->parts = calloc(1, sizeof(*cell->parts));
	add_stream(cell, source_init(cell->parts, cell, UPLOAD_BYTES));
}

static void set_form_stream_file(struct cell *cell)
{
	cell->upload = upload_file();
	add_stream(cell, cell->upload);
}

/* MIME -------------------------------------------------------------------------------------- */

static curl_mimepart *add_part(struct cell *cell, const char *name)
{
	curl_mimepart *part;

	if (!cell->mime)
		cell->mime = curl_mime_init(cell->easy);
	part = curl_mime_addpart(cell->mime);
	curl_mime_name(part, name);
	return part;
}

static void set_mime(struct cell *cell)
{
	curl_mime_data(add_part(cell, "a"), "1", CURL_ZERO_TERMINATED);
	curl_mime_data(add_part(cell, "b"), upload_bytes(), UPLOAD_BYTES);
	curl_easy_setopt(cell->easy, CURLOPT_MIMEPOST, cell->mime);
}

static void set_mime_file(struct cell *cell)
{
	curl_mime_filedata(add_part(cell, "a"), upload_name());
	curl_easy_setopt(cell->easy, CURLOPT_MIMEPOST, cell->mime);
}

static void add_callback_part(struct cell *cell, curl_off_t size, curl_seek_callback seek)
{
	cell->parts = calloc(1, sizeof(*cell->parts));
	source_init(cell->parts, cell, UPLOAD_BYTES);
	curl_mime_data_cb(add_part(cell, "a"), size, read_source, seek, NULL, cell->parts);
	curl_easy_setopt(cell->easy, CURLOPT_MIMEPOST, cell->mime);
}

static void set_mime_seek(struct cell *cell)
{
	add_callback_part(cell, UPLOAD_BYTES, seek_source);
}

static void set_mime_chunked(struct cell *cell)
{
	add_callback_part(cell, -1, seek_source);
}

static void set_mime_once(struct cell *cell)
{
	add_callback_part(cell, UPLOAD_BYTES, NULL);
}

static const struct {
	const char *word;
	void (*set)(struct cell *);
} bodies[] = {
	{"get", NULL},
	{"head", set_head},
	{"delete", set_delete},
	{"post-fields", set_post_fields},
	{"copy-post-fields", set_copy_post_fields},
	{"empty-post", set_empty_post},
	{"post-size", set_post_size},
	{"post-chunked", set_post_chunked},
	{"put-size", set_put_size},
	{"put-chunked", set_put_chunked},
	{"put-file", set_put_file},
	{"put-offset", set_put_offset},
	{"fread", set_fread},
	{"seek", set_seek},
	{"ioctl", set_ioctl},
	{"trailers", set_trailers},
	{"form", set_form},
	{"form-file", set_form_file},
	{"form-stream", set_form_stream},
	{"form-stream-file", set_form_stream_file},
	{"mime", set_mime},
	{"mime-file", set_mime_file},
	{"mime-seek", set_mime_seek},
	{"mime-chunked", set_mime_chunked},
	{"mime-once", set_mime_once},
};

bool body_apply(struct cell *cell, const char *word)
{
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		if (strcmp(bodies[i].word, word) != 0)
			continue;
		if (bodies[i].set)
			bodies[i].set(cell);
		return true;
	}
	return false;
}

void body_restart(struct cell *cell)
{
	cell->source.at = cell->source.start;
	if (cell->parts)
		cell->parts->at = cell->parts->start;
	if (cell->upload)
		fseek(cell->upload, (long)cell->source.start, SEEK_SET);
}

void body_remove(struct cell *cell)
{
	curl_easy_setopt(cell->easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(cell->easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(cell->easy, CURLOPT_UPLOAD, 0L);
	curl_easy_setopt(cell->easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(cell->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)-1);
}

void body_free(struct cell *cell)
{
	curl_formfree(cell->form);
	curl_mime_free(cell->mime);
	curl_slist_free_all(cell->headers);
	free(cell->parts);
	for (FILE *const *file = (FILE *const[]){cell->upload, cell->body_file, cell->header_file,
				 NULL},
			 *const *end = file + 3;
		file < end; file++)
		if (*file)
			fclose(*file);
}
