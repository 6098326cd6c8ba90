#ifndef RESOLVE_H
#define RESOLVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The functions are used without curl's type-checking macros. */
#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>
#undef curl_multi_socket

/*
 * The symbol versions that libcurls are known to export. Each hook exists once for each version, so
 * that a versioned reference binds to the hook of its version. References without a version bind to
 * PLAIN, which is first in plugin.map and the default.
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
 * Hooks that are not exported: dlsym() returns them. Each serves one libcurl, since a caller by
 * address does not tell by its own place which libcurl it means. If none is left, a further libcurl
 * is not hooked.
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

/* The hooked functions, without "curl_". */
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

/*
 * Functions that the plugin itself calls, directly in libcurl. NULL in a libcurl that lacks them.
 */
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

/* One libcurl in this process. It is never freed, even if it is unloaded. */
struct libcurl {
	uintptr_t start; /* where it is mapped */
	uintptr_t end;
	struct {
		HOOKED(FUNCTION_POINTER)
	} next; /* what the hooks call: the function of the next preload library, else of libcurl */
	struct {
		OWN(FUNCTION_POINTER)
	} own;
	_Atomic(bool) unloaded;
	struct libcurl *older;
};

/* How a hook was entered: by which symbol version, and from which address. */
struct site {
	enum node node;
	const void *caller;
};

/*
 * The libcurl to which the dynamic linker would have bound the caller without this library. NULL if
 * there is none.
 */
const struct libcurl *resolve(struct site site);

/* Every libcurl found so far, the newest first. */
extern _Atomic(struct libcurl *) resolve_known;

/* Whether the call comes from this libcurl itself. */
static inline bool libcurl_contains(const struct libcurl *libcurl, const void *caller)
{
	return (uintptr_t)caller - libcurl->start < libcurl->end - libcurl->start;
}

/* The libcurl that makes the call, for its own purposes. NULL if the caller is no known libcurl. */
static inline const struct libcurl *resolve_inner(const void *caller)
{
	const struct libcurl *known;

	known = atomic_load_explicit(&resolve_known, memory_order_acquire);
	while (known && !(libcurl_contains(known, caller) && !atomic_load(&known->unloaded)))
		known = known->older;
	return known;
}

/* Which of our hooks stands before a function of one libcurl, for callers that asked by name. */
struct foreign {
	int place; /* the number of the libcurl; -1: there is no hook */
	enum function function;
};

/*
 * dlsym() found address for name: our hook for the libcurl that contains it. None if no libcurl
 * does, if name is not hooked, or if no hook is left.
 */
struct foreign resolve_foreign(const void *address, const char *name);

/* The same for the libcurl that is in the scope of caller. */
struct foreign resolve_foreign_for(const void *caller, const char *name);

/* Whether the function of that name is hooked. */
bool resolve_is_hooked(const char *name);

/*
 * Mark the libcurls that are no longer loaded. Must be called before their addresses can be reused.
 */
void resolve_forget_unloaded(void);

#endif
