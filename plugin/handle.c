#include "handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forks.h"
#include "pointermap.h"

static struct pointermap easies = POINTERMAP_INIT;
static struct pointermap multis = POINTERMAP_INIT;
static atomic_ulong serials;

/* Half more than needed, so that URLs that grow a little do not allocate each time. */
bool text_reserve(struct text *text, size_t size)
{
	char *bytes;

	if (size <= text->size)
		return true;
	bytes = realloc(text->bytes, size + size / 2);
	if (!bytes)
		return false;
	text->bytes = bytes;
	text->size = size + size / 2;
	return true;
}

void text_set(struct text *text, const char *value)
{
	text->set = value != NULL;
	if (value)
		memcpy(text->bytes, value, strlen(value) + 1);
}

bool text_is(const struct text *text, const char *value)
{
	return text->set && strcmp(text->bytes, value) == 0;
}

/* Another thread may be amid a change when this one forks. */
static void before_fork(void)
{
	pointermap_lock(&easies);
	pointermap_lock(&multis);
}

static void after_fork(void)
{
	pointermap_unlock(&multis);
	pointermap_unlock(&easies);
}

/*
 * Child handlers run in the order of registration. The host's may use handles, so ours come first.
 */
__attribute__((constructor)) static void watch_forks(void)
{
	forks_watch(before_fork, after_fork, after_fork);
}

/* A record at that address is stale: its handle was freed where the hooks did not see it. */
static bool easy_keep(struct easy *easy)
{
	void *stale;

	if (!pointermap_put(&easies, easy->handle, easy, &stale))
		return false;
	easy_free(stale);
	return true;
}

struct easy *easy_find(const CURL *handle)
{
	return pointermap_find(&easies, handle);
}

/* libcurl's defaults. */
static void set_defaults(struct easy *easy)
{
	easy->http_auth = CURLAUTH_BASIC;
	easy->write_data = stdout;
	easy->read_data = stdin;
	easy->no_progress = 1;
	easy->replay.held = (struct held)HELD_INIT;
}

struct easy *easy_create(CURL *handle, const struct libcurl *libcurl)
{
	struct easy *easy = calloc(1, sizeof(*easy));

	if (!easy)
		return NULL;
	easy->handle = handle;
	easy->libcurl = libcurl;
	set_defaults(easy);
	if (easy_keep(easy))
		return easy;
	easy_free(easy);
	return NULL;
}

static bool text_copy(struct text *copy, const struct text *original)
{
	*copy = (struct text){0};
	if (!original->set)
		return true;
	if (!text_reserve(copy, strlen(original->bytes) + 1))
		return false;
	text_set(copy, original->bytes);
	return true;
}

/*
 * Copy every text even after one has failed: easy_free() would else free the texts of the original.
 */
struct easy *easy_duplicate(CURL *handle, const struct easy *original)
{
	struct easy *copy = malloc(sizeof(*copy));
	bool whole;

	if (!copy)
		return NULL;
	*copy = *original;
	copy->handle = handle;
	copy->load.doom = NULL;
	copy->load.pinned_url = NULL;
	copy->seat = (struct seat){0};
	copy->replay = (struct replay){.held = HELD_INIT};
	whole = text_copy(&copy->url, &original->url);
	whole &= text_copy(&copy->default_protocol, &original->default_protocol);
	whole &= text_copy(&copy->no_proxy, &original->no_proxy);
	whole &= text_copy(&copy->protocols_text, &original->protocols_text);
	whole &= text_copy(&copy->redir_protocols_text, &original->redir_protocols_text);
	if (whole && easy_keep(copy))
		return copy;
	easy_free(copy);
	return NULL;
}

/*
 * curl_easy_reset() leaves a handle in its multi handle, and leaves in it a header that it has not
 * sent. Keep the memory of the URL: the next setting needs it.
 */
void easy_reset(struct easy *easy)
{
	struct easy fresh = {
		.libcurl = easy->libcurl,
		.handle = easy->handle,
		.url = {.bytes = easy->url.bytes, .size = easy->url.size},
		.load = {.unsent = easy->load.unsent, .too_late = true},
	};

	multi_discount(easy);
	fresh.seat = easy->seat;
	fresh.replay.source = easy->replay.source;
	fresh.replay.source_data = easy->replay.source_data;
	held_forget(&easy->replay.held);
	free(easy->default_protocol.bytes);
	free(easy->no_proxy.bytes);
	free(easy->protocols_text.bytes);
	free(easy->redir_protocols_text.bytes);
	free(easy->load.doom);
	if (easy->load.pinned_url)
		easy->libcurl->own.url_cleanup(easy->load.pinned_url);
	*easy = fresh;
	set_defaults(easy);
}

struct easy *easy_take(const CURL *handle)
{
	return pointermap_take(&easies, handle);
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
	return pointermap_find(&multis, handle);
}

struct multi *multi_get(CURLM *handle, const struct libcurl *libcurl)
{
	struct multi *multi = multi_find(handle);
	void *stale;

	if (multi)
		return multi;
	multi = calloc(1, sizeof(*multi));
	if (!multi)
		return NULL;
	multi->libcurl = libcurl;
	multi->handle = handle;
	multi->serial = atomic_fetch_add(&serials, 1);
	if (pointermap_put(&multis, handle, multi, &stale))
		return multi;
	free(multi);
	return NULL;
}

/* The serial tells whether the multi handle is still the one that was joined. */
void multi_join(struct multi *multi, struct easy *easy)
{
	if (!easy)
		return;
	easy->seat.multi = multi->handle;
	easy->seat.multi_serial = multi->serial;
}

void multi_put_fresh(struct multi *multi, struct easy *easy)
{
	easy->seat.fresh_next = multi->fresh;
	multi->fresh = easy;
}

struct easy *multi_take_fresh(struct multi *multi)
{
	struct easy *easy = multi->fresh;

	if (easy)
		multi->fresh = easy->seat.fresh_next;
	return easy;
}

static void drop_fresh(struct multi *multi, const struct easy *easy)
{
	struct easy **link = &multi->fresh;

	while (*link && *link != easy)
		link = &(*link)->seat.fresh_next;
	if (*link)
		*link = easy->seat.fresh_next;
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

	multi_discount(easy);
	if (multi) {
		drop_fresh(multi, easy);
		multi_drop_message(multi, easy->handle);
	}
	easy->seat.multi = NULL;
	easy->seat.driven = false;
}

void multi_keep_message(struct multi *multi, struct message *message)
{
	struct message **link = &multi->messages;

	while (*link)
		link = &(*link)->next;
	message->next = NULL;
	*link = message;
}

static bool is_waiting(const struct message *message)
{
	const struct easy *easy = easy_find(message->message->easy_handle);

	return easy && easy->replay.phase == REPLAY_PAUSED;
}

struct message *multi_take_message(struct multi *multi)
{
	struct message **link = &multi->messages, *message;

	while ((message = *link) && is_waiting(message))
		link = &message->next;
	if (message)
		*link = message->next;
	return message;
}

int multi_count_messages(const struct multi *multi, bool waiting)
{
	int count = 0;

	for (const struct message *message = multi->messages; message; message = message->next)
		count += is_waiting(message) == waiting;
	return count;
}

struct multi *multi_of(const struct easy *easy)
{
	struct multi *multi = easy->seat.multi ? multi_find(easy->seat.multi) : NULL;

	return multi && multi->serial == easy->seat.multi_serial ? multi : NULL;
}

void multi_count(struct easy *easy)
{
	struct multi *multi = easy->seat.counted ? NULL : multi_of(easy);

	if (multi) {
		multi->carrying++;
		easy->seat.counted = true;
	}
}

void multi_discount(struct easy *easy)
{
	struct multi *multi = easy->seat.counted ? multi_of(easy) : NULL;

	if (multi)
		multi->carrying--;
	easy->seat.counted = false;
}

struct multi *multi_take(const CURLM *handle)
{
	return pointermap_take(&multis, handle);
}

/* Without memory the record is lost, and its transfers are then no longer watched. */
void multi_restore(struct multi *multi)
{
	void *stale;

	if (!pointermap_put(&multis, multi->handle, multi, &stale))
		multi_free(multi);
}

void multi_free(struct multi *multi)
{
	struct message *message;

	while (multi && (message = multi->messages)) {
		multi->messages = message->next;
		free(message);
	}
	free(multi);
}
