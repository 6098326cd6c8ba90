#ifndef QUOTE_H
#define QUOTE_H

#include <stddef.h>

#include "core/status.h"

struct buffer;

/*
 * Text of a server or another program, made safe for a reason, a trace, an answer or a file. Such
 * text must not get there in any other way. A quote is valid UTF-8 without control characters
 * (text_clean()). The secrets that were sent to the other side are replaced by "****", however they
 * are spelled: plain, percent-encoded once or twice, or within base64 of either alphabet.
 */
enum { QUOTE_MAX_BYTES = 160, QUOTE_SECRETS_MAX = 4 };

/* The secrets that were sent to the other side; NULL and "" are ignored. */
struct quote_secrets {
	const char *told[QUOTE_SECRETS_MAX];
};

struct quote {
	char text[QUOTE_MAX_BYTES + 1];
};

/*
 * Quote at most so many bytes of text, and at most QUOTE_MAX_BYTES; it is cut between characters.
 * text NULL: "". secrets NULL: none were sent.
 */
struct quote quote_text(const char *text, size_t most, const struct quote_secrets *secrets);

/* Append all of text. */
enum status quote_append(
	struct buffer *out, const char *text, const struct quote_secrets *secrets) MUST_CHECK;

#endif
