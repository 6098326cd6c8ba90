#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/buffer.h"

/*
 * Read JSON, and write the little of it that we need. Only json.c uses cJSON. Every function that
 * reads a value, except json_next(), accepts NULL for a missing one. A value belongs to its
 * document and lives as long.
 */
struct json;

/*
 * Read one object, which only white space may follow. NULL for anything else, and for text with a
 * NUL, raw or escaped: a string that is cut there could be mistaken for another.
 */
struct json *json_read(const char *text, size_t length);

/* Wipe every string and free. */
void json_free(struct json *document);

/* The first member of that name, case-sensitive; NULL: there is none. */
const struct json *json_member(const struct json *object, const char *name);

/* The items of an array or object: for (item = json_first(list); item; item = json_next(item)) */
const struct json *json_first(const struct json *list);
const struct json *json_next(const struct json *item);

/* NULL: the value is no string. */
const char *json_text(const struct json *value);

/* False: the value is no number. */
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

/* RFC 3339, in whole seconds and UTC. Returns text, or NULL for a year beyond 9999. */
enum { JSON_TIME_BYTES = sizeof("9999-12-31T23:59:59Z") };
const char *json_time(time_t instant, char text[JSON_TIME_BYTES]);

#endif
