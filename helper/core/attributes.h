#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * The key=value lines of git's credential protocol (gitcredentials(7)). All
 * pipes between our programs and all files of the cache use this one reader
 * and this one writer.
 *
 *	line = key "=" value LF
 *
 * A blank line or the end of input ends the list. A CR or NUL, a line without
 * "=", or a line longer than ATTRIBUTES_LINE_MAX makes the whole input
 * malformed, and no part of it is used. The caller ignores unknown keys. If crlf
 * is set, the reader first drops one CR before each LF, as git's own helpers do.
 */
enum {
	ATTRIBUTES_LINE_MAX = 65535, /* bytes, LF included */
	ATTRIBUTES_MAX_BYTES = 1 << 20,
};

struct attributes {
	struct buffer text; /* the lines, each "=" and LF replaced by NUL */
	bool closed;        /* a blank line ended the list, not the end of input */
	bool crlf;          /* set it for input from callers, never for what we wrote */
};

#define ATTRIBUTES_INIT \
	{ \
		.text = BUFFER_INIT(ATTRIBUTES_MAX_BYTES) \
	}

/*
 * Read fd up to a blank line or the end of input, and parse it after the bytes that text already
 * holds. Do not read beyond a blank line: a caller may keep its end open until it has an answer.
 * On failure the list is empty, and failure names the line by its number, never its value.
 */
enum status attributes_read(
	struct attributes *attributes, int fd, struct failure *failure) MUST_CHECK;

/* The same for text in memory, which is copied. */
enum status attributes_parse(struct attributes *attributes, const char *text, size_t length,
	struct failure *failure) MUST_CHECK;

/* The same for the bytes that the caller has put into attributes->text, without a copy. */
enum status attributes_split(struct attributes *attributes, struct failure *failure) MUST_CHECK;

/* The last value of key; NULL if the key is absent. Valid until release. */
const char *attributes_get(const struct attributes *attributes, const char *key);

/*
 * The values of key in order of arrival:
 *	for (const char *v = NULL; (v = attributes_next(a, "state[]", v));)
 */
const char *attributes_next(
	const struct attributes *attributes, const char *key, const char *previous_value);

/* The value of key as a number; 0: it is missing, or not 1 to 15 decimal digits without a sign. */
long long attributes_number(const struct attributes *attributes, const char *key);

/* Whether key has this value, for lists such as capability[]. */
bool attributes_contains(const struct attributes *attributes, const char *key, const char *value);

/* Iterate over all pairs, starting with NULL. Sets *value; returns the key, NULL at the end. */
const char *attributes_each(
	const struct attributes *attributes, const char *previous_key, const char **value);

/* Wipe and free. */
void attributes_release(struct attributes *attributes);

/*
 * Append "key=value LF" to out; if value is NULL, append nothing. STATUS_MALFORMED:
 * the value holds a CR or LF, which would forge another attribute, or the line is
 * too long for readers. On failure out is as it was.
 */
enum status attributes_add(struct buffer *out, const char *key, const char *value) MUST_CHECK;
enum status attributes_add_number(struct buffer *out, const char *key, long long value) MUST_CHECK;

/* One line to append: text, or number if text is NULL. */
struct attributes_row {
	const char *key; /* NULL ends the list */
	const char *text;
	long long number;
};

/*
 * Append the rows. A row with neither text nor number is left out: attributes_get() and
 * attributes_number() give NULL and 0 for a missing key.
 */
enum status attributes_add_rows(struct buffer *out, const struct attributes_row *rows) MUST_CHECK;

#endif
