/* Multi handles of the fake libcurl, and how it drives a transfer that is alone. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "hooks.h"
#include "memory.h"
#include "server.h"

CURLM *fake_multi_init(void)
{
	return calloc(1, sizeof(struct fake_multi));
}

CURLMcode fake_multi_set(struct fake_multi *multi, CURLMoption option, union setting setting)
{
	if (option == CURLMOPT_PUSHFUNCTION)
		multi->push = (curl_push_callback)setting.pointer;
	else if (option == CURLMOPT_PUSHDATA)
		multi->push_data = setting.pointer;
	else
		return CURLM_UNKNOWN_OPTION;
	return CURLM_OK;
}

CURLMcode fake_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	union setting setting;
	va_list list;

	va_start(list, option);
	setting = setting_take((CURLoption)option, list);
	va_end(list);
	return fake_multi_set(multi, option, setting);
}

CURLMcode fake_multi_add_handle(CURLM *handle, CURL *easy_handle)
{
	struct fake_multi *multi = handle;
	struct fake_easy *easy = easy_handle;

	if (easy->multi)
		return CURLM_ADDED_ALREADY;
	if (multi->busy)
		return CURLM_RECURSIVE_API_CALL;
	if (multi->count == FAKE_MULTI_MAX || memory_fails())
		return CURLM_OUT_OF_MEMORY;
	multi->easies[multi->count++] = easy;
	easy->multi = multi;
	transfer_start(easy);
	return CURLM_OK;
}

static void drop(struct fake_easy **list, unsigned *count, const struct fake_easy *easy)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < *count; i++)
		if (list[i] != easy)
			list[kept++] = list[i];
	*count = kept;
}

CURLMcode fake_multi_remove_handle(CURLM *handle, CURL *easy_handle)
{
	struct fake_multi *multi = handle;
	struct fake_easy *easy = easy_handle;

	if (!easy->multi)
		return CURLM_OK;
	if (easy->multi != multi)
		return CURLM_BAD_EASY_HANDLE;
	if (multi->busy)
		return CURLM_RECURSIVE_API_CALL;
	server_ends(easy);
	drop(multi->easies, &multi->count, easy);
	drop(multi->done, &multi->done_count, easy);
	easy->multi = NULL;
	easy->transfer.stage = FAKE_IDLE;
	return CURLM_OK;
}

/* The application's transfer is over, or begins once more as the tape of the other run says. */
static void end_step(struct fake_multi *multi, struct fake_easy *easy)
{
	if (server_restarts(easy)) {
		drop(multi->easies, &multi->count, easy);
		multi->easies[multi->count++] = easy;
		transfer_start(easy);
		return;
	}
	easy->message = (CURLMsg){.msg = CURLMSG_DONE, .easy_handle = easy};
	easy->message.data.result = easy->transfer.result;
	multi->done[multi->done_count++] = easy;
}

static CURLMcode drive(struct fake_multi *multi, int *running)
{
	struct fake_easy *easies[FAKE_MULTI_MAX];
	unsigned count = multi->count;

	if (multi->busy)
		return CURLM_RECURSIVE_API_CALL;
	memcpy(easies, multi->easies, sizeof(easies));
	for (unsigned i = 0; i < count; i++)
		if (easies[i]->transfer.stage != FAKE_DONE && transfer_step(easies[i]))
			end_step(multi, easies[i]);
	*running = 0;
	for (unsigned i = 0; i < multi->count; i++)
		*running += multi->easies[i]->transfer.stage != FAKE_DONE;
	return CURLM_OK;
}

CURLMcode fake_multi_perform(CURLM *multi, int *running)
{
	return drive(multi, running);
}

CURLMcode fake_multi_socket(CURLM *multi, curl_socket_t socket, int *running)
{
	(void)socket;
	return drive(multi, running);
}

CURLMcode fake_multi_socket_action(CURLM *multi, curl_socket_t socket, int events, int *running)
{
	(void)socket;
	(void)events;
	return drive(multi, running);
}

CURLMcode fake_multi_socket_all(CURLM *multi, int *running)
{
	return drive(multi, running);
}

CURLMsg *fake_multi_info_read(CURLM *handle, int *queued)
{
	struct fake_multi *multi = handle;
	struct fake_easy *easy = multi->done_count ? multi->done[0] : NULL;

	*queued = 0;
	if (!easy)
		return NULL;
	drop(multi->done, &multi->done_count, easy);
	*queued = (int)multi->done_count;
	return &easy->message;
}

CURLMcode fake_multi_cleanup(CURLM *handle)
{
	struct fake_multi *multi = handle;

	if (multi->busy)
		return CURLM_RECURSIVE_API_CALL;
	for (unsigned i = 0; i < multi->count; i++) {
		multi->easies[i]->multi = NULL;
		multi->easies[i]->transfer.stage = FAKE_IDLE;
	}
	free(multi);
	return CURLM_OK;
}

/* As the real one: a multi handle of its own, by whatever names its inner calls go. */
enum { ROUNDS_MAX = 300, ROUNDS_PAUSED_MAX = 8 };

static CURLcode drive_alone(struct fake_multi *multi, struct fake_easy *easy)
{
	int running = 1, queued, paused = 0;
	CURLMsg *message;

	for (int round = 0; running && round < ROUNDS_MAX && paused < ROUNDS_PAUSED_MAX; round++) {
		const struct fake_transfer *transfer = &easy->transfer;

		if (fake_is_hooked())
			hook_multi_perform(FAKE_INNER, multi, &running);
		else
			fake_multi_perform(multi, &running);
		paused += transfer->paused_to_read || transfer->paused_to_write;
	}
	if (running)
		return CURLE_OPERATION_TIMEDOUT;
	message = fake_is_hooked() ? hook_multi_info_read(FAKE_INNER, multi, &queued)
				   : fake_multi_info_read(multi, &queued);
	assert(message && message->easy_handle == easy);
	return message->data.result;
}

CURLcode fake_easy_perform(CURL *handle)
{
	struct fake_easy *easy = handle;
	struct fake_multi multi = {.count = 0};
	CURLMcode code;
	CURLcode result;

	if (easy->multi)
		return CURLE_FAILED_INIT;
	code = fake_is_hooked() ? hook_multi_add_handle(FAKE_INNER, &multi, easy)
				: fake_multi_add_handle(&multi, easy);
	if (code != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	easy->performing = true;
	result = drive_alone(&multi, easy);
	easy->performing = false;
	if (fake_is_hooked())
		hook_multi_remove_handle(FAKE_INNER, &multi, easy);
	else
		fake_multi_remove_handle(&multi, easy);
	assert(!easy->multi);
	return result;
}

CURLcode fake_easy_pause(CURL *handle, int bitmask)
{
	struct fake_easy *easy = handle;

	if (!(bitmask & CURLPAUSE_RECV))
		easy->transfer.paused_to_write = false;
	if (!(bitmask & CURLPAUSE_SEND))
		easy->transfer.paused_to_read = false;
	return CURLE_OK;
}
