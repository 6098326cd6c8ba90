#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The real functions are named without their macros. */
#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#undef curl_multi_socket

/*
 * The symbol versions libcurls are known to export: each hook exists once for each, so that a
 * versioned reference binds to its own. PLAIN is the catch-all for references without a version;
 * in plugin.map it stands first and is the default.
 */
#define NODES(X, ...) \
	X(PLAIN, "@@SYPHT_PRELOAD", __VA_ARGS__) \
	X(OPENSSL_4, "@CURL_OPENSSL_4", __VA_ARGS__) \
	X(OPENSSL_3, "@CURL_OPENSSL_3", __VA_ARGS__) \
	X(GNUTLS_4, "@CURL_GNUTLS_4", __VA_ARGS__) \
	X(GNUTLS_3, "@CURL_GNUTLS_3", __VA_ARGS__) \
	X(NSS_4, "@CURL_NSS_4", __VA_ARGS__) \
	X(NSS_3, "@CURL_NSS_3", __VA_ARGS__) \
	X(BARE_4, "@CURL_4", __VA_ARGS__) \
	X(BARE_3, "@CURL_3", __VA_ARGS__) \
	X(MULTISSL_4, "@CURL_MULTISSL_4", __VA_ARGS__) \
	X(MBEDTLS_4, "@CURL_MBEDTLS_4", __VA_ARGS__) \
	X(WOLFSSL_4, "@CURL_WOLFSSL_4", __VA_ARGS__) \
	X(WOLFSSL_3, "@CURL_WOLFSSL_3", __VA_ARGS__) \
	X(RUSTLS_4, "@CURL_RUSTLS_4", __VA_ARGS__) \
	X(BEARSSL_4, "@CURL_BEARSSL_4", __VA_ARGS__)

/*
 * Hooks that are not exported: dlsym() answers with them. Each of these serves one libcurl, as who
 * calls by address cannot be told by where the call comes from. A libcurl for which there is none
 * left is not hooked.
 */
#define FOREIGN_NODES(X, ...) \
	X(FOREIGN_0, , __VA_ARGS__) \
	X(FOREIGN_1, , __VA_ARGS__) \
	X(FOREIGN_2, , __VA_ARGS__) \
	X(FOREIGN_3, , __VA_ARGS__) \
	X(FOREIGN_4, , __VA_ARGS__) \
	X(FOREIGN_5, , __VA_ARGS__) \
	X(FOREIGN_6, , __VA_ARGS__) \
	X(FOREIGN_7, , __VA_ARGS__)

enum node {
#define NODE(name, ...) NODE_##name,
	NODES(NODE, ) NODE_EXPORTED,
	NODE_BEFORE_FOREIGN = NODE_EXPORTED - 1,
	FOREIGN_NODES(NODE, )
#undef NODE
		NODE_COUNT,
	FOREIGN_COUNT = NODE_COUNT - NODE_EXPORTED
};

/* The functions that are hooked, without "curl_". */
#define HOOKED(X) \
	X(CURL *, easy_init, (void)) \
	X(CURL *, easy_duphandle, (CURL *)) \
	X(void, easy_reset, (CURL *)) \
	X(void, easy_cleanup, (CURL *)) \
	X(CURLcode, easy_setopt, (CURL *, CURLoption, ...)) \
	X(CURLcode, easy_perform, (CURL *)) \
	X(CURLcode, easy_pause, (CURL *, int)) \
	X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...)) \
	X(CURLMcode, multi_add_handle, (CURLM *, CURL *)) \
	X(CURLMcode, multi_remove_handle, (CURLM *, CURL *)) \
	X(CURLMsg *, multi_info_read, (CURLM *, int *)) \
	X(CURLMcode, multi_perform, (CURLM *, int *)) \
	X(CURLMcode, multi_socket, (CURLM *, curl_socket_t, int *)) \
	X(CURLMcode, multi_socket_action, (CURLM *, curl_socket_t, int, int *)) \
	X(CURLMcode, multi_socket_all, (CURLM *, int *)) \
	X(CURLMcode, multi_cleanup, (CURLM *)) \
	X(CURLMcode, multi_setopt, (CURLM *, CURLMoption, ...))

enum function {
#define FUNCTION(result, name, parameters) FUNCTION_##name,
	HOOKED(FUNCTION)
#undef FUNCTION
		FUNCTION_COUNT
};

/* Those the plugin calls itself, past other preloads; NULL in a libcurl that lacks them. */
#define OWN(X) \
	X(CURLcode, easy_setopt, (CURL *, CURLoption, ...)) \
	X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...)) \
	X(CURLMcode, multi_poll, (CURLM *, struct curl_waitfd[], unsigned, int, int *)) \
	X(CURLMcode, multi_wakeup, (CURLM *)) \
	X(curl_version_info_data *, version_info, (CURLversion)) \
	X(CURLU *, url, (void)) \
	X(CURLU *, url_dup, (const CURLU *)) \
	X(CURLUcode, url_set, (CURLU *, CURLUPart, const char *, unsigned)) \
	X(CURLUcode, url_get, (CURLU *, CURLUPart, char **, unsigned)) \
	X(void, url_cleanup, (CURLU *)) \
	X(void, free, (void *))

#define FUNCTION_POINTER(result, name, parameters) result(*name) parameters;

/* One libcurl in this process. It is kept for ever, even when it is unloaded. */
struct libcurl {
	uintptr_t start; /* where it is mapped */
	uintptr_t end;
	struct {
		HOOKED(FUNCTION_POINTER)
	} next; /* the next in line: libcurl's own, or another preload's */
	struct {
		OWN(FUNCTION_POINTER)
	} own;
	_Atomic(bool) unloaded;
	struct libcurl *older;
};

/* Where a hook was entered: through which of its names, and from where. */
struct site {
	enum node node;
	const void *caller;
};

/*
 * The libcurl the dynamic linker would have bound the caller to, had this library not been
 * there. NULL where none can be found.
 */
const struct libcurl *resolve(struct site site);

/* Every libcurl resolved so far, the newest first. */
extern _Atomic(struct libcurl *) resolve_known;

/* Whether it is libcurl itself that calls. */
static inline bool libcurl_contains(const struct libcurl *libcurl, const void *caller)
{
	return (uintptr_t)caller - libcurl->start < libcurl->end - libcurl->start;
}

/*
 * The libcurl that caller is code of, NULL where it is none of those resolved before: libcurl
 * itself is calling, for purposes of its own.
 */
static inline const struct libcurl *resolve_inner(const void *caller)
{
	const struct libcurl *known;

	known = atomic_load_explicit(&resolve_known, memory_order_acquire);
	while (known && !(libcurl_contains(known, caller) && !atomic_load(&known->unloaded)))
		known = known->older;
	return known;
}

/*
 * The linker has found address for name: our hook for the libcurl that it lies in. NULL where it
 * lies in no libcurl, name is not hooked, or there is no hook left.
 */
void *resolve_hook(const void *address, const char *name);

/* The same for what caller could have found in its own scope. */
void *resolve_hook_for(const void *caller, const char *name);

/* Whether name is a function that is hooked. */
bool resolve_is_hooked(const char *name);

/* Before something is loaded, where an unloaded libcurl may have been. */
void resolve_forget_unloaded(void);

#endif
