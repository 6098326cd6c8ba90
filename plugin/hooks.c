#include "hooks.h"

#include <errno.h>
#include <stdlib.h>

#include "handle.h"
#include "inject.h"
#include "replay.h"
#include "scope.h"

/*
 * Who is behind a call: the record of a handle that the application uses, NULL for every other
 * handle and for what libcurl does itself; and the libcurl to pass the call on to.
 */
struct easy_call {
	struct easy *easy;
	const struct libcurl *libcurl;
};

static inline struct easy_call easy_call(struct site site, CURL *handle)
{
	const struct libcurl *inner = resolve_inner(site.caller);
	struct easy *easy = inner ? NULL : easy_find(handle);

	if (easy)
		return (struct easy_call){easy, easy->libcurl};
	return (struct easy_call){NULL, inner ? inner : resolve(site)};
}

struct multi_call {
	struct multi *multi;
	const struct libcurl *libcurl;
};

static inline struct multi_call multi_call(struct site site, CURLM *handle)
{
	const struct libcurl *inner = resolve_inner(site.caller);
	struct multi *multi = inner ? NULL : multi_find(handle);

	if (multi)
		return (struct multi_call){multi, multi->libcurl};
	return (struct multi_call){NULL, inner ? inner : resolve(site)};
}

CURL *hook_easy_init(struct site site)
{
	int error = errno;
	const struct libcurl *libcurl = resolve(site);
	const struct libcurl *inner = resolve_inner(site.caller);
	CURL *handle;

	errno = error;
	if (inner)
		return inner->next.easy_init();
	if (!libcurl)
		return NULL;
	handle = libcurl->next.easy_init();
	error = errno;
	if (handle && !scope_is_off())
		easy_create(handle, libcurl);
	errno = error;
	return handle;
}

/* Also where libcurl itself duplicates, for what a server pushes over HTTP/2. */
CURL *hook_easy_duphandle(struct site site, CURL *handle)
{
	struct easy_call call = easy_call(site, handle);
	struct easy *original = easy_find(handle);
	CURL *copy;
	int error;

	if (!call.libcurl)
		return NULL;
	copy = call.libcurl->next.easy_duphandle(handle);
	error = errno;
	if (copy && original)
		inject_clean_copy(copy, original);
	errno = error;
	return copy;
}

void hook_easy_reset(struct site site, CURL *handle)
{
	struct easy_call call = easy_call(site, handle);

	if (call.libcurl)
		call.libcurl->next.easy_reset(handle);
	if (call.easy)
		easy_reset(call.easy);
}

/*
 * The record goes first: once libcurl has freed the handle, another thread may get its address. So
 * does the message of its end, which libcurl keeps in the handle.
 */
void hook_easy_cleanup(struct site site, CURL *handle)
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

CURLcode hook_easy_setopt(struct site site, CURL *handle, CURLoption option, union setting setting)
{
	struct easy_call call = easy_call(site, handle);
	CURLcode code;

	if (!call.libcurl)
		return CURLE_FAILED_INIT;
	if (call.easy && call.easy->wraps && replay_withholds(call.easy, option)) {
		options_observe(call.easy, option, setting);
		replay_withheld(call.easy, option);
		return CURLE_OK;
	}
	if (call.easy && (call.easy->carried || call.easy->multi) && options_decide(option))
		return inject_change(call.easy, call.libcurl->next.easy_setopt, option, setting);
	code = setting_pass(call.libcurl->next.easy_setopt, handle, option, setting);
	if (call.easy && code == CURLE_OK)
		options_observe(call.easy, option, setting);
	return code;
}

CURLcode hook_easy_perform(struct site site, CURL *handle)
{
	struct easy_call call = easy_call(site, handle);
	CURLcode result;

	if (!call.libcurl)
		return CURLE_FAILED_INIT;
	if (!call.easy || call.easy->performing)
		return call.libcurl->next.easy_perform(handle);
	inject(call.easy);
	call.easy->performing = true;
	result = call.libcurl->next.easy_perform(handle);
	if (inject_again(call.easy, result))
		result = call.libcurl->next.easy_perform(handle);
	call.easy->performing = false;
	return inject_settle(call.easy, result);
}

CURLcode hook_easy_getinfo(struct site site, CURL *handle, CURLINFO info, void *out)
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

CURLMcode hook_multi_add_handle(struct site site, CURLM *multi_handle, CURL *handle)
{
	struct easy_call call = easy_call(site, handle);
	CURLMcode code;

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	code = call.libcurl->next.multi_add_handle(multi_handle, handle);
	if (!call.easy || code != CURLM_OK)
		return code;
	multi_join(multi_handle, call.easy);
	inject(call.easy);
	return code;
}

CURLMcode hook_multi_remove_handle(struct site site, CURLM *multi_handle, CURL *handle)
{
	struct easy_call call = easy_call(site, handle);
	struct multi *multi;
	CURLMcode code;

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	code = call.libcurl->next.multi_remove_handle(multi_handle, handle);
	if (code != CURLM_OK || libcurl_contains(call.libcurl, site.caller))
		return code;
	multi = multi_find(multi_handle);
	if (multi)
		multi_drop_message(multi, handle);
	if (call.easy) {
		inject_undo(call.easy);
		multi_part(call.easy);
	}
	return code;
}

/* The end of a transfer, as the application is to see it. */
static void settle_message(CURLMsg *message)
{
	struct easy *easy = message->msg == CURLMSG_DONE ? easy_find(message->easy_handle) : NULL;

	if (easy)
		message->data.result = inject_settle(easy, message->data.result);
}

CURLMsg *hook_multi_info_read(struct site site, CURLM *multi_handle, int *queued)
{
	struct multi_call call = multi_call(site, multi_handle);
	struct message *kept = call.multi ? multi_take_message(call.multi) : NULL;
	CURLMsg *message;

	if (kept) {
		message = kept->message;
		free(kept);
		*queued = multi_count_messages(call.multi);
		return message;
	}
	message = call.libcurl ? call.libcurl->next.multi_info_read(multi_handle, queued) : NULL;
	if (message && call.multi)
		settle_message(message);
	return message;
}

/* Who is behind a multi handle that is about to work. */
static inline struct multi_call begin_drive(struct site site, CURLM *multi_handle)
{
	struct multi_call call = multi_call(site, multi_handle);

	if (call.multi) {
		call.multi->drives++;
		if (call.multi->watched)
			inject_recheck(call.multi);
	}
	return call;
}

/* Whether a transfer that ended is to be done once more, and is on its way again. */
static bool sent_again(const struct libcurl *libcurl, CURLM *multi_handle, const CURLMsg *message)
{
	struct easy *easy = message->msg == CURLMSG_DONE ? easy_find(message->easy_handle) : NULL;

	return easy && inject_again(easy, message->data.result) &&
	       libcurl->next.multi_remove_handle(multi_handle, easy->handle) == CURLM_OK &&
	       libcurl->next.multi_add_handle(multi_handle, easy->handle) == CURLM_OK;
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
 * Before the application counts what is still running, those that ended with a 401 on our token are
 * sent again; the messages of all others are kept for curl_multi_info_read().
 */
static void harvest(struct multi_call call, CURLM *multi_handle, int *running)
{
	int error = errno;
	struct message *message;

	while ((message = read_message(call.libcurl, multi_handle))) {
		if (sent_again(call.libcurl, multi_handle, message->message)) {
			++*running;
			free(message);
		} else {
			settle_message(message->message);
			multi_keep_message(call.multi, message);
		}
	}
	errno = error;
}

/* It has worked. */
static inline CURLMcode end_drive(
	struct multi_call call, CURLM *multi_handle, int *running, CURLMcode code)
{
	if (code == CURLM_OK && call.multi && call.multi->carrying > 0)
		harvest(call, multi_handle, running);
	return code;
}

CURLMcode hook_multi_perform(struct site site, CURLM *multi_handle, int *running)
{
	struct multi_call call = begin_drive(site, multi_handle);

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	return end_drive(call, multi_handle, running,
		call.libcurl->next.multi_perform(multi_handle, running));
}

CURLMcode hook_multi_socket(
	struct site site, CURLM *multi_handle, curl_socket_t socket, int *running)
{
	struct multi_call call = begin_drive(site, multi_handle);

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	return end_drive(call, multi_handle, running,
		call.libcurl->next.multi_socket(multi_handle, socket, running));
}

CURLMcode hook_multi_socket_action(
	struct site site, CURLM *multi_handle, curl_socket_t socket, int events, int *running)
{
	struct multi_call call = begin_drive(site, multi_handle);

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	return end_drive(call, multi_handle, running,
		call.libcurl->next.multi_socket_action(multi_handle, socket, events, running));
}

CURLMcode hook_multi_socket_all(struct site site, CURLM *multi_handle, int *running)
{
	struct multi_call call = begin_drive(site, multi_handle);

	if (!call.libcurl)
		return CURLM_INTERNAL_ERROR;
	return end_drive(call, multi_handle, running,
		call.libcurl->next.multi_socket_all(multi_handle, running));
}

CURLMcode hook_multi_cleanup(struct site site, CURLM *multi_handle)
{
	struct multi_call call = multi_call(site, multi_handle);

	if (call.multi)
		multi_forget(multi_handle);
	return call.libcurl ? call.libcurl->next.multi_cleanup(multi_handle) : CURLM_INTERNAL_ERROR;
}
