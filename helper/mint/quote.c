#include "mint/quote.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/text.h"

#define MASK "****"

enum {
	ENCODINGS_MAX = 2,  /* how often a text may have been percent-encoded */
	CORE_MIN_BYTES = 4, /* a shorter piece of base64 is in too many words */
};

/* ---- percent-encoding ---- */

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = digit != '\0' ? strchr(digits, digit | 0x20) : NULL;

	return found ? (int)(found - digits) : -1;
}

/*
 * The byte that text begins with once it is decoded so many times; *text goes past it. A plus sign
 * stays one: see same_byte().
 */
static unsigned char take_byte(const char **text, int encodings)
{
	const char *rest = *text + 1;
	unsigned char byte = (unsigned char)**text;
	unsigned char digits[2];

	if (encodings == 0) {
		*text = rest;
		return byte;
	}
	rest = *text;
	byte = take_byte(&rest, encodings - 1);
	*text = rest;
	if (byte != '%')
		return byte;
	for (size_t i = 0; i < sizeof(digits); i++) {
		digits[i] = *rest != '\0' ? take_byte(&rest, encodings - 1) : '\0';
		if (hex_value((char)digits[i]) < 0)
			return byte;
	}
	*text = rest;
	return (unsigned char)(hex_value((char)digits[0]) << 4 | hex_value((char)digits[1]));
}

static bool same_byte(unsigned char byte, unsigned char wanted, bool base64)
{
	if (base64 && (byte == '-' || byte == '_'))
		byte = byte == '-' ? '+' : '/';
	return byte == wanted || (wanted == ' ' && byte == '+');
}

/* How many bytes of text are a spelling of wanted; 0: it does not begin with one. */
static size_t spelled_length(const char *text, const char *wanted, bool base64)
{
	for (int encodings = 0; encodings <= ENCODINGS_MAX; encodings++) {
		const char *rest = text;
		const char *left = wanted;

		while (*left != '\0' && *rest != '\0') {
			if (!same_byte(take_byte(&rest, encodings), (unsigned char)*left, base64))
				break;
			left++;
		}
		if (*left == '\0')
			return (size_t)(rest - text);
	}
	return 0;
}

/* ---- base64 ---- */

/*
 * The digits that base64 of any text has where the secret stands in it, behind a multiple of three
 * bytes and so many more: those that depend on no byte before or behind it. NULL: too few, or no
 * memory.
 */
static char *base64_core(const char *secret, size_t before)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t first = (8 * before + 5) / 6;
	size_t last = 8 * (before + strlen(secret)) / 6;
	char *core;

	if (last < first + CORE_MIN_BYTES)
		return NULL;
	core = calloc(last - first + 1, 1);
	for (size_t i = first; core && i < last; i++) {
		size_t bit = 6 * i - 8 * before;
		unsigned pair = (unsigned)(unsigned char)secret[bit / 8] << 8 |
				(unsigned char)secret[bit / 8 + 1];

		core[i - first] = digits[pair >> (10 - bit % 8) & 63];
	}
	return core;
}

/* What base64 of either alphabet is made of, percent-encoded or not. */
static size_t base64_length(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=%");
}

/* ---- what must not be repeated ---- */

enum { NEEDLES_MAX = QUOTE_SECRETS_MAX * 3 };

struct needles {
	const struct quote_secrets *secrets;
	char *cores[NEEDLES_MAX];
	size_t core_count;
};

static void prepare_needles(struct needles *needles, const struct quote_secrets *secrets)
{
	static const struct quote_secrets none;

	*needles = (struct needles){.secrets = secrets ? secrets : &none};
	for (size_t i = 0; i < NEEDLES_MAX; i++) {
		const char *secret = needles->secrets->told[i / 3];
		char *core = secret ? base64_core(secret, i % 3) : NULL;

		if (core)
			needles->cores[needles->core_count++] = core;
	}
}

static void release_needles(struct needles *needles)
{
	for (size_t i = 0; i < needles->core_count; i++)
		buffer_free_text(needles->cores[i]);
}

static bool holds_core(const struct needles *needles, const char *run, size_t length)
{
	for (size_t i = 0; i < needles->core_count; i++) {
		for (const char *p = run; p < run + length; p++) {
			if (spelled_length(p, needles->cores[i], true) > 0)
				return true;
		}
	}
	return false;
}

static size_t longest_secret(const struct needles *needles, const char *text)
{
	size_t longest = 0;

	for (size_t i = 0; i < QUOTE_SECRETS_MAX; i++) {
		const char *secret = needles->secrets->told[i];
		size_t length = 0;

		if (secret && *secret != '\0')
			length = spelled_length(text, secret, false);
		longest = length > longest ? length : longest;
	}
	return longest;
}

/* ---- quoting ---- */

/*
 * The text is compared in full before any of it is cut away: half a secret would not be found. A
 * run of base64 goes as a whole, as what surrounds the core are digits of the secret, too.
 */
static enum status append_masked(
	struct buffer *out, const char *text, size_t most, const struct needles *needles)
{
	const char *checked = text;
	enum status status = STATUS_OK;

	while (*text != '\0' && !status && out->length < most) {
		size_t run = text < checked ? 0 : base64_length(text);
		size_t hidden = longest_secret(needles, text);

		if (run > hidden && holds_core(needles, text, run))
			hidden = run;
		checked = text < checked ? checked : text + run;
		status =
			buffer_append(out, hidden > 0 ? MASK : text, hidden > 0 ? strlen(MASK) : 1);
		text += hidden > 0 ? hidden : 1;
	}
	return status;
}

static enum status append_cut(
	struct buffer *out, const char *text, size_t most, const struct quote_secrets *secrets)
{
	struct needles needles;
	enum status status;

	prepare_needles(&needles, secrets);
	status = append_masked(out, text, most, &needles);
	release_needles(&needles);
	return status;
}

struct quote quote_text(const char *text, size_t most, const struct quote_secrets *secrets)
{
	struct quote quote = {""};
	struct buffer whole = BUFFER_INIT(2L * QUOTE_MAX_BYTES);

	if (most > QUOTE_MAX_BYTES)
		most = QUOTE_MAX_BYTES;
	/* one byte more than asked for tells whether the last character is whole */
	if (text && append_cut(&whole, text, most + 1, secrets) == STATUS_OK && whole.data) {
		memcpy(quote.text, whole.data, text_fit(whole.data, most));
		text_clean(quote.text);
	}
	buffer_release(&whole);
	return quote;
}

enum status quote_append(struct buffer *out, const char *text, const struct quote_secrets *secrets)
{
	struct buffer whole = BUFFER_INIT(out->limit);
	enum status status = append_cut(&whole, text, out->limit + 1, secrets);

	if (!status && whole.data) {
		text_clean(whole.data);
		status = buffer_append_text(out, whole.data);
	}
	buffer_release(&whole);
	return status;
}
