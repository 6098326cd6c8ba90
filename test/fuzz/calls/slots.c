#include "slots.h"

#include "callbacks.h"

struct slot slots[APP_EASIES];
CURLM *slots_multis[APP_MULTIS];
CURLU *slots_urls[APP_URLS];
struct curl_slist *slots_lists[APP_LISTS];
struct curl_httppost slots_forms[APP_EASIES];
bool slots_by_plugin;
const char slots_code[16];

void slot_tell(unsigned long what, const char *text)
{
	app_trace(APP_CALLS, 0, what, text);
}

bool slot_is_active(const struct slot *slot)
{
	return slot->performing || slot->multi != SLOT_NO_MULTI;
}

/* Whether a handle can be taken apart: not in the middle of what it does. */
bool slot_is_loose(const struct slot *slot)
{
	return !slot->performing && (slot->multi == SLOT_NO_MULTI || callbacks_depth() == 0);
}

unsigned slot_index(const struct slot *slot)
{
	return (unsigned)(slot - slots);
}

struct slot *slot_of(const CURL *handle)
{
	for (unsigned i = 0; i < APP_EASIES; i++)
		if (slots[i].handle == handle)
			return &slots[i];
	return NULL;
}

void slots_disturb(void)
{
	for (unsigned i = 0; i < APP_EASIES; i++)
		if (slots[i].handle && slot_is_active(&slots[i]))
			server_disturb(slots[i].handle);
}

union setting slot_setting(struct slot *slot, const struct choice *choice, uint8_t value)
{
	union setting setting = choice->setting;

	if (choice->kind == CHOICE_FILE)
		setting.pointer = callbacks_file(2 * slot_index(slot) + value % 2);
	else if (choice->kind == CHOICE_ERROR_BUFFER)
		setting.pointer = value % 4 ? slot->error : NULL;
	else if (choice->kind == CHOICE_FORM)
		setting.pointer = value % 3 ? &slots_forms[slot_index(slot)] : NULL;
	else if (choice->kind == CHOICE_CURLU)
		setting.pointer = value % 3 ? slots_urls[value % 3 - 1] : NULL;
	else if (choice->kind == CHOICE_LIST)
		setting.pointer = value % 6 < 2 ? slots_lists[value % 6] : NULL;
	return setting;
}

/* A curl_off_t is none of those that are modelled. */
void slot_set(struct slot *slot, CURLoption option, union setting setting)
{
	CURLcode result;

	if (slot_is_active(slot)) {
		server_disturb(slot->handle);
		server_ends(slot->handle);
	}
	if (option == CURLOPT_OPENSOCKETFUNCTION && setting.pointer)
		server_distrust();
	result = slots_by_plugin ? hook_easy_setopt(SITE, slot->handle, option, setting)
				 : fake_setopt(slot->handle, option, setting);
	slot_tell((unsigned long)option, result == CURLE_OK ? "set" : "not set");
}

static void slot_set_number(struct slot *slot, CURLoption option, long number)
{
	slot_set(slot, option, (union setting){.number = number});
}

void slot_set_pointer(struct slot *slot, CURLoption option, void *pointer)
{
	slot_set(slot, option, (union setting){.pointer = pointer});
}

void slot_set_streams(struct slot *slot)
{
	unsigned id = 2 * slot_index(slot);

	slot_set_pointer(slot, CURLOPT_WRITEDATA, callbacks_file(id));
	slot_set_pointer(slot, CURLOPT_READDATA, callbacks_file(id));
	slot_set_pointer(slot, CURLOPT_SEEKDATA, callbacks_file(id));
	slot_set_pointer(slot, CURLOPT_IOCTLDATA, callbacks_file(id));
	slot_set_pointer(slot, CURLOPT_XFERINFODATA, callbacks_file(id));
	slot_set_pointer(slot, CURLOPT_OPENSOCKETDATA, callbacks_file(id));
	slot_set_pointer(slot, CURLOPT_PREREQDATA, callbacks_file(id));
}

static struct slot *make(struct slot *slot)
{
	if (slot->handle)
		return slot;
	slot->handle = slots_by_plugin ? hook_easy_init(SITE) : fake_easy_init();
	slot->multi = SLOT_NO_MULTI;
	slot_tell(slot_index(slot), slot->handle ? "made" : "not made");
	if (!slot->handle)
		return NULL;
	slot_set_streams(slot);
	slot_set(slot, CURLOPT_URL, fake_constant(choice_url((uint8_t)slot_index(slot))));
	slot_set_number(slot, CURLOPT_FOLLOWLOCATION, 1);
	return slot;
}

struct slot *slot_at(uint8_t byte)
{
	return make(&slots[byte % APP_EASIES]);
}

CURLM **slot_multi(uint8_t byte)
{
	CURLM **multi = &slots_multis[byte % APP_MULTIS];

	if (!*multi)
		*multi = fake_multi_init();
	return multi;
}

void slot_tell_options(const struct slot *slot)
{
	const struct fake_easy *easy = slot->handle;
	static const enum fake_option texts[] = {FAKE_URL, FAKE_DEFAULT_PROTOCOL, FAKE_USERNAME,
		FAKE_PASSWORD, FAKE_XOAUTH2_BEARER, FAKE_PROXY, FAKE_NOPROXY, FAKE_CUSTOMREQUEST};
	static const enum fake_option numbers[] = {FAKE_UNRESTRICTED_AUTH, FAKE_NETRC,
		FAKE_PROTOCOLS, FAKE_REDIR_PROTOCOLS, FAKE_PORT, FAKE_SSL_VERIFYPEER,
		FAKE_FOLLOWLOCATION, FAKE_HEADER, FAKE_FAILONERROR};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = fake_pointer(easy, texts[i]);

		/* one that a CURLU replaces is nothing to anybody */
		if (texts[i] == FAKE_URL && fake_flavour.eight && fake_pointer(easy, FAKE_CURLU))
			continue;

		slot_tell(texts[i], text ? text : "none");
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		slot_tell((unsigned long)fake_long(easy, numbers[i]), "option");
	/* after a transfer a duplicate may stand for the application's: nobody can ask which it is
	 */
	slot_tell(fake_pointer(easy, FAKE_CURLU) != NULL, "CURLU");
	slot_tell(fake_pointer(easy, FAKE_HTTPHEADER) == slots_lists[0], "list");
	slot_tell((unsigned long)easy->method, "method");
}
