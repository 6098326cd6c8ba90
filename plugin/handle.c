#include "handle.h"

#include <stdlib.h>
#include <string.h>

#include "table.h"

static struct table easies = TABLE_INIT;
static struct table multis = TABLE_INIT;
static atomic_ulong serials;

bool text_set(struct text *text, const char *value)
{
	size_t size = value ? strlen(value) + 1 : 0;

	text->set = value != NULL;
	if (size > text->size) {
		char *bytes = realloc(text->bytes, size + size / 2);

		if (!bytes) {
			text->set = false;
			return false;
		}
		text->bytes = bytes;
		text->size = size + size / 2;
	}
	if (value)
		memcpy(text->bytes, value, size);
	return true;
}

/* A thread that forks may leave another behind in the middle of a change. */
static void before_fork(void)
{
	table_lock(&easies);
	table_lock(&multis);
}

static void after_fork(void)
{
	table_unlock(&multis);
	table_unlock(&easies);
}

/* Handlers run in the order they were registered: the host's come after these. */
__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(before_fork, after_fork, after_fork);
}

static bool easy_keep(struct easy *easy)
{
	void *stale;

	if (!table_put(&easies, easy->handle, easy, &stale))
		return false;
	easy_free(stale);
	return true;
}

struct easy *easy_find(const CURL *handle)
{
	return table_find(&easies, handle);
}

void easy_create(CURL *handle, const struct libcurl *libcurl)
{
	struct easy *easy = calloc(1, sizeof(*easy));

	if (!easy) {
		easy_free(easy_take(handle));
		return;
	}
	easy->handle = handle;
	easy->libcurl = libcurl;
	easy->http_auth = CURLAUTH_BASIC;
	easy->replay.held = (struct held)HELD_INIT;
	if (!easy_keep(easy)) {
		easy_free(easy_take(handle));
		easy_free(easy);
	}
}

static bool text_copy(struct text *copy, const struct text *original)
{
	*copy = (struct text){0};
	return text_set(copy, original->set ? original->bytes : NULL);
}

struct easy *easy_duplicate(CURL *handle, const struct easy *original)
{
	struct easy *copy = malloc(sizeof(*copy));
	bool whole;

	if (!copy)
		return NULL;
	*copy = *original;
	copy->handle = handle;
	copy->doom = NULL;
	copy->performing = false;
	copy->multi = NULL;
	copy->watched = false;
	copy->watched_next = NULL;
	copy->carried = CARRIED_NOTHING;
	copy->bearer_only = false;
	copy->replay = (struct replay){.held = HELD_INIT};
	whole = text_copy(&copy->url, &original->url);
	whole &= text_copy(&copy->default_protocol, &original->default_protocol);
	whole &= text_copy(&copy->no_proxy, &original->no_proxy);
	whole &= text_copy(&copy->protocols_text, &original->protocols_text);
	whole &= text_copy(&copy->redir_protocols_text, &original->redir_protocols_text);
	if (!whole)
		copy->facts |= FACT_UNKNOWN;
	if (!easy_keep(copy)) {
		easy_free(copy);
		return NULL;
	}
	return copy;
}

void easy_reset(struct easy *easy)
{
	struct easy fresh = {
		.libcurl = easy->libcurl,
		.handle = easy->handle,
		.http_auth = CURLAUTH_BASIC,
		.url = {.bytes = easy->url.bytes, .size = easy->url.size},
		.performing = easy->performing,
		.multi = easy->multi,
		.multi_serial = easy->multi_serial,
		.multi_drives = easy->multi_drives,
		.replay.held = HELD_INIT,
	};

	if (easy->watched)
		multi_unwatch(easy);
	held_forget(&easy->replay.held);
	free(easy->default_protocol.bytes);
	free(easy->no_proxy.bytes);
	free(easy->protocols_text.bytes);
	free(easy->redir_protocols_text.bytes);
	free(easy->doom);
	*easy = fresh;
}

struct easy *easy_take(const CURL *handle)
{
	return table_take(&easies, handle);
}

void easy_free(struct easy *easy)
{
	if (!easy)
		return;
	multi_part(easy);
	easy_reset(easy);
	free(easy->url.bytes);
	free(easy);
}

struct multi *multi_find(const CURLM *handle)
{
	return table_find(&multis, handle);
}

static struct multi *multi_get(CURLM *handle, const struct libcurl *libcurl)
{
	struct multi *multi = multi_find(handle);
	void *stale;

	if (multi)
		return multi;
	multi = calloc(1, sizeof(*multi));
	if (!multi)
		return NULL;
	multi->libcurl = libcurl;
	multi->serial = atomic_fetch_add(&serials, 1);
	if (!table_put(&multis, handle, multi, &stale)) {
		free(multi);
		return NULL;
	}
	free(stale);
	return multi;
}

void multi_join(CURLM *handle, struct easy *easy)
{
	struct multi *multi = multi_get(handle, easy->libcurl);

	if (!multi)
		return;
	easy->multi = handle;
	easy->multi_serial = multi->serial;
	easy->multi_drives = multi->drives;
}

void multi_drop_message(struct multi *multi, const CURL *handle)
{
	struct message **link = &multi->messages, *message;

	while ((message = *link)) {
		if (message->message->easy_handle == handle) {
			*link = message->next;
			free(message);
		} else {
			link = &message->next;
		}
	}
}

void multi_part(struct easy *easy)
{
	struct multi *multi = multi_of(easy);

	multi_unwatch(easy);
	if (multi)
		multi_drop_message(multi, easy->handle);
	easy->multi = NULL;
}

void multi_keep_message(struct multi *multi, struct message *message)
{
	struct message **link = &multi->messages;

	while (*link)
		link = &(*link)->next;
	message->next = NULL;
	*link = message;
}

struct message *multi_take_message(struct multi *multi)
{
	struct message *message = multi->messages;

	if (message)
		multi->messages = message->next;
	return message;
}

int multi_count_messages(const struct multi *multi)
{
	int count = 0;

	for (const struct message *message = multi->messages; message; message = message->next)
		count++;
	return count;
}

struct multi *multi_of(const struct easy *easy)
{
	struct multi *multi = easy->multi ? multi_find(easy->multi) : NULL;

	return multi && multi->serial == easy->multi_serial ? multi : NULL;
}

void multi_watch(struct easy *easy, bool may_give_up)
{
	struct multi *multi = multi_of(easy);

	if (!multi || easy->watched)
		return;
	easy->watched = true;
	multi->carrying++;
	if (!may_give_up)
		return;
	easy->watched_next = multi->watched;
	multi->watched = easy;
}

void multi_unwatch(struct easy *easy)
{
	struct multi *multi = multi_of(easy);
	struct easy **link = multi ? &multi->watched : NULL;

	if (multi && easy->watched)
		multi->carrying--;
	while (link && *link && *link != easy)
		link = &(*link)->watched_next;
	if (link && *link)
		*link = easy->watched_next;
	easy->watched = false;
	easy->watched_next = NULL;
}

void multi_forget(const CURLM *handle)
{
	struct multi *multi = table_take(&multis, handle);
	struct message *message;

	while (multi && (message = multi_take_message(multi)))
		free(message);
	free(multi);
}
