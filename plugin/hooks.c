/*
 * The functions of libcurl that this library puts itself before. For each of them there is the real
 * one (resolve.h), our decision (here), and the exported one, once for every symbol version (at the
 * end). What libcurl calls for itself is passed on unseen.
 */
#include "hooks.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "handle.h"
#include "inject.h"
#include "scope.h"

/* The libcurl of a handle that has no record, or has one but is being used by libcurl itself. */
static const struct libcurl *libcurl_behind(struct site site)
{
	const struct libcurl *libcurl = resolve_inner(site.caller);

	return libcurl ? libcurl : resolve(site);
}

/* The record of a handle that the application uses; NULL for all others. */
static struct easy *easy_used(struct site site, CURL *handle)
{
	struct easy *easy = easy_find(handle);

	return easy && !libcurl_contains(easy->libcurl, site.caller) ? easy : NULL;
}

static struct multi *multi_used(struct site site, CURLM *handle)
{
	struct multi *multi = multi_find(handle);

	return multi && !libcurl_contains(multi->libcurl, site.caller) ? multi : NULL;
}

static CURL *easy_init(struct site site)
{
	int error = errno;
	const struct libcurl *libcurl = resolve(site);
	CURL *handle;

	errno = error;
	if (!libcurl)
		return NULL;
	handle = libcurl->next.easy_init();
	error = errno;
	if (handle && !resolve_inner(site.caller) && scope_settings())
		easy_create(handle, libcurl);
	errno = error;
	return handle;
}

static CURL *easy_duphandle(struct site site, CURL *handle)
{
	struct easy *easy = easy_used(site, handle);
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);
	CURL *copy;
	int error;

	if (!libcurl)
		return NULL;
	copy = libcurl->next.easy_duphandle(handle);
	error = errno;
	if (copy && easy) {
		inject_clean_copy(copy, easy);
		easy_duplicate(copy, easy);
	}
	errno = error;
	return copy;
}

static void easy_reset_hook(struct site site, CURL *handle)
{
	struct easy *easy = easy_used(site, handle);
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);

	if (libcurl)
		libcurl->next.easy_reset(handle);
	if (easy)
		easy_reset(easy);
}

/* The record goes first: once libcurl has freed the handle, another thread may get its address. */
static void easy_cleanup(struct site site, CURL *handle)
{
	struct easy *easy = easy_used(site, handle) ? easy_take(handle) : NULL;
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);

	if (libcurl)
		libcurl->next.easy_cleanup(handle);
	easy_free(easy);
}

static CURLcode easy_setopt(
	struct site site, CURL *handle, CURLoption option, union setting setting)
{
	struct easy *easy = easy_used(site, handle);
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);
	CURLcode code;

	if (!libcurl)
		return CURLE_FAILED_INIT;
	if (easy && (easy->carried || easy->multi) && easy_cares(option))
		return inject_change(easy, libcurl->next.easy_setopt, option, setting);
	code = setting_pass(libcurl->next.easy_setopt, handle, option, setting);
	if (easy && code == CURLE_OK)
		easy_observe(easy, option, setting);
	return code;
}

static CURLcode easy_perform(struct site site, CURL *handle)
{
	struct easy *easy = easy_used(site, handle);
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);
	CURLcode result;

	if (!libcurl)
		return CURLE_FAILED_INIT;
	if (!easy || easy->performing)
		return libcurl->next.easy_perform(handle);
	inject(easy);
	easy->performing = true;
	result = libcurl->next.easy_perform(handle);
	easy->performing = false;
	return inject_settle(easy, result);
}

static CURLMcode multi_add_handle(struct site site, CURLM *multi_handle, CURL *handle)
{
	struct easy *easy = easy_used(site, handle);
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);
	struct multi *multi;
	CURLMcode code;

	if (!libcurl)
		return CURLM_INTERNAL_ERROR;
	code = libcurl->next.multi_add_handle(multi_handle, handle);
	if (!easy || code != CURLM_OK)
		return code;
	multi = multi_get(multi_handle, libcurl);
	if (multi) {
		easy->multi = multi_handle;
		easy->multi_serial = multi->serial;
		easy->multi_drives = multi->drives;
	}
	inject(easy);
	return code;
}

static CURLMcode multi_remove_handle(struct site site, CURLM *multi_handle, CURL *handle)
{
	struct easy *easy = easy_used(site, handle);
	const struct libcurl *libcurl = easy ? easy->libcurl : libcurl_behind(site);
	CURLMcode code;

	if (!libcurl)
		return CURLM_INTERNAL_ERROR;
	code = libcurl->next.multi_remove_handle(multi_handle, handle);
	if (easy && code == CURLM_OK) {
		easy->multi = NULL;
		inject_undo(easy);
	}
	return code;
}

static CURLMsg *multi_info_read(struct site site, CURLM *multi_handle, int *queued)
{
	struct multi *multi = multi_used(site, multi_handle);
	const struct libcurl *libcurl = multi ? multi->libcurl : libcurl_behind(site);
	CURLMsg *message;
	struct easy *easy;

	if (!libcurl)
		return NULL;
	message = libcurl->next.multi_info_read(multi_handle, queued);
	if (!multi || !message || message->msg != CURLMSG_DONE)
		return message;
	easy = easy_find(message->easy_handle);
	if (easy)
		message->data.result = inject_settle(easy, message->data.result);
	return message;
}

/* The libcurl behind a multi handle that is being made to work. */
static const struct libcurl *drive(struct site site, CURLM *multi_handle)
{
	struct multi *multi = multi_used(site, multi_handle);

	if (!multi)
		return libcurl_behind(site);
	multi->drives++;
	return multi->libcurl;
}

static CURLMcode multi_perform(struct site site, CURLM *multi_handle, int *running)
{
	const struct libcurl *libcurl = drive(site, multi_handle);

	return libcurl ? libcurl->next.multi_perform(multi_handle, running) : CURLM_INTERNAL_ERROR;
}

static CURLMcode multi_socket(
	struct site site, CURLM *multi_handle, curl_socket_t socket, int *running)
{
	const struct libcurl *libcurl = drive(site, multi_handle);

	return libcurl ? libcurl->next.multi_socket(multi_handle, socket, running)
		       : CURLM_INTERNAL_ERROR;
}

static CURLMcode multi_socket_action(
	struct site site, CURLM *multi_handle, curl_socket_t socket, int events, int *running)
{
	const struct libcurl *libcurl = drive(site, multi_handle);

	return libcurl ? libcurl->next.multi_socket_action(multi_handle, socket, events, running)
		       : CURLM_INTERNAL_ERROR;
}

static CURLMcode multi_socket_all(struct site site, CURLM *multi_handle, int *running)
{
	const struct libcurl *libcurl = drive(site, multi_handle);

	return libcurl ? libcurl->next.multi_socket_all(multi_handle, running)
		       : CURLM_INTERNAL_ERROR;
}

static CURLMcode multi_cleanup(struct site site, CURLM *multi_handle)
{
	struct multi *multi = multi_used(site, multi_handle);
	const struct libcurl *libcurl = multi ? multi->libcurl : libcurl_behind(site);

	if (multi)
		multi_forget(multi_handle);
	return libcurl ? libcurl->next.multi_cleanup(multi_handle) : CURLM_INTERNAL_ERROR;
}

/*
 * What is exported: for each function and each node of plugin.map one function that notes where it
 * was entered and goes to the decision above.
 */
#define SITE(node) ((struct site){NODE_##node, __builtin_return_address(0)})

#define EXPORT(node, version, at, result, name, parameters) \
	__asm__(".symver at_" #node "_" #name ", curl_" #name at #version); \
	__attribute__((visibility("default"))) result at_##node##_##name parameters; \
	__attribute__((visibility("default"))) result at_##node##_##name parameters

#define EASY_INIT(node, version, at, ...) \
	EXPORT(node, version, at, CURL *, easy_init, (void)) \
	{ \
		return easy_init(SITE(node)); \
	}

#define EASY_DUPHANDLE(node, version, at, ...) \
	EXPORT(node, version, at, CURL *, easy_duphandle, (CURL * handle)) \
	{ \
		return easy_duphandle(SITE(node), handle); \
	}

#define EASY_RESET(node, version, at, ...) \
	EXPORT(node, version, at, void, easy_reset, (CURL * handle)) \
	{ \
		easy_reset_hook(SITE(node), handle); \
	}

#define EASY_CLEANUP(node, version, at, ...) \
	EXPORT(node, version, at, void, easy_cleanup, (CURL * handle)) \
	{ \
		easy_cleanup(SITE(node), handle); \
	}

#define EASY_SETOPT(node, version, at, ...) \
	EXPORT(node, version, at, CURLcode, easy_setopt, (CURL * handle, CURLoption option, ...)) \
	{ \
		va_list list; \
		union setting setting; \
		va_start(list, option); \
		if (option < CURLOPTTYPE_OBJECTPOINT) \
			setting.number = va_arg(list, long); \
		else if (option < CURLOPTTYPE_OFF_T || option >= CURLOPTTYPE_BLOB) \
			setting.pointer = va_arg(list, void *); \
		else \
			setting.offset = va_arg(list, curl_off_t); \
		va_end(list); \
		return easy_setopt(SITE(node), handle, option, setting); \
	}

#define EASY_PERFORM(node, version, at, ...) \
	EXPORT(node, version, at, CURLcode, easy_perform, (CURL * handle)) \
	{ \
		return easy_perform(SITE(node), handle); \
	}

#define MULTI_ADD_HANDLE(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_add_handle, (CURLM * multi, CURL * handle)) \
	{ \
		return multi_add_handle(SITE(node), multi, handle); \
	}

#define MULTI_REMOVE_HANDLE(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_remove_handle, (CURLM * multi, CURL * handle)) \
	{ \
		return multi_remove_handle(SITE(node), multi, handle); \
	}

#define MULTI_INFO_READ(node, version, at, ...) \
	EXPORT(node, version, at, CURLMsg *, multi_info_read, (CURLM * multi, int *queued)) \
	{ \
		return multi_info_read(SITE(node), multi, queued); \
	}

#define MULTI_PERFORM(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_perform, (CURLM * multi, int *running)) \
	{ \
		return multi_perform(SITE(node), multi, running); \
	}

#define MULTI_SOCKET(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_socket, \
		(CURLM * multi, curl_socket_t socket, int *running)) \
	{ \
		return multi_socket(SITE(node), multi, socket, running); \
	}

#define MULTI_SOCKET_ACTION(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_socket_action, \
		(CURLM * multi, curl_socket_t socket, int events, int *running)) \
	{ \
		return multi_socket_action(SITE(node), multi, socket, events, running); \
	}

#define MULTI_SOCKET_ALL(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_socket_all, (CURLM * multi, int *running)) \
	{ \
		return multi_socket_all(SITE(node), multi, running); \
	}

#define MULTI_CLEANUP(node, version, at, ...) \
	EXPORT(node, version, at, CURLMcode, multi_cleanup, (CURLM * multi)) \
	{ \
		return multi_cleanup(SITE(node), multi); \
	}

NODES(EASY_INIT, )
NODES(EASY_DUPHANDLE, )
NODES(EASY_RESET, )
NODES(EASY_CLEANUP, )
NODES(EASY_SETOPT, )
NODES(EASY_PERFORM, )
NODES(MULTI_ADD_HANDLE, )
NODES(MULTI_REMOVE_HANDLE, )
NODES(MULTI_INFO_READ, )
NODES(MULTI_PERFORM, )
NODES(MULTI_SOCKET, )
NODES(MULTI_SOCKET_ACTION, )
NODES(MULTI_SOCKET_ALL, )
NODES(MULTI_CLEANUP, )

struct hooks {
#define FIELD(result, name, parameters) void *name;
	HOOKED(FIELD)
#undef FIELD
};

static const char *const names[] = {
#define NAME(result, name, parameters) "curl_" #name,
	HOOKED(NAME)};

enum { NAME_COUNT = sizeof(names) / sizeof(*names) };

static size_t index_of(const char *name)
{
	size_t i = 0;

	while (i < NAME_COUNT && strcmp(names[i], name) != 0)
		i++;
	return i;
}

bool hooks_name(const char *name)
{
	return index_of(name) < NAME_COUNT;
}

void *hooks_symbol(const char *name, enum node node)
{
#define AT_NODE(node, version, at, hook) [NODE_##node] = (void *)at_##node##_##hook,
#define ROW(result, hook, parameters)    {NODES(AT_NODE, hook)},
	static void *const hooks[NAME_COUNT][NODE_COUNT] = {HOOKED(ROW)};

	return hooks[index_of(name)][node];
}
