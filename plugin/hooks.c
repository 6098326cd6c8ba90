/* The hooks of easy handles; multihooks.c has the others. */
#include <errno.h>
#include <stdlib.h>

#include "hookcall.h"
#include "hooks.h"
#include "inject.h"
#include "replay.h"
#include "scope.h"

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
