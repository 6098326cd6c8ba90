#include "handles.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callbacks.h"
#include "seam.h"
#include "slots.h"

enum { ROUNDS_MAX = 80 };

static bool shared[APP_FILES + 2];

bool handles_share(unsigned file)
{
	return file >= APP_FILES || shared[file];
}

static void step_set(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a);
	struct choice choice = choice_of(b, c);

	if (slot)
		slot_set(slot, choice.option, slot_setting(slot, &choice, c));
}

static void tell_result(struct slot *slot, CURLcode result)
{
	const struct fake_easy *easy = slot->handle;
	const char *buffer = easy ? fake_pointer(easy, FAKE_ERRORBUFFER) : NULL;

	/* whoever changes a doomed handle behind the plugin's back does not learn why */
	if (easy && easy->transfer.disturbed && result == CURLE_UNSUPPORTED_PROTOCOL)
		result = CURLE_LOGIN_DENIED;
	slot_tell(result, "result");
	if (slots_by_plugin && result == CURLE_LOGIN_DENIED && buffer == slot->error &&
		!easy->transfer.disturbed && strncmp(slot->error, "sypht: ", 7) != 0)
		server_finding("a doomed transfer does not say why");
}

static void step_perform(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a);
	CURLcode result;

	(void)b;
	if (!slot || slot->performing)
		return;
	if (!slot_is_active(slot))
		callbacks_begin(slot_index(slot), c);
	server_expect(slot_is_active(slot) ? NULL : slot->handle);
	slot->performing = true;
	result = CALL(easy_perform, slot->handle);
	slot->performing = false;
	server_expect(NULL);
	tell_result(slot, result);
	if (!slot_is_active(slot))
		slot_tell_options(slot);
}

static void step_add(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a);
	CURLM **multi = slot_multi(b);
	bool idle = slot && !slot_is_active(slot);
	CURLMcode result;

	if (!slot || slot->performing)
		return;
	if (idle)
		callbacks_begin(slot_index(slot), c);
	server_expect(idle ? slot->handle : NULL);
	result = CALL(multi_add_handle, *multi, slot->handle);
	server_expect(NULL);
	slot_tell((unsigned long)result, "added");
	if (result == CURLM_OK)
		slot->multi = b % APP_MULTIS;
}

static void step_remove(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a);
	CURLM **multi = slot_multi(b);
	CURLMcode result;

	(void)c;
	if (!slot || slot->performing)
		return;
	result = CALL(multi_remove_handle, *multi, slot->handle);
	slot_tell((unsigned long)result, "removed");
	if (result != CURLM_OK)
		return;
	slot->multi = SLOT_NO_MULTI;
	slot_tell_options(slot);
}

static void read_messages(CURLM *multi)
{
	CURLMsg *message;
	int queued;

	while ((message = CALL(multi_info_read, multi, &queued))) {
		struct slot *slot = slot_of(message->easy_handle);

		assert(message->msg == CURLMSG_DONE && slot);
		slot_tell((unsigned long)queued, "queued");
		slot_tell(slot_index(slot), "ended");
		tell_result(slot, message->data.result);
	}
}

static CURLMcode drive(CURLM *multi, uint8_t way, int *running)
{
	switch (way % 8) {
	case 0:
		return CALL(multi_socket_action, multi, CURL_SOCKET_TIMEOUT, 0, running);
	case 1:
		return CALL(multi_socket_all, multi, running);
	case 2:
		return CALL(multi_socket, multi, 3, running);
	default:
		return CALL(multi_perform, multi, running);
	}
}

static void step_drive(uint8_t a, uint8_t b, uint8_t c)
{
	CURLM **multi = slot_multi(a);
	int running = 0;
	CURLMcode result;

	(void)c;
	result = drive(*multi, b, &running);
	slot_tell((unsigned long)result, "driven");
	slot_tell((unsigned long)running, "running");
}

static void step_run(uint8_t a, uint8_t b, uint8_t c)
{
	CURLM **multi = slot_multi(a);
	int running = 1;

	(void)c;
	if (callbacks_depth() > 0)
		return;
	for (int round = 0; running && round < ROUNDS_MAX; round++) {
		CURLMcode result = drive(*multi, b, &running);

		slot_tell((unsigned long)result, "driven");
		slot_tell((unsigned long)running, "running");
		read_messages(*multi);
	}
}

static void step_read(uint8_t a, uint8_t b, uint8_t c)
{
	(void)b;
	(void)c;
	if (callbacks_depth() == 0)
		read_messages(*slot_multi(a));
}

static void step_clean(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = &slots[a % APP_EASIES];

	(void)b;
	(void)c;
	if (!slot->handle || !slot_is_loose(slot))
		return;
	CALL_VOID(easy_cleanup, slot->handle);
	slot->handle = NULL;
	slot->multi = SLOT_NO_MULTI;
}

static void step_reset(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a);

	(void)b;
	if (!slot || !slot_is_loose(slot))
		return;
	if (slot_is_active(slot))
		server_disturb(slot->handle);
	CALL_VOID(easy_reset, slot->handle);
	slot_set_streams(slot);
	if (c % 2)
		slot_set(slot, CURLOPT_URL, fake_constant(choice_url(c / 2)));
}

static void step_duplicate(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a), *copy = &slots[b % APP_EASIES];

	if (!slot || copy == slot || (copy->handle && !slot_is_loose(copy)))
		return;
	step_clean(b, 0, 0);
	copy->handle = CALL(easy_duphandle, slot->handle);
	copy->multi = SLOT_NO_MULTI;
	slot_tell(slot_index(copy), copy->handle ? "duplicated" : "not duplicated");
	for (unsigned i = 0; i < 2; i++)
		shared[2 * slot_index(slot) + i] = shared[2 * slot_index(copy) + i] = true;
	if (copy->handle && c % 2)
		slot_set_streams(copy);
}

static void step_clean_multi(uint8_t a, uint8_t b, uint8_t c)
{
	CURLM **multi = &slots_multis[a % APP_MULTIS];

	(void)b;
	(void)c;
	if (!*multi || callbacks_depth() > 0)
		return;
	for (uint8_t i = 0; i < APP_EASIES; i++)
		if (slots[i].multi == a % APP_MULTIS)
			step_remove(i, a, 0);
	slot_tell((unsigned long)CALL(multi_cleanup, *multi), "cleaned");
	*multi = NULL;
	for (unsigned i = 0; i < APP_EASIES; i++)
		if (slots[i].multi == a % APP_MULTIS)
			slots[i].multi = SLOT_NO_MULTI;
}

/* What the plugin judged and libcurl reads is the application's, and may change meanwhile. */
static void step_url(uint8_t a, uint8_t b, uint8_t c)
{
	CURLU *url = slots_urls[a % APP_URLS];

	(void)c;
	for (unsigned i = 0; i < APP_EASIES; i++)
		if (slots[i].handle && slot_is_active(&slots[i]))
			server_diverge("a CURLU may be changed in use");
	curl_url_set(
		url, CURLUPART_URL, choice_url(b), CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
}

static void step_list(uint8_t a, uint8_t b, uint8_t c)
{
	static const char *const lines[] = {
		"Authorization: own", "X-Header: x", "Authorization:", "authorization: own", "X:"};
	struct curl_slist *list = slots_lists[a % APP_LISTS];

	(void)c;
	slots_disturb();
	snprintf(list->data, 32, "%s", lines[b % 5]);
}

static void step_environment(uint8_t a, uint8_t b, uint8_t c)
{
	static const char *const names[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "no_proxy", "NO_PROXY"};
	static const char *const exceptions[] = {"*", "127.0.0.1", "other.example"};
	unsigned name = a % 6;

	(void)c;
	slots_disturb();
	if (b % 3 == 0)
		setenv(names[name], name < 4 ? "http://proxy.example:3128" : exceptions[c % 3], 1);
	else
		unsetenv(names[name]);
}

static void step_revoke(uint8_t a, uint8_t b, uint8_t c)
{
	(void)b;
	(void)c;
	server_revoke(a % SERVER_REALMS);
}

static void step_break(uint8_t a, uint8_t b, uint8_t c)
{
	(void)b;
	(void)c;
	seam_fail(a % 4);
}

static void step_ask(uint8_t a, uint8_t b, uint8_t c)
{
	struct slot *slot = slot_at(a);
	long number = 0;
	char *url = NULL;

	(void)c;
	if (!slot)
		return;
	if (b % 3 == 2) {
		CALL(easy_getinfo, slot->handle, CURLINFO_EFFECTIVE_URL, &url);
		/* a duplicate that did nothing yet need not know where the original went */
		if (((const struct fake_easy *)slot->handle)->transfer.requests > 0)
			slot_tell(0, url);
		return;
	}
	CALL(easy_getinfo, slot->handle, b % 3 ? CURLINFO_REDIRECT_COUNT : CURLINFO_RESPONSE_CODE,
		&number);
	slot_tell((unsigned long)number, "info");
}

void handles_continue(unsigned easy)
{
	if (slots[easy].handle)
		CALL(easy_pause, slots[easy].handle, CURLPAUSE_CONT);
}

static void step_continue(uint8_t a, uint8_t b, uint8_t c)
{
	(void)b;
	(void)c;
	handles_continue(a % APP_EASIES);
}

/* A pushed handle is the application's, with whatever its parent had. */
static int take_pushed(
	CURL *parent, CURL *pushed, size_t count, struct curl_pushheaders *headers, void *data)
{
	struct slot *from = slot_of(parent), *slot = slot_of(NULL);

	(void)count;
	(void)headers;
	if (data != slots_code)
		server_finding("a push callback got %p, which is not the application's", data);
	slot_tell(slot != NULL, "pushed");
	if (!from || !slot)
		return CURL_PUSH_DENY;
	slot->handle = pushed;
	slot->multi = from->multi;
	for (unsigned i = 0; i < 2; i++)
		shared[2 * slot_index(from) + i] = shared[2 * slot_index(slot) + i] = true;
	return CURL_PUSH_OK;
}

static void set_multi(CURLM *multi, CURLMoption option, const void *pointer)
{
	union setting setting = fake_constant(pointer);

	slot_tell((unsigned long)(slots_by_plugin ? hook_multi_setopt(SITE, multi, option, setting)
						  : fake_multi_set(multi, option, setting)),
		"set");
}

static void step_push(uint8_t a, uint8_t b, uint8_t c)
{
	CURLM *multi = *slot_multi(a);

	(void)c;
	set_multi(multi, CURLMOPT_PUSHFUNCTION, b % 4 ? (const void *)take_pushed : NULL);
	set_multi(multi, CURLMOPT_PUSHDATA, slots_code);
}

/* The next step is for a callback. */
static struct arm arming;
static bool is_arming;
static unsigned arming_easy;

static void step_arm(uint8_t a, uint8_t b, uint8_t c)
{
	arming = (struct arm){.callback = b % CALLBACK_KINDS,
		.time = c % 8,
		.action = c / 8 % 6 < ACTION_KINDS ? c / 8 % 6 : ACTION_STEP};
	arming_easy = a % APP_EASIES;
	is_arming = callbacks_depth() == 0;
}

static void check_idle(void)
{
	const struct fake_easy *easy;

	for (easy = fake_easies; easy; easy = easy->next)
		if (!easy->multi && !easy->performing)
			server_check_idle(easy);
}

void handles_step(const uint8_t step[APP_STEP_BYTES])
{
	static const struct {
		const char *name;
		void (*take)(uint8_t, uint8_t, uint8_t);
		unsigned weight;
	} steps[] = {
		{"set", step_set, 76},
		{"perform", step_perform, 40},
		{"add", step_add, 24},
		{"remove", step_remove, 12},
		{"drive", step_drive, 24},
		{"run", step_run, 10},
		{"read", step_read, 8},
		{"clean", step_clean, 4},
		{"reset", step_reset, 4},
		{"duplicate", step_duplicate, 6},
		{"clean multi", step_clean_multi, 2},
		{"url", step_url, 6},
		{"list", step_list, 4},
		{"environment", step_environment, 4},
		{"revoke", step_revoke, 6},
		{"break", step_break, 2},
		{"ask", step_ask, 6},
		{"continue", step_continue, 4},
		{"push", step_push, 4},
		{"arm", step_arm, 10},
	};
	unsigned at = step[0], index = 0;

	if (is_arming) {
		memcpy(arming.step, step, sizeof(arming.step));
		callbacks_arm(arming_easy, &arming);
		is_arming = false;
		return;
	}
	while (index + 1 < sizeof(steps) / sizeof(*steps) && at >= steps[index].weight)
		at -= steps[index++].weight;
	app_note(callbacks_depth() ? "step in a callback" : "step", steps[index].name);
	steps[index].take(step[1], step[2], step[3]);
	if (slots_by_plugin && callbacks_depth() == 0)
		check_idle();
}

void handles_open(bool plugin)
{
	slots_by_plugin = plugin;
	callbacks_open();
	seam_open();
	is_arming = false;
	for (unsigned i = 0; i < APP_EASIES; i++) {
		slots[i] = (struct slot){.multi = SLOT_NO_MULTI};
		slots_forms[i] = (struct curl_httppost){
			.flags = CURL_HTTPPOST_CALLBACK, .userp = callbacks_file(2 * i + 1)};
	}
	for (unsigned i = 0; i < APP_URLS; i++) {
		slots_urls[i] = curl_url();
		curl_url_set(slots_urls[i], CURLUPART_URL, choice_url((uint8_t)(4 * i)), 0);
	}
	for (unsigned i = 0; i < APP_LISTS; i++)
		slots_lists[i] = curl_slist_append(NULL, "X-Header: of thirty-one letters");
	memset(shared, 0, sizeof(shared));
	for (uint8_t name = 0; name < 6; name++)
		step_environment(name, 1, 0);
}

void handles_close(void)
{
	for (uint8_t i = 0; i < APP_EASIES; i++)
		step_clean(i, 0, 0);
	for (uint8_t i = 0; i < APP_MULTIS; i++)
		step_clean_multi(i, 0, 0);
	for (unsigned i = 0; i < APP_URLS; i++)
		curl_url_cleanup(slots_urls[i]);
	for (unsigned i = 0; i < APP_LISTS; i++)
		curl_slist_free_all(slots_lists[i]);
	callbacks_close();
}
