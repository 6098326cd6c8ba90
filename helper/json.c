#include "json.h"

#include <cjson/cJSON.h>

#include <string.h>

/* struct json is cJSON's own under a name that lets nobody reach inside. */
static const cJSON *inside(const struct json *value)
{
	return (const cJSON *)(const void *)value;
}

static struct json *outside(cJSON *item)
{
	return (struct json *)(void *)item;
}

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
	object = cJSON_ParseWithLengthOpts(text, length, &end, false);
	while (object && end < text + length && strchr(" \t\r\n", *end))
		end++;
	if (!object || end != text + length || !cJSON_IsObject(object)) {
		json_free(outside(object));
		return NULL;
	}
	return outside(object);
}

static void wipe(cJSON *item)
{
	for (; item; item = item->next) {
		if (item->valuestring)
			explicit_bzero(item->valuestring, strlen(item->valuestring));
		wipe(item->child);
	}
}

void json_free(struct json *document)
{
	cJSON *item = (cJSON *)(void *)document;

	wipe(item);
	cJSON_Delete(item);
}

const struct json *json_member(const struct json *object, const char *name)
{
	return outside(cJSON_GetObjectItemCaseSensitive(inside(object), name));
}

const struct json *json_first(const struct json *list)
{
	return list ? outside(inside(list)->child) : NULL;
}

const struct json *json_next(const struct json *item)
{
	return outside(inside(item)->next);
}

const char *json_text(const struct json *value)
{
	const cJSON *item = inside(value);

	return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool json_number(const struct json *value, double *number)
{
	const cJSON *item = inside(value);

	if (!cJSON_IsNumber(item))
		return false;
	*number = item->valuedouble;
	return true;
}

bool json_is_null(const struct json *value)
{
	return cJSON_IsNull(inside(value));
}

enum status json_write_text(struct buffer *out, const char *text)
{
	enum status status = buffer_append(out, "\"", 1);

	for (const char *p = text; *p != '\0' && !status; p++) {
		unsigned char byte = (unsigned char)*p;

		if (byte < 0x20 || byte == 0x7f)
			status = buffer_printf(out, "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			status = buffer_printf(out, "\\%c", byte);
		else
			status = buffer_append(out, p, 1);
	}
	return status ? status : buffer_append(out, "\"", 1);
}

enum status json_write_time(struct buffer *out, time_t instant)
{
	char text[sizeof("\"9999-12-31T23:59:59Z\"")];
	struct tm parts;

	if (!gmtime_r(&instant, &parts) ||
		strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%SZ\"", &parts) == 0)
		return STATUS_TOO_LONG;
	return buffer_append_text(out, text);
}
