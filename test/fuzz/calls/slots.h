#ifndef SLOTS_H
#define SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"
#include "choices.h"
#include "hooks.h"
#include "server.h"

/* What the application holds: easy handles and what it knows of them, and other objects. */
enum { SLOT_NO_MULTI = -1 };

struct slot {
	CURL *handle;
	bool performing;
	int multi; /* the handle is in, as the application knows */
	char error[CURL_ERROR_SIZE];
};

extern struct slot slots[APP_EASIES];
extern CURLM *slots_multis[APP_MULTIS];
extern CURLU *slots_urls[APP_URLS];
extern struct curl_slist *slots_lists[APP_LISTS];
extern struct curl_httppost slots_forms[APP_EASIES]; /* of one part, a stream */

/* A call of libcurl, by way of the plugin if it is there; the plugin's own work is nobody's. */
extern bool slots_by_plugin;
extern const char slots_code[16]; /* the application's, as far as the plugin can tell */
#define SITE ((struct site){NODE_PLAIN, slots_code + 1})
#define CALL(name, ...) \
	({ \
		const struct fake_easy *outer = server_calls(NULL); \
		__auto_type answer = slots_by_plugin ? hook_##name(SITE, __VA_ARGS__) \
						     : fake_##name(__VA_ARGS__); \
		server_calls(outer); \
		answer; \
	})
#define CALL_VOID(name, ...) \
	(slots_by_plugin ? hook_##name(SITE, __VA_ARGS__) : fake_##name(__VA_ARGS__))

/* What came of a call. */
void slot_tell(unsigned long what, const char *text);

unsigned slot_index(const struct slot *slot);

/* The slot of a handle, NULL where it is in none. */
struct slot *slot_of(const CURL *handle);

/* The slot, the multi handle, that a byte stands for; made if it is not there. */
struct slot *slot_at(uint8_t byte);
CURLM **slot_multi(uint8_t byte);

/* Whether the handle is at work; and whether it can be taken apart, not being in the midst of it.
 */
bool slot_is_active(const struct slot *slot);
bool slot_is_loose(const struct slot *slot);

/* Something that any transfer may depend on is changed. */
void slots_disturb(void);

union setting slot_setting(struct slot *slot, const struct choice *choice, uint8_t value);
void slot_set(struct slot *slot, CURLoption option, union setting setting);
void slot_set_pointer(struct slot *slot, CURLoption option, void *pointer);

/* Streams of its own: libcurl's defaults are shared. */
void slot_set_streams(struct slot *slot);

/* What libcurl has of an idle handle is what the application set, its callbacks aside. */
void slot_tell_options(const struct slot *slot);

#endif
