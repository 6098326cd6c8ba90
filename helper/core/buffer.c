#include "core/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Most of our messages fit into the first block, and a token file into one read. */
enum { FIRST_CAPACITY = 256, READ_STEP = 2000 };

/* explicit_bzero(), as the compiler may drop a memset() before free(). */
static void wipe_and_free(char *data, size_t size)
{
	if (data) {
		explicit_bzero(data, size);
		free(data);
	}
}

/* Make room for length more bytes and the NUL. realloc() would leave a copy of a secret behind. */
static enum status reserve_room(struct buffer *buffer, size_t length)
{
	size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
	char *data;

	/* length never exceeds limit, so this cannot wrap around, as a sum could */
	if (length > buffer->limit - buffer->length)
		return STATUS_TOO_LONG;
	if (buffer->data && buffer->length + length < buffer->capacity)
		return STATUS_OK;

	/* doubling keeps the bytes copied and wiped in proportion to the bytes appended */
	while (capacity <= buffer->length + length)
		capacity *= 2;
	data = malloc(capacity);
	if (!data)
		return STATUS_NO_MEMORY;
	if (buffer->data)
		memcpy(data, buffer->data, buffer->length);
	data[buffer->length] = '\0';
	wipe_and_free(buffer->data, buffer->capacity);
	buffer->data = data;
	buffer->capacity = capacity;
	return STATUS_OK;
}

/* Always with a NUL, so that callers may use the str functions on what they have read. */
enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	enum status status = reserve_room(buffer, length);

	if (status)
		return status;
	if (length > 0)
		memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
	return STATUS_OK;
}

enum status buffer_append_text(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

enum status buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	enum status status;
	int length;

	/* measure first: to print into too little room would lose the end */
	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return STATUS_MALFORMED;

	status = reserve_room(buffer, (size_t)length);
	if (status)
		return status;
	va_start(arguments, format);
	vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buffer->length += (size_t)length;
	return STATUS_OK;
}

static size_t smaller_of(size_t one, size_t other)
{
	return one < other ? one : other;
}

enum status buffer_read_some(struct buffer *buffer, int fd, size_t *got)
{
	/* read into the room that is left, so that a buffer grows only when it is full */
	bool full = !buffer->data || buffer->length + 1 == buffer->capacity;
	enum status status = STATUS_OK;
	size_t room;
	char beyond;
	ssize_t count;

	*got = 0;
	if (full)
		status =
			reserve_room(buffer, smaller_of(buffer->limit - buffer->length, READ_STEP));
	if (status)
		return status;
	/* at the limit, one more byte tells a longer input from its end */
	room = smaller_of(buffer->capacity - 1, buffer->limit) - buffer->length;
	do
		count = read(fd, room > 0 ? buffer->data + buffer->length : &beyond,
			room > 0 ? room : sizeof(beyond));
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return STATUS_SYSTEM;
	if (count > 0 && room == 0)
		return STATUS_TOO_LONG;

	*got = (size_t)count;
	buffer->length += *got;
	buffer->data[buffer->length] = '\0';
	return STATUS_OK;
}

enum status buffer_read(struct buffer *buffer, int fd)
{
	size_t got;
	enum status status;

	do
		status = buffer_read_some(buffer, fd, &got);
	while (!status && got > 0);
	return status;
}

enum status buffer_write(const struct buffer *buffer, int fd)
{
	size_t written = 0;

	while (written < buffer->length) {
		ssize_t step = write(fd, buffer->data + written, buffer->length - written);

		if (step < 0 && errno == EINTR)
			continue;
		if (step < 0)
			return STATUS_SYSTEM;
		/* a full pipe or disk may take less than was given */
		written += (size_t)step;
	}
	return STATUS_OK;
}

const char *buffer_text(const struct buffer *buffer)
{
	return buffer->data ? buffer->data : "";
}

void buffer_clear(struct buffer *buffer)
{
	if (buffer->data) /* all of it: what was there before may be longer than length */
		explicit_bzero(buffer->data, buffer->capacity);
	buffer->length = 0;
}

void buffer_release(struct buffer *buffer)
{
	wipe_and_free(buffer->data, buffer->capacity);
	buffer->data = NULL;
	buffer->length = 0;
	buffer->capacity = 0;
}

char *buffer_duplicate(const char *text)
{
	return text ? strdup(text) : NULL;
}

void buffer_free_text(char *text)
{
	if (text)
		wipe_and_free(text, strlen(text));
}
