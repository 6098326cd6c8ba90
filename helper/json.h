#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/buffer.h"

/*
 * Reading JSON, and writing the few pieces of it that we need. Only this file uses cJSON. Every
 * function that looks at a value, except json_next(), takes NULL for a value that is missing. A
 * value belongs to its document and lives as long.
 */
struct json;

/*
 * One object, with nothing but white space behind it; NULL for all else, and for text with a NUL,
 * raw or escaped, as what such a string is cut to could pass for something else.
 */
struct json *json_read(const char *text, size_t length);

/* Wipe every string and free. */
void json_free(struct json *document);

/* The first member of that name, its case minded; NULL where there is none. */
const struct json *json_member(const struct json *object, const char *name);

/* The items of an array or object: for (item = json_first(list); item; item = json_next(item)) */
const struct json *json_first(const struct json *list);
const struct json *json_next(const struct json *item);

/* NULL where the value is no string. */
const char *json_text(const struct json *value);

/* False where the value is no number. */
bool json_number(const struct json *value, double *number);

bool json_is_null(const struct json *value);

/* Append text as a JSON string, quotes included. */
enum status json_write_text(struct buffer *out, const char *text) MUST_CHECK;

/*
 * Append JSON by a format with two conversions: %s for a string, which is quoted, or null if it is
 * NULL, and %lld for a number.
 */
enum status json_printf(struct buffer *out, const char *format, ...)
	__attribute__((format(printf, 2, 3))) MUST_CHECK;

/* An instant by RFC 3339, in whole seconds and UTC. Returns text, or NULL for a year beyond 9999.
 */
enum { JSON_TIME_BYTES = sizeof("9999-12-31T23:59:59Z") };
const char *json_time(time_t instant, char text[JSON_TIME_BYTES]);

#endif
