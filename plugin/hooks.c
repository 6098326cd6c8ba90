#include "hooks.h"

#include <errno.h>
#include <stdlib.h>

#include "handle.h"
#include "inject.h"
#include "replay.h"
#include "scope.h"

/*
 * hook_NAME() passes on at once what libcurl itself calls, in as few instructions as possible. A
 * call of the application goes to hook_outer_NAME(), whose body follows the macro.
 */
#define HOOK(result, name, parameters, ...) \
	static __attribute__((noinline)) result hook_outer_##name parameters; \
	result hook_##name parameters \
	{ \
		const struct libcurl *inner = resolve_inner(site.caller); \
\
		return inner ? inner->next.name(__VA_ARGS__) \
			     : hook_outer_##name(site, ##__VA_ARGS__); \
	} \
	static result hook_outer_##name parameters

/* The record of a handle, NULL if it has none; and the libcurl to pass the call on to. */
struct easy_call {
	struct easy *easy;
	const struct libcurl *libcurl;
};

static inline struct easy_call easy_call(struct site site, CURL *handle)
{
	struct easy *easy = easy_find(handle);

	return (struct easy_call){easy, easy ? easy->libcurl : resolve(site)};
}

struct multi_call {
	struct multi *multi;
	const struct libcurl *libcurl;
};

static inline struct multi_call multi_call(struct site site, CURLM *handle)
{
	struct multi *multi = multi_find(handle);

	return (struct multi_call){multi, multi ? multi->libcurl : resolve(site)};
}

HOOK(CURL *, easy_init, (struct site site))
{
	int error = errno;
	const struct libcurl *libcurl = resolve(site);
	CURL *handle;

	errno = error;
	if (!libcurl)
		return NULL;
	handle = libcurl->next.easy_init();
	error = errno;
	if (handle && !scope_is_off() && !easy_create(handle, libcurl)) {
		libcurl->next.easy_cleanup(handle);
		handle = NULL;
	}
	errno = error;
	return handle;
}

/* libcurl too duplicates handles, for HTTP/2 pushes: those copies must be cleaned as well. */
CURL *hook_easy_duphandle(struct site site, CURL *handle)
{
	const struct libcurl *inner = resolve_inner(site.caller);
	struct easy *original = easy_find(handle);
	const struct libcurl *libcurl = original ? original->libcurl
					: inner  ? inner
						 : resolve(site);
	CURL *copy;
	int error;

	if (!libcurl)
		return NULL;
	copy = libcurl->next.easy_duphandle(handle);
	error = errno;
	if (copy && original && !inject_clean_copy(copy, original)) {
		libcurl->next.easy_cleanup(copy);
		copy = NULL;
	}
	errno = error;
	return copy;
}

HOOK(void, easy_reset, (struct site site, CURL *handle), handle)
{
	struct easy_call call = easy_call(site, handle);

	if (call.libcurl)
		call.libcurl->next.easy_reset(handle);
	if (call.easy)
		easy_reset(call.easy);
}

/*
 * Take out the record first: once libcurl has freed the handle, another thread may get its address.
 * Drop the message of its end too, which libcurl keeps in the handle.
 */
HOOK(void, easy_cleanup, (struct site site, CURL *handle), handle)
{
	struct easy_call call = easy_call(site, handle);

	if (call.easy) {
		easy_take(handle);
		multi_part(call.easy);
	}
	if (call.libcurl)
		call.libcurl->next.easy_cleanup(handle);
	easy_free(call.easy);
}

/* Get memory for the record first: libcurl must not have a setting that the record lacks. */
static inline __attribute__((always_inline)) CURLcode set_option(
	struct easy_call call, CURL *handle, CURLoption option, union setting setting)
{
	struct easy *easy = call.easy;
	enum prepared prepared = options_prepare(easy, option, setting);
	bool withheld =
		inject_withholds(easy, option) || (easy->wraps && replay_withholds(easy, option));
	CURLcode code = CURLE_OK;

	if (prepared == PREPARED_NO_MEMORY)
		return CURLE_OUT_OF_MEMORY;
	if (!withheld)
		code = setting_pass(call.libcurl->next.easy_setopt, handle, option, setting);
	if (code == CURLE_OK && option == CURLOPT_CURLU)
		inject_forget_url(easy);
	if (code == CURLE_OK && prepared == PREPARED)
		options_observe(easy, option, setting);
	if (withheld || easy->wraps & WRAP_READ)
		replay_adjust(easy);
	return code;
}

/*
 * Take the token off before the change: it was put on for what was set before. The change may also
 * bring a waiting transfer into scope.
 */
static __attribute__((noinline)) CURLcode set_amid_transfer(
	struct easy_call call, CURL *handle, CURLoption option, union setting setting)
{
	int error = errno;
	CURLcode code;

	inject_undo(call.easy);
	errno = error;
	code = set_option(call, handle, option, setting);
	error = errno;
	inject_anew(call.easy);
	errno = error;
	return code;
}

CURLcode hook_easy_setopt(struct site site, CURL *handle, CURLoption option, union setting setting)
{
	const struct libcurl *inner = resolve_inner(site.caller);
	struct easy_call call;

	if (inner)
		return setting_pass(inner->next.easy_setopt, handle, option, setting);
	call = easy_call(site, handle);
	if (!call.libcurl)
		return CURLE_FAILED_INIT;
	if (!call.easy)
		return setting_pass(call.libcurl->next.easy_setopt, handle, option, setting);
	if (inject_may_change(call.easy) && options_decide(option))
		return set_amid_transfer(call, handle, option, setting);
	return set_option(call, handle, option, setting);
}

/*
 * The end can be told now. Wake the application, as libcurl does, so that it drives the multi
 * handle.
 */
static void end_pause(struct multi *multi, const struct easy *easy)
{
	if (!multi)
		return;
	for (struct message *kept = multi->messages; kept; kept = kept->next)
		if (kept->message->easy_handle == easy->handle)
			kept->message->data.result = easy->replay.result;
	if (multi->timer)
		multi->timer(multi->handle, 0, multi->timer_data);
	if (multi->libcurl->own.multi_wakeup)
		multi->libcurl->own.multi_wakeup(multi->handle);
}

/*
 * A handle in a multi handle is passed on: libcurl refuses to perform it, and its transfer goes on.
 */
HOOK(CURLcode, easy_perform, (struct site site, CURL *handle), handle)
{
	struct easy_call call = easy_call(site, handle);
	struct easy *easy = call.easy;
	int error = errno;
	CURLcode result;

	if (!call.libcurl)
		return CURLE_FAILED_INIT;
	if (!easy || easy->seat.performing || (easy->seat.multi && multi_of(easy)))
		return call.libcurl->next.easy_perform(handle);
	inject(easy);
	errno = error;
	easy->seat.performing = true;
	result = call.libcurl->next.easy_perform(handle);
	error = errno;
	if (inject_again(easy, result)) {
		result = call.libcurl->next.easy_perform(handle);
		error = errno;
	}
	result = inject_settle(easy, result);
	easy->seat.performing = false;
	errno = error;
	return result;
}

/* A transfer that has ended for libcurl can only be resumed by us: libcurl would refuse. */
HOOK(CURLcode, easy_pause, (struct site site, CURL *handle, int bitmask), handle, bitmask)
{
	struct easy_call call = easy_call(site, handle);
	struct easy *easy = call.easy;

	if (!call.libcurl)
		return CURLE_FAILED_INIT;
	if (!easy || easy->replay.phase != REPLAY_PAUSED)
		return call.libcurl->next.easy_pause(handle, bitmask);
	if (!(bitmask & CURLPAUSE_RECV))
		replay_resume(easy);
	if (easy->seat.multi && easy->replay.phase == REPLAY_OFF)
		end_pause(multi_of(easy), easy);
	return CURLE_OK;
}

HOOK(CURLcode, easy_getinfo, (struct site site, CURL *handle, CURLINFO info, void *out), handle,
	info, out)
{
	struct easy_call call = easy_call(site, handle);

	if (!call.libcurl)
		return CURLE_FAILED_INIT;
	if (call.easy && call.easy->replay.reported && info == CURLINFO_RESPONSE_CODE && out) {
		*(long *)out = call.easy->replay.reported;
		return CURLE_OK;
	}
	return call.libcurl->next.easy_getinfo(handle, info, out);
}

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
