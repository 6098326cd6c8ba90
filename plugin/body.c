#include "body.h"

#include <stdio.h>
#include <sys/stat.h>

bool body_reads_file(const struct easy *easy)
{
	return !easy->read || easy->read == (curl_read_callback)fread;
}

/* A repeated transfer must read from what was set when the first one started. */
static bool source_changed(const struct easy *easy)
{
	return easy->read != easy->replay.source || easy->read_data != easy->replay.source_data;
}

/* Whether a callback has given bytes of the body. */
static bool has_read(const struct easy *easy)
{
	return body_streams(easy) && (!(easy->wraps & WRAP_READ) || easy->replay.read);
}

/*
 * libcurl builds a form of curl_formadd() anew for each request, but a stream or a pipe is used up.
 */
static bool is_rewindable(const struct curl_httppost *part)
{
	struct stat file;

	for (; part; part = part->next) {
		if (part->flags & CURL_HTTPPOST_CALLBACK)
			return false;
		if (part->flags & (CURL_HTTPPOST_FILENAME | CURL_HTTPPOST_READFILE) &&
			(stat(part->contents, &file) || !S_ISREG(file.st_mode)))
			return false;
		if (!is_rewindable(part->more))
			return false;
	}
	return true;
}

/*
 * libcurl before 8 writes before the start of its buffer if trailers follow a second body. With
 * CURLOPT_KEEP_SENDING_ON_ERROR, the application may wait for the response before it sends the rest
 * of the body, so the response must not be held.
 */
bool body_can_rewind(const struct easy *easy)
{
	if (body_streams(easy) &&
		(easy->facts & (FACT_TRAILERS | FACT_KEEP_SENDING) || source_changed(easy)))
		return false;
	if (easy->facts & FACT_FORM)
		return is_rewindable(easy->form);
	return !has_read(easy) || easy->seek || easy->ioctl ||
	       (body_reads_file(easy) && easy->replay.offset >= 0);
}

bool body_rewind(struct easy *easy)
{
	if (!has_read(easy))
		return true;
	if (easy->seek)
		return easy->seek(easy->seek_data, 0, SEEK_SET) == CURL_SEEKFUNC_OK;
	if (easy->ioctl)
		return easy->ioctl(easy->handle, CURLIOCMD_RESTARTREAD, easy->ioctl_data) ==
		       CURLIOE_OK;
	return fseek(easy->read_data, easy->replay.offset, SEEK_SET) == 0;
}
