#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * The key=value lines of git's credential protocol (gitcredentials(7)): the one
 * reader and the one writer for everything that is spoken over pipes here, and
 * for the cache's files.
 *
 *	line = key "=" value LF
 *
 * A blank line or the end of input ends the list. CR and NUL anywhere, a line
 * without "=", or one longer than ATTRIBUTES_LINE_MAX make the whole input
 * malformed; nothing of it is used. Unknown keys are the caller's to ignore.
 * With crlf set, one CR before each LF is dropped first, as git's own helpers do.
 */
enum {
	ATTRIBUTES_LINE_MAX = 65535, /* bytes, LF included */
	ATTRIBUTES_MAX_BYTES = 1 << 20,
};

struct attributes {
	struct buffer text; /* the lines, each "=" and LF replaced by NUL */
	bool closed;        /* whether a blank line ended the list, rather than the end of input */
	bool crlf;          /* for what callers say; never for what we wrote ourselves */
};

#define ATTRIBUTES_INIT \
	{ \
		.text = BUFFER_INIT(ATTRIBUTES_MAX_BYTES) \
	}

/*
 * Read and parse; what text holds already comes first. failure names the line number, never its
 * value. On failure the list is empty.
 * Behind a blank line nothing is waited for: a caller may keep its end open until it has an answer.
 */
enum status attributes_read(
	struct attributes *attributes, int fd, struct failure *failure) MUST_CHECK;

/* The same for text that is already in memory; it is copied. */
enum status attributes_parse(struct attributes *attributes, const char *text, size_t length,
	struct failure *failure) MUST_CHECK;

/* The same for what the caller has put into text, without a copy. */
enum status attributes_split(struct attributes *attributes, struct failure *failure) MUST_CHECK;

/* The last value of key, NULL where it never came. Valid until release. */
const char *attributes_get(const struct attributes *attributes, const char *key);

/*
 * The values of key in order of arrival:
 *	for (const char *v = NULL; (v = attributes_next(a, "state[]", v));)
 */
const char *attributes_next(
	const struct attributes *attributes, const char *key, const char *previous_value);

/* Whether "key" holds value, for lists such as capability[]. */
bool attributes_contains(const struct attributes *attributes, const char *key, const char *value);

/* Every pair in order: start with NULL, returns the key or NULL at the end; *value is set. */
const char *attributes_each(
	const struct attributes *attributes, const char *previous_key, const char **value);

/* Wipe and free. */
void attributes_release(struct attributes *attributes);

/*
 * Append "key=value LF" to out. A value with CR, LF or NUL would forge another
 * attribute, and one too long would be refused by readers: STATUS_MALFORMED.
 * value NULL: nothing is appended, STATUS_OK.
 */
enum status attributes_add(struct buffer *out, const char *key, const char *value) MUST_CHECK;
enum status attributes_add_number(struct buffer *out, const char *key, long long value) MUST_CHECK;

#endif
