#include "core/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LENGTH_MAX = 4 };

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The length of a character in bytes, by its first byte; 0: no character begins with it. */
static size_t expected_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The length of the character at text; 0: malformed. The text's NUL ends the loop. */
static size_t read_character(const char *text, uint32_t *character)
{
	static const unsigned char first_bits[LENGTH_MAX + 1] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	static const uint32_t least[LENGTH_MAX + 1] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = expected_length((unsigned char)*text);

	*character = (unsigned char)*text & first_bits[length];
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation((unsigned char)text[i]))
			return 0;
		*character = *character << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (*character < least[length] || *character > 0x10ffff ||
		(*character >= 0xd800 && *character <= 0xdfff))
		return 0;
	return length;
}

/* See "Trojan Source" (CVE-2021-42574) for what bidirectional formatting can do to a line. */
static bool is_harmful(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{0, 0x1f},          /* C0 */
		{0x7f, 0x9f},       /* DEL and C1 */
		{0x061c, 0x061c},   /* Arabic letter mark */
		{0x200e, 0x200f},   /* direction marks */
		{0x2028, 0x202e},   /* line and paragraph separators, embeddings, overrides */
		{0x2060, 0x206f},   /* isolates, and invisible format characters */
		{0xfeff, 0xfeff},   /* byte order mark */
		{0xfff9, 0xfffb},   /* annotations */
		{0xe0000, 0xe007f}, /* tags */
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	}
	return false;
}

void text_clean(char *text)
{
	char *to = text;

	while (*text != '\0') {
		uint32_t character;
		size_t length = read_character(text, &character);

		if (length == 0 || is_harmful(character)) {
			*to++ = '?';
			text += length > 0 ? length : 1;
			continue;
		}
		memmove(to, text, length);
		to += length;
		text += length;
	}
	*to = '\0';
}

int text_hex_byte(const char *text)
{
	static const char digits[] = "0123456789abcdef";
	int value = 0;

	for (const char *p = text; p < text + 2; p++) {
		const char *found = *p ? strchr(digits, tolower((unsigned char)*p)) : NULL;

		if (!found)
			return -1;
		value = value * 16 + (int)(found - digits);
	}
	return value;
}

size_t text_fit(const char *text, size_t most)
{
	size_t length = strnlen(text, most + 1);

	if (length <= most)
		return length;
	for (length = most; length > 0 && most - length < LENGTH_MAX; length--) {
		if (!is_continuation((unsigned char)text[length]))
			return length;
	}
	return most; /* malformed, so there is no character to preserve */
}
