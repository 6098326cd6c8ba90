#include "core/attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 15 }; /* no overflow, whatever is computed with such a number */

/* Split a line, given without its LF, at its first "=". */
static enum status split_line(char *line, size_t length, unsigned number, struct failure *failure)
{
	char *equals = memchr(line, '=', length);

	if (length >= ATTRIBUTES_LINE_MAX)
		return status_fail(failure, STATUS_MALFORMED, "input line %u is too long", number);
	if (memchr(line, '\0', length) || memchr(line, '\r', length))
		return status_fail(failure, STATUS_MALFORMED,
			"input line %u holds a NUL or carriage return", number);
	if (!equals)
		return status_fail(
			failure, STATUS_MALFORMED, "input line %u is not key=value", number);
	*equals = '\0';
	return STATUS_OK;
}

/*
 * Turn the lines in text into key NUL value NUL …, in place, so that no copy of a secret is made.
 * Drop what follows the blank line.
 */
static enum status split_lines(struct attributes *attributes, struct failure *failure)
{
	struct buffer *text = &attributes->text;
	size_t start = 0;

	for (unsigned number = 1; start < text->length; number++) {
		char *line = text->data + start;
		char *end = memchr(line, '\n', text->length - start);
		size_t length = end ? (size_t)(end - line) : text->length - start;
		enum status status;

		if (length == 0) {
			attributes->closed = true;
			break;
		}
		status = split_line(line, length, number, failure);
		if (status)
			return status;
		line[length] = '\0';
		start += length + (end ? 1 : 0);
		if (!end)
			text->length = start += 1; /* the buffer's own NUL ends the last value */
	}
	text->length = start;
	return STATUS_OK;
}

/*
 * Only a CR right before LF goes. Any other one stays and makes the line malformed: git had a
 * vulnerability (CVE-2024-52006) because a lone CR ended a line for some helpers and not for
 * others.
 */
static void drop_cr_before_lf(struct buffer *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->length; i++) {
		if (text->data[i] != '\r' || text->data[i + 1] != '\n')
			text->data[kept++] = text->data[i];
	}
	if (kept < text->length)
		memset(text->data + kept, 0,
			text->length - kept); /* split_lines() needs a NUL there */
	text->length = kept;
}

static enum status finish_reading(
	struct attributes *attributes, enum status status, struct failure *failure)
{
	if (status == STATUS_OK && attributes->crlf)
		drop_cr_before_lf(&attributes->text);
	if (status == STATUS_OK)
		status = split_lines(attributes, failure);
	else if (status == STATUS_TOO_LONG)
		status = status_fail(failure, STATUS_MALFORMED, "input is too long");
	else if (status == STATUS_NO_MEMORY)
		status = status_no_memory(failure);
	else
		status = status_fail(failure, status, "cannot read input: %s", strerror(errno));
	if (status)
		attributes_release(attributes);
	return status;
}

/*
 * Whether further input cannot matter: the list has ended, or is already malformed. seen bytes were
 * searched before. The search starts a little before them, as the end of the list may lie across.
 */
static bool is_decided(const struct attributes *attributes, size_t seen)
{
	static const size_t longest_end = sizeof("\n\r\n") - 1;
	const struct buffer *text = &attributes->text;
	const char *fresh;
	const char *cr;

	if (text->length == seen)
		return false;
	fresh = text->data + (seen < longest_end ? 0 : seen - longest_end);
	cr = strchr(fresh, '\r');
	while (attributes->crlf && cr && (cr[1] == '\n' || cr[1] == '\0'))
		cr = strchr(cr + 1, '\r');
	return cr || memchr(text->data + seen, '\0', text->length - seen) ||
	       text->data[0] == '\n' || strncmp(text->data, "\r\n", 2) == 0 ||
	       strstr(fresh, "\n\n") || strstr(fresh, "\n\r\n");
}

enum status attributes_read(struct attributes *attributes, int fd, struct failure *failure)
{
	struct buffer *text = &attributes->text;
	size_t seen = 0;
	size_t got = 1;
	enum status status = STATUS_OK;

	while (!status && got > 0 && !is_decided(attributes, seen)) {
		seen = text->length;
		status = buffer_read_some(text, fd, &got);
	}
	return finish_reading(attributes, status, failure);
}

enum status attributes_parse(
	struct attributes *attributes, const char *text, size_t length, struct failure *failure)
{
	return finish_reading(attributes, buffer_append(&attributes->text, text, length), failure);
}

enum status attributes_split(struct attributes *attributes, struct failure *failure)
{
	return finish_reading(attributes, STATUS_OK, failure);
}

/* The pair whose key starts at key, or NULL at the end of the list. */
static const char *pair_at(const struct attributes *attributes, const char *key, const char **value)
{
	const struct buffer *text = &attributes->text;

	if (text->length == 0 || key >= text->data + text->length)
		return NULL;
	*value = key + strlen(key) + 1;
	return key;
}

static const char *after_text(const char *text)
{
	return text + strlen(text) + 1;
}

const char *attributes_each(
	const struct attributes *attributes, const char *previous_key, const char **value)
{
	const char *key =
		previous_key ? after_text(after_text(previous_key)) : attributes->text.data;

	return pair_at(attributes, key, value);
}

const char *attributes_next(
	const struct attributes *attributes, const char *key, const char *previous_value)
{
	const char *k = previous_value ? after_text(previous_value) : attributes->text.data;
	const char *value;

	for (; (k = pair_at(attributes, k, &value)); k = after_text(value)) {
		if (strcmp(k, key) == 0)
			return value;
	}
	return NULL;
}

/* The last one counts, as in git: a later line of its input replaces an earlier one. */
const char *attributes_get(const struct attributes *attributes, const char *key)
{
	const char *last = NULL;

	for (const char *v = NULL; (v = attributes_next(attributes, key, v));)
		last = v;
	return last;
}

long long attributes_number(const struct attributes *attributes, const char *key)
{
	const char *text = attributes_get(attributes, key);
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (digits == 0 || digits > DIGITS_MAX || text[digits] != '\0')
		return 0;
	return strtoll(text, NULL, 10);
}

bool attributes_contains(const struct attributes *attributes, const char *key, const char *value)
{
	for (const char *v = NULL; (v = attributes_next(attributes, key, v));) {
		if (strcmp(v, value) == 0)
			return true;
	}
	return false;
}

void attributes_release(struct attributes *attributes)
{
	buffer_release(&attributes->text);
	attributes->closed = false;
}

enum status attributes_add(struct buffer *out, const char *key, const char *value)
{
	size_t before = out->length;
	size_t length;
	enum status status;

	if (!value)
		return STATUS_OK;
	/* git learned from CVE-2020-5260 to refuse a line break in the one function that writes */
	length = strlen(value);
	if (strpbrk(value, "\r\n") || strlen(key) + 1 + length >= ATTRIBUTES_LINE_MAX)
		return STATUS_MALFORMED;

	status = buffer_append_text(out, key);
	if (!status)
		status = buffer_append(out, "=", 1);
	if (!status)
		status = buffer_append(out, value, length);
	if (!status)
		status = buffer_append(out, "\n", 1);
	if (status && out->data) {
		out->length = before;
		out->data[before] = '\0';
	}
	return status;
}

enum status attributes_add_number(struct buffer *out, const char *key, long long value)
{
	return buffer_printf(out, "%s=%lld\n", key, value);
}

enum status attributes_add_rows(struct buffer *out, const struct attributes_row *rows)
{
	enum status status = STATUS_OK;

	for (; rows->key && !status; rows++) {
		if (rows->text)
			status = attributes_add(out, rows->key, rows->text);
		else if (rows->number != 0)
			status = attributes_add_number(out, rows->key, rows->number);
	}
	return status;
}
