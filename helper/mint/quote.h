#ifndef QUOTE_H
#define QUOTE_H

#include <stddef.h>

#include "core/status.h"

struct buffer;

/*
 * What a server or another program said, made fit to be repeated in a reason, a trace, an answer or
 * a file: the only way for such text into any of them. It is valid UTF-8 without control characters
 * (text_clean()), and does not hold what the other side was told in confidence, in any spelling:
 * as it is, percent-encoded once or twice, by upper or lower case digits, or within base64 of
 * either alphabet. "****" stands for it.
 */
enum { QUOTE_MAX_BYTES = 160, QUOTE_SECRETS_MAX = 4 };

/* What the other side was told in confidence; NULL and "" are passed over. */
struct quote_secrets {
	const char *told[QUOTE_SECRETS_MAX];
};

struct quote {
	char text[QUOTE_MAX_BYTES + 1];
};

/*
 * Quote at most so many bytes of text, and at most QUOTE_MAX_BYTES; it is cut between characters.
 * text NULL: "". secrets NULL: nothing was told.
 */
struct quote quote_text(const char *text, size_t most, const struct quote_secrets *secrets);

/* Append all of text. */
enum status quote_append(
	struct buffer *out, const char *text, const struct quote_secrets *secrets) MUST_CHECK;

#endif
