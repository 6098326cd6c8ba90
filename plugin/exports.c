/*
 * What is exported, function by function, once for every node of plugin.map: note where it was
 * entered, and go to the decision.
 */
#include <stdarg.h>

#include "hooks.h"

#define SITE(node) ((struct site){NODE_##node, __builtin_return_address(0)})

#define AT(node, version, result, name, parameters) \
	__asm__(".symver at_" #node "_" #name ", curl_" #name version); \
	__attribute__((visibility("default"))) result at_##node##_##name parameters; \
	__attribute__((visibility("default"))) result at_##node##_##name parameters

#define EXPORT(node, version, result, name, parameters, arguments) \
	AT(node, version, result, name, parameters) \
	{ \
		struct site site = SITE(node); \
		return hook_##name arguments; \
	}

#define EXPORT_VOID(node, version, name, parameters, arguments) \
	AT(node, version, void, name, parameters) \
	{ \
		struct site site = SITE(node); \
		hook_##name arguments; \
	}

NODES(EXPORT, CURL *, easy_init, (void), (site))
NODES(EXPORT, CURL *, easy_duphandle, (CURL * handle), (site, handle))
NODES(EXPORT_VOID, easy_reset, (CURL * handle), (site, handle))
NODES(EXPORT_VOID, easy_cleanup, (CURL * handle), (site, handle))
NODES(EXPORT, CURLcode, easy_perform, (CURL * handle), (site, handle))
NODES(EXPORT, CURLMcode, multi_add_handle, (CURLM * multi, CURL *handle), (site, multi, handle))
NODES(EXPORT, CURLMcode, multi_remove_handle, (CURLM * multi, CURL *handle), (site, multi, handle))
NODES(EXPORT, CURLMsg *, multi_info_read, (CURLM * multi, int *queued), (site, multi, queued))
NODES(EXPORT, CURLMcode, multi_perform, (CURLM * multi, int *running), (site, multi, running))
NODES(EXPORT, CURLMcode, multi_socket, (CURLM * multi, curl_socket_t socket, int *running),
	(site, multi, socket, running))
NODES(EXPORT, CURLMcode, multi_socket_action,
	(CURLM * multi, curl_socket_t socket, int events, int *running),
	(site, multi, socket, events, running))
NODES(EXPORT, CURLMcode, multi_socket_all, (CURLM * multi, int *running), (site, multi, running))
NODES(EXPORT, CURLMcode, multi_cleanup, (CURLM * multi), (site, multi))

/* The one argument is as wide as the option's type: on 32 bits a curl_off_t is two words. */
#define EXPORT_SETOPT(node, version, ...) \
	AT(node, version, CURLcode, easy_setopt, (CURL * handle, CURLoption option, ...)) \
	{ \
		union setting setting; \
		va_list list; \
\
		va_start(list, option); \
		setting = setting_take(option, list); \
		va_end(list); \
		return hook_easy_setopt(SITE(node), handle, option, setting); \
	}

NODES(EXPORT_SETOPT, )

/* Here it is always a pointer. */
#define EXPORT_GETINFO(node, version, ...) \
	AT(node, version, CURLcode, easy_getinfo, (CURL * handle, CURLINFO info, ...)) \
	{ \
		void *out; \
		va_list list; \
\
		va_start(list, info); \
		out = va_arg(list, void *); \
		va_end(list); \
		return hook_easy_getinfo(SITE(node), handle, info, out); \
	}

NODES(EXPORT_GETINFO, )
