#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

#include "core/status.h"

/*
 * Bytes that may be secret. Every buffer has a maximum size. After the first append
 * its data ends with a NUL. Memory is wiped before it is freed, also when the buffer
 * grows, so that no stale copy stays behind.
 */
struct buffer {
	char *data; /* NULL before the first append */
	size_t length;
	size_t capacity;
	size_t limit; /* maximum length in bytes, without the NUL */
};

#define BUFFER_INIT(limit_bytes) \
	{ \
		.limit = (limit_bytes) \
	}

/* All or nothing: on STATUS_TOO_LONG or STATUS_NO_MEMORY the buffer is unchanged. */
enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length) MUST_CHECK;
enum status buffer_append_text(struct buffer *buffer, const char *text) MUST_CHECK;
enum status buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/*
 * Append everything from fd up to the end of file. STATUS_TOO_LONG: the input exceeds the limit.
 * STATUS_SYSTEM: errno says why.
 */
enum status buffer_read(struct buffer *buffer, int fd) MUST_CHECK;

/* The same for a single read(2); *got is its length, 0 at the end of file. */
enum status buffer_read_some(struct buffer *buffer, int fd, size_t *got) MUST_CHECK;

/* Write everything. STATUS_SYSTEM: errno says why, and part may be written. */
enum status buffer_write(const struct buffer *buffer, int fd) MUST_CHECK;

/* The text; "" if data is NULL. */
const char *buffer_text(const struct buffer *buffer);

/* Wipe and empty; keeps memory and limit. */
void buffer_clear(struct buffer *buffer);

/* Wipe and free; usable again. */
void buffer_release(struct buffer *buffer);

/* A copy of text, for free(). NULL: text is NULL, or there is no memory. */
char *buffer_duplicate(const char *text);

/* Wipe and free a string that may hold a secret; NULL is ignored. */
void buffer_free_text(char *text);

#endif
