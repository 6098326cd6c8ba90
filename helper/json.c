#include "json.h"

#include <cjson/cJSON.h>

#include <stdarg.h>
#include <string.h>

/* struct json is cJSON under another name, so that no other file can use its members. */
static const cJSON *as_item(const struct json *value)
{
	return (const cJSON *)(const void *)value;
}

static struct json *as_json(cJSON *item)
{
	return (struct json *)(void *)item;
}

/* cJSON ends such a string at the NUL. So a server could make one value look like another. */
static bool holds_nul(const char *text, size_t length)
{
	static const char escaped[] = "\\u0000";

	return memchr(text, '\0', length) || memmem(text, length, escaped, strlen(escaped));
}

struct json *json_read(const char *text, size_t length)
{
	const char *end = NULL;
	cJSON *object;

	if (length == 0 || holds_nul(text, length))
		return NULL;
	/* without this end, cJSON accepts anything after the object */
	object = cJSON_ParseWithLengthOpts(text, length, &end, false);
	while (object && end < text + length && strchr(" \t\r\n", *end))
		end++;
	if (!object || end != text + length || !cJSON_IsObject(object)) {
		json_free(as_json(object));
		return NULL;
	}
	return as_json(object);
}

/* cJSON_Delete() frees without wiping, and the document may hold a token or a secret. */
static void wipe_items(cJSON *item)
{
	for (; item; item = item->next) {
		if (item->valuestring)
			explicit_bzero(item->valuestring, strlen(item->valuestring));
		wipe_items(item->child);
	}
}

void json_free(struct json *document)
{
	cJSON *item = (cJSON *)(void *)document;

	wipe_items(item);
	cJSON_Delete(item);
}

/* Case-sensitive, unlike cJSON_GetObjectItem(): "Access_Token" is not what RFC 6749 names. */
const struct json *json_member(const struct json *object, const char *name)
{
	return as_json(cJSON_GetObjectItemCaseSensitive(as_item(object), name));
}

const struct json *json_first(const struct json *list)
{
	return list ? as_json(as_item(list)->child) : NULL;
}

const struct json *json_next(const struct json *item)
{
	return as_json(as_item(item)->next);
}

const char *json_text(const struct json *value)
{
	const cJSON *item = as_item(value);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool json_number(const struct json *value, double *number)
{
	const cJSON *item = as_item(value);

	if (!cJSON_IsNumber(item))
		return false;
	*number = item->valuedouble;
	return true;
}

bool json_is_null(const struct json *value)
{
	return cJSON_IsNull(as_item(value));
}

/* Bytes beyond ASCII stay as they are: JSON is UTF-8, and our texts are too. */
enum status json_write_text(struct buffer *out, const char *text)
{
	enum status status = buffer_append(out, "\"", 1);

	for (const char *p = text; *p != '\0' && !status; p++) {
		unsigned char byte = (unsigned char)*p;

		/* DEL may stand in JSON, but does harm on a terminal */
		if (byte < 0x20 || byte == 0x7f)
			status = buffer_printf(out, "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			status = buffer_printf(out, "\\%c", byte);
		else
			status = buffer_append(out, p, 1);
	}
	return status ? status : buffer_append(out, "\"", 1);
}

static enum status write_value(struct buffer *out, const char *text)
{
	return text ? json_write_text(out, text) : buffer_append_text(out, "null");
}

/* The compiler checks the arguments, as the format is a subset of printf's. */
enum status json_printf(struct buffer *out, const char *format, ...)
{
	enum status status = STATUS_OK;
	va_list arguments;

	va_start(arguments, format);
	while (*format != '\0' && !status) {
		size_t literal = strcspn(format, "%");

		if (literal > 0) {
			status = buffer_append(out, format, literal);
			format += literal;
		} else if (strncmp(format, "%s", strlen("%s")) == 0) {
			status = write_value(out, va_arg(arguments, const char *));
			format += strlen("%s");
		} else if (strncmp(format, "%lld", strlen("%lld")) == 0) {
			status = buffer_printf(out, "%lld", va_arg(arguments, long long));
			format += strlen("%lld");
		} else {
			status = STATUS_MALFORMED;
		}
	}
	va_end(arguments);
	return status;
}

const char *json_time(time_t instant, char text[JSON_TIME_BYTES])
{
	struct tm parts;
	bool done = gmtime_r(&instant, &parts) &&
		    strftime(text, JSON_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0;

	return done ? text : NULL;
}
