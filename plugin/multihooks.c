/* The hooks of multi handles. */
#include <errno.h>
#include <stdlib.h>

#include "hookcall.h"
#include "hooks.h"
#include "inject.h"
#include "replay.h"

/*
 * Decide when the multi handle is first driven. Until then the application may still free what it
 * has set, and replace it.
 */
HOOK(CURLMcode, multi_add_handle, (struct site site, CURLM *multi_handle, CURL *handle),
	multi_handle, handle)
{
	struct easy_call call = easy_call(site, handle);
	struct multi *multi;
	CURLMcode code;

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	if (!call.easy || !multi_handle)
		return call.libcurl->next.multi_add_handle(multi_handle, handle);
	multi = multi_get(multi_handle, call.libcurl);
	if (!multi)
		return CURLM_OUT_OF_MEMORY;
	code = call.libcurl->next.multi_add_handle(multi_handle, handle);
	if (code == CURLM_OK) {
		multi_join(multi, call.easy);
		multi_put_fresh(multi, call.easy);
	}
	return code;
}

HOOK(CURLMcode, multi_remove_handle, (struct site site, CURLM *multi_handle, CURL *handle),
	multi_handle, handle)
{
	struct easy_call call = easy_call(site, handle);
	struct multi *multi;
	CURLMcode code;

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	code = call.libcurl->next.multi_remove_handle(multi_handle, handle);
	if (code != CURLM_OK)
		return code;
	multi = multi_find(multi_handle);
	if (multi)
		multi_drop_message(multi, handle);
	if (call.easy) {
		int error = errno;

		inject_abandon(call.easy);
		multi_part(call.easy);
		errno = error;
	}
	return code;
}

/*
 * Wraps the application's push callback. The pushed handle is a duplicate of the parent, with its
 * token. A libcurl that is linked with -Bsymbolic-functions has made it past our hooks, so clean it
 * here.
 */
static int receive_push(CURL *parent, CURL *pushed, size_t header_count,
	struct curl_pushheaders *headers, void *context)
{
	struct multi *multi = multi_find(context);
	struct easy *original = easy_find(parent);
	int answer = CURL_PUSH_DENY;

	if (multi && multi->push && (!original || inject_clean_copy(pushed, original)))
		answer = multi->push(parent, pushed, header_count, headers, multi->push_data);
	if (answer == CURL_PUSH_OK)
		multi_join(multi, easy_find(pushed));
	else
		easy_free(easy_take(pushed));
	return answer;
}

/* libcurl has one context for the push callback, so set ours whichever half is new. */
static CURLMcode set_push(
	struct multi_call call, struct multi *multi, CURLMoption option, void *set)
{
	CURLMcode (*setopt)(CURLM *, CURLMoption, ...) = call.libcurl->next.multi_setopt;
	CURLMcode code;

	if (option == CURLMOPT_PUSHFUNCTION)
		multi->push = (curl_push_callback)set;
	else
		multi->push_data = set;
	code = setopt(multi->handle, CURLMOPT_PUSHDATA, multi->handle);
	if (code == CURLM_OK)
		code = setopt(
			multi->handle, CURLMOPT_PUSHFUNCTION, multi->push ? receive_push : NULL);
	return code;
}

static bool concerns_us(CURLMoption option)
{
	return option == CURLMOPT_PUSHFUNCTION || option == CURLMOPT_PUSHDATA ||
	       option == CURLMOPT_TIMERFUNCTION || option == CURLMOPT_TIMERDATA;
}

static __attribute__((noinline)) CURLMcode hook_outer_multi_setopt(
	struct site site, CURLM *multi_handle, CURLMoption option, union setting setting)
{
	struct multi_call call = multi_call(site, multi_handle);
	struct multi *multi;

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	if (!multi_handle || !concerns_us(option))
		return SETTING_PASS(call.libcurl->next.multi_setopt, multi_handle, option, setting);
	multi = multi_get(multi_handle, call.libcurl);
	if (!multi)
		return CURLM_OUT_OF_MEMORY;
	if (option == CURLMOPT_PUSHFUNCTION || option == CURLMOPT_PUSHDATA)
		return set_push(call, multi, option, setting.pointer);
	if (option == CURLMOPT_TIMERFUNCTION)
		multi->timer = (curl_multi_timer_callback)setting.pointer;
	else
		multi->timer_data = setting.pointer;
	return SETTING_PASS(call.libcurl->next.multi_setopt, multi_handle, option, setting);
}

CURLMcode hook_multi_setopt(
	struct site site, CURLM *multi_handle, CURLMoption option, union setting setting)
{
	const struct libcurl *inner = resolve_inner(site.caller);

	if (inner)
		return SETTING_PASS(inner->next.multi_setopt, multi_handle, option, setting);
	return hook_outer_multi_setopt(site, multi_handle, option, setting);
}

/* Make the message what the application is to see. Only a message that is kept can wait. */
static void settle_message(CURLMsg *message, bool kept)
{
	struct easy *easy = message->msg == CURLMSG_DONE ? easy_find(message->easy_handle) : NULL;
	int error = errno;

	if (easy) {
		message->data.result = inject_settle(easy, message->data.result);
		easy->seat.driven = false;
	}
	if (easy && !kept && easy->replay.phase == REPLAY_PAUSED) {
		replay_drop(easy);
		message->data.result = CURLE_WRITE_ERROR;
	}
	errno = error;
}

HOOK(CURLMsg *, multi_info_read, (struct site site, CURLM *multi_handle, int *queued), multi_handle,
	queued)
{
	struct multi_call call = multi_call(site, multi_handle);
	struct message *kept = call.multi ? multi_take_message(call.multi) : NULL;
	CURLMsg *message;

	if (kept) {
		message = kept->message;
		free(kept);
		*queued = multi_count_messages(call.multi, false);
		return message;
	}
	message = call.libcurl ? call.libcurl->next.multi_info_read(multi_handle, queued) : NULL;
	if (message && call.multi)
		settle_message(message, false);
	return message;
}

/* The multi handle is about to be driven: decide for the handles that were added to it. */
static inline struct multi_call begin_drive(struct site site, CURLM *multi_handle)
{
	struct multi_call call = multi_call(site, multi_handle);
	int error = errno;
	struct easy *easy;

	while (call.multi && (easy = multi_take_fresh(call.multi))) {
		inject(easy);
		easy->seat.driven = true;
	}
	errno = error;
	return call;
}

/* Whether the transfer that ended is repeated; it is then under way again. */
static bool sent_again(const struct libcurl *libcurl, CURLM *multi_handle, const CURLMsg *message)
{
	struct easy *easy = message->msg == CURLMSG_DONE ? easy_find(message->easy_handle) : NULL;

	if (!easy || !inject_again(easy, message->data.result))
		return false;
	if (libcurl->next.multi_remove_handle(multi_handle, easy->handle) == CURLM_OK &&
		libcurl->next.multi_add_handle(multi_handle, easy->handle) == CURLM_OK)
		return true;
	replay_cancel(easy);
	return false;
}

/* Allocate before reading: a message that was read cannot be given back to libcurl. */
static struct message *read_message(const struct libcurl *libcurl, CURLM *multi_handle)
{
	struct message *message = malloc(sizeof(*message));
	int queued;

	if (message)
		message->message = libcurl->next.multi_info_read(multi_handle, &queued);
	if (message && message->message)
		return message;
	free(message);
	return NULL;
}

/*
 * Repeat the transfers that ended with a 401 on our token, before the application sees how many
 * still run. Keep the messages of all others for curl_multi_info_read().
 */
static void harvest(struct multi_call call, CURLM *multi_handle, int *running)
{
	int error = errno;
	struct message *message;

	while ((message = read_message(call.libcurl, multi_handle))) {
		if (sent_again(call.libcurl, multi_handle, message->message)) {
			if (running)
				++*running;
			free(message);
		} else {
			settle_message(message->message, true);
			multi_keep_message(call.multi, message);
		}
	}
	if (running)
		*running += multi_count_messages(call.multi, true);
	errno = error;
}

/* It was driven. If messages are kept, later ones queue behind them, so that the order stays. */
static inline CURLMcode end_drive(
	struct multi_call call, CURLM *multi_handle, int *running, CURLMcode code)
{
	if (code == CURLM_OK && call.multi && (call.multi->carrying > 0 || call.multi->messages))
		harvest(call, multi_handle, running);
	return code;
}

#define DRIVE(name, parameters, ...) \
	HOOK(CURLMcode, name, parameters, __VA_ARGS__) \
	{ \
		struct multi_call call = begin_drive(site, multi_handle); \
\
		if (!call.libcurl) \
			return CURLM_INTERNAL_ERROR; \
		return end_drive( \
			call, multi_handle, running, call.libcurl->next.name(__VA_ARGS__)); \
	}

DRIVE(multi_perform, (struct site site, CURLM *multi_handle, int *running), multi_handle, running)
DRIVE(multi_socket, (struct site site, CURLM *multi_handle, curl_socket_t socket, int *running),
	multi_handle, socket, running)
DRIVE(multi_socket_action,
	(struct site site, CURLM *multi_handle, curl_socket_t socket, int events, int *running),
	multi_handle, socket, events, running)
DRIVE(multi_socket_all, (struct site site, CURLM *multi_handle, int *running), multi_handle,
	running)

/* libcurl refuses this in a callback. The multi handle lives on then, and so must its record. */
HOOK(CURLMcode, multi_cleanup, (struct site site, CURLM *multi_handle), multi_handle)
{
	struct multi_call call = multi_call(site, multi_handle);
	CURLMcode code;

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	if (!call.multi)
		return call.libcurl->next.multi_cleanup(multi_handle);
	multi_take(multi_handle);
	code = call.libcurl->next.multi_cleanup(multi_handle);
	if (code == CURLM_OK)
		multi_free(call.multi);
	else
		multi_restore(call.multi);
	return code;
}
