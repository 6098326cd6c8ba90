#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

#include "core/status.h"

/*
 * Bytes that may be secret: born with a maximum, always NUL-terminated once
 * anything was appended, and wiped whenever memory is given back (growing
 * included, so no stale copy stays behind).
 */
struct buffer {
	char *data; /* NULL while nothing was ever appended */
	size_t length;
	size_t capacity;
	size_t limit; /* the most bytes it may hold, the NUL not counted */
};

#define BUFFER_INIT(limit_bytes) \
	{ \
		.limit = (limit_bytes) \
	}

/* All or nothing: STATUS_TOO_LONG or STATUS_NO_MEMORY leave the buffer as it was. */
enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length) MUST_CHECK;
enum status buffer_append_text(struct buffer *buffer, const char *text) MUST_CHECK;
enum status buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/*
 * Append what fd has until end of file. STATUS_TOO_LONG: more than the limit was there.
 * STATUS_SYSTEM: errno says why.
 */
enum status buffer_read(struct buffer *buffer, int fd) MUST_CHECK;

/* The same for what a single read(2) gives; *got is 0 at the end of file. */
enum status buffer_read_some(struct buffer *buffer, int fd, size_t *got) MUST_CHECK;

/* Write everything, or STATUS_SYSTEM with errno. */
enum status buffer_write(const struct buffer *buffer, int fd) MUST_CHECK;

/* The text, "" where data is NULL. */
const char *buffer_text(const struct buffer *buffer);

/* Wipe and empty; memory and limit stay. */
void buffer_clear(struct buffer *buffer);

/* Wipe and free; usable again. */
void buffer_release(struct buffer *buffer);

/* A copy of text for free(), NULL where text is NULL or memory is short. */
char *buffer_duplicate(const char *text);

/* Wipe text (if not NULL) and free it: for strings that hold or held a secret. */
void buffer_free_text(char *text);

#endif
