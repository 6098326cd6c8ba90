#include "fake.h"

#include <assert.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hooks.h"
#include "memory.h"
#include "server.h"

struct fake_flavour fake_flavour;
struct fake_easy *fake_easies;
const char fake_code[64];

enum kind { KIND_LONG, KIND_TEXT, KIND_POINTER };

static const struct {
	CURLoption option;
	enum kind kind;
} options[] = {
#define OPTION(name, type, ...) [FAKE_##name] = {CURLOPT_##name, KIND_##type},
	FAKE_OPTIONS(OPTION)
#undef OPTION
};

bool fake_is_hooked(void)
{
	return fake_flavour.inner_hooked && server_has_plugin();
}

static void set_text(struct fake_easy *easy, enum fake_option option, const char *value)
{
	free(easy->set[option].pointer);
	easy->set[option].pointer = value ? strdup(value) : NULL;
}

static void forget_url(struct fake_easy *easy)
{
	free(easy->url);
	easy->url = NULL;
	easy->url_parsed = easy->url_replaced = false;
}

static void set_defaults(struct fake_easy *easy)
{
#define LONG_DEFAULT(name, value)    easy->set[FAKE_##name].number = (value)
#define POINTER_DEFAULT(name, value) easy->set[FAKE_##name].pointer = (void *)(value)
#define TEXT_DEFAULT(name, value)    set_text(easy, FAKE_##name, NULL)
#define DEFAULT(name, type, value)   type##_DEFAULT(name, value);
	FAKE_OPTIONS(DEFAULT)
	forget_url(easy);
	free(easy->post_copy);
	easy->post_copy = NULL;
	easy->method = FAKE_GET;
	easy->response = easy->redirects = easy->request_size = 0;
}

CURL *fake_easy_init(void)
{
	struct fake_easy *easy = memory_fails() ? NULL : calloc(1, sizeof(*easy));

	if (!easy)
		return NULL;
	set_defaults(easy);
	easy->next = fake_easies;
	fake_easies = easy;
	return easy;
}

CURL *fake_easy_duphandle(CURL *handle)
{
	const struct fake_easy *original = handle;
	struct fake_easy *copy = fake_easy_init();

	if (!copy)
		return NULL;
	for (int i = 0; i < FAKE_OPTION_COUNT; i++) {
		if (options[i].kind == KIND_TEXT)
			set_text(copy, i, original->set[i].pointer);
		else
			copy->set[i] = original->set[i];
	}
	if (original->post_copy)
		copy->set[FAKE_POSTFIELDS].pointer = copy->post_copy = strdup(original->post_copy);
	copy->method = original->method;
	copy->url = original->url ? strdup(original->url) : NULL;
	copy->url_parsed = copy->url != NULL;
	copy->url_replaced = original->url_replaced;
	return copy;
}

void fake_easy_reset(CURL *handle)
{
	set_defaults(handle);
}

void fake_easy_cleanup(CURL *handle)
{
	struct fake_easy *easy = handle, **link = &fake_easies;

	if (!easy)
		return;
	assert(!easy->performing);
	if (easy->multi)
		server_ends(easy);
	if (easy->multi && fake_is_hooked())
		hook_multi_remove_handle(FAKE_INNER, easy->multi, easy);
	if (easy->multi)
		fake_multi_remove_handle(easy->multi, easy);
	while (*link != easy)
		link = &(*link)->next;
	*link = easy->next;
	set_defaults(easy);
	free(easy);
}

/* Options ---------------------------------------------------------------------------------- */

static long protocols_in(const char *names)
{
	static const struct {
		const char *name;
		long bits;
	} known[] = {{"all", -1}, {"http", CURLPROTO_HTTP}, {"https", CURLPROTO_HTTPS},
		{"ftp", CURLPROTO_FTP}, {"ftps", CURLPROTO_FTPS}, {"imap", CURLPROTO_IMAP}};
	long bits = 0;

	for (; *names; names += strcspn(names, ","), names += *names == ',')
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (strcspn(names, ",") == strlen(known[i].name) &&
				strncasecmp(names, known[i].name, strlen(known[i].name)) == 0)
				bits |= known[i].bits;
	return bits;
}

static void set_user_and_password(struct fake_easy *easy, const char *both)
{
	const char *colon = both ? strchr(both, ':') : NULL;
	char user[32];

	snprintf(user, sizeof(user), "%.*s", colon ? (int)(colon - both) : 0, colon ? both : "");
	set_text(easy, FAKE_USERNAME, colon ? user : both);
	set_text(easy, FAKE_PASSWORD, colon ? colon + 1 : NULL);
}

static void set_post_fields(struct fake_easy *easy, const void *fields)
{
	free(easy->post_copy);
	easy->post_copy = NULL;
	easy->set[FAKE_POSTFIELDS] = fake_constant(fields);
	easy->method = FAKE_POST;
}

static void set_no_body(struct fake_easy *easy, bool on)
{
	if (on)
		easy->method = FAKE_HEAD;
	else if (easy->method == FAKE_HEAD)
		easy->method = FAKE_GET;
}

/* Those that are no more than another way to set what is kept under another name. */
static bool set_otherwise(struct fake_easy *easy, CURLoption option, union setting setting)
{
	switch ((int)option) {
	case CURLOPT_USERPWD:
		set_user_and_password(easy, setting.pointer);
		return true;
	case CURLOPT_PROTOCOLS_STR:
		easy->set[FAKE_PROTOCOLS].number =
			setting.pointer ? protocols_in(setting.pointer) : -1;
		return true;
	case CURLOPT_REDIR_PROTOCOLS_STR:
		easy->set[FAKE_REDIR_PROTOCOLS].number =
			setting.pointer ? protocols_in(setting.pointer) : FAKE_REDIRECTS;
		return true;
	case CURLOPT_COPYPOSTFIELDS:
		set_post_fields(easy, NULL);
		if (setting.pointer)
			easy->set[FAKE_POSTFIELDS].pointer = easy->post_copy =
				strdup(setting.pointer);
		return true;
	case CURLOPT_POSTFIELDS:
		set_post_fields(easy, setting.pointer);
		return true;
	case CURLOPT_POST:
		easy->method = setting.number ? FAKE_POST : FAKE_GET;
		return true;
	case CURLOPT_UPLOAD:
		easy->method = setting.number ? FAKE_PUT : FAKE_GET;
		return true;
	case CURLOPT_HTTPGET:
		if (setting.number)
			easy->method = FAKE_GET;
		return true;
	case CURLOPT_NOBODY:
		set_no_body(easy, setting.number);
		return true;
	default:
		return false;
	}
}

/* What else happens when it is set. */
static void follow_up(struct fake_easy *easy, CURLoption option)
{
	if (option == CURLOPT_URL)
		forget_url(easy);
	if (option == CURLOPT_URL && fake_pointer(easy, FAKE_URL))
		easy->url = strdup(fake_pointer(easy, FAKE_URL));
	if (option == CURLOPT_CURLU && fake_flavour.eight) {
		forget_url(easy);
		set_text(easy, FAKE_URL, NULL);
	}
	easy->url_replaced |= (option == CURLOPT_CURLU || option == CURLOPT_URL) &&
			      fake_pointer(easy, FAKE_CURLU);
	if (option == CURLOPT_HTTPPOST)
		easy->method = FAKE_FORM;
	if (option == CURLOPT_WRITEFUNCTION && !fake_pointer(easy, FAKE_WRITEFUNCTION))
		easy->set[FAKE_WRITEFUNCTION].pointer = (void *)fwrite;
	if (option == CURLOPT_READFUNCTION && !fake_pointer(easy, FAKE_READFUNCTION))
		easy->set[FAKE_READFUNCTION].pointer = (void *)fread;
}

CURLcode fake_setopt(struct fake_easy *easy, CURLoption option, union setting setting)
{
	if (!easy)
		return CURLE_BAD_FUNCTION_ARGUMENT;
	if (set_otherwise(easy, option, setting))
		return CURLE_OK;
	for (int i = 0; i < FAKE_OPTION_COUNT; i++) {
		if (options[i].option != option)
			continue;
		if (options[i].kind == KIND_TEXT && setting.pointer && memory_fails())
			return CURLE_OUT_OF_MEMORY;
		if (options[i].kind == KIND_TEXT)
			set_text(easy, i, setting.pointer);
		else
			easy->set[i] = setting;
		follow_up(easy, option);
		return CURLE_OK;
	}
	return CURLE_UNKNOWN_OPTION;
}

CURLcode fake_easy_setopt(CURL *handle, CURLoption option, ...)
{
	union setting setting;
	va_list list;

	va_start(list, option);
	setting = setting_take(option, list);
	va_end(list);
	return fake_setopt(handle, option, setting);
}

CURLcode fake_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
	struct fake_easy *easy = handle;
	void *out;
	va_list list;

	va_start(list, info);
	out = va_arg(list, void *);
	va_end(list);
	switch ((int)info) {
	case CURLINFO_RESPONSE_CODE:
		*(long *)out = easy->response;
		return CURLE_OK;
	case CURLINFO_REDIRECT_COUNT:
		*(long *)out = easy->redirects;
		return CURLE_OK;
	case CURLINFO_REQUEST_SIZE:
		*(long *)out = easy->request_size;
		return CURLE_OK;
	case CURLINFO_EFFECTIVE_URL:
		*(const char **)out = easy->url ? easy->url : "";
		return CURLE_OK;
	default:
		return CURLE_UNKNOWN_OPTION;
	}
}

/* How the plugin finds it ------------------------------------------------------------------ */

static CURLU *fake_url(void)
{
	return memory_fails() ? NULL : curl_url();
}

static CURLU *fake_url_dup(CURLU *url)
{
	return memory_fails() ? NULL : curl_url_dup(url);
}

static CURLUcode fake_url_set(CURLU *url, CURLUPart part, const char *text, unsigned flags)
{
	return memory_fails() ? CURLUE_OUT_OF_MEMORY : curl_url_set(url, part, text, flags);
}

static CURLUcode fake_url_get(CURLU *url, CURLUPart part, char **text, unsigned flags)
{
	return memory_fails() ? CURLUE_OUT_OF_MEMORY : curl_url_get(url, part, text, flags);
}

void *fake_symbol(const char *name)
{
	static const struct {
		const char *name;
		void *address;
	} symbols[] = {
#define SYMBOL(result, name, parameters) {#name, (void *)fake_##name},
		HOOKED(SYMBOL)
#undef SYMBOL
			{"easy_pause", (void *)fake_easy_pause},
		{"url", (void *)fake_url},
		{"version_info", (void *)curl_version_info},
		{"url_dup", (void *)fake_url_dup},
		{"url_set", (void *)fake_url_set},
		{"url_get", (void *)fake_url_get},
	};
	char real[64];

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (strcmp(symbols[i].name, name) == 0)
			return symbols[i].address;
	snprintf(real, sizeof(real), "curl_%s", name);
	return dlsym(RTLD_DEFAULT, real);
}

void fake_check_empty(void)
{
	assert(!fake_easies);
}
