#ifndef HOOKCALL_H
#define HOOKCALL_H

#include "handle.h"
#include "resolve.h"

/*
 * hook_NAME() passes on at once what libcurl itself calls, in as few instructions as possible. A
 * call of the application goes to hook_outer_NAME(), whose body follows the macro.
 */
#define HOOK(result, name, parameters, ...) \
	static __attribute__((noinline)) result hook_outer_##name parameters; \
	result hook_##name parameters \
	{ \
		const struct libcurl *inner = resolve_inner(site.caller); \
\
		return inner ? inner->next.name(__VA_ARGS__) \
			     : hook_outer_##name(site, ##__VA_ARGS__); \
	} \
	static result hook_outer_##name parameters

/* The record of a handle, NULL if it has none; and the libcurl to pass the call on to. */
struct easy_call {
	struct easy *easy;
	const struct libcurl *libcurl;
};

static inline struct easy_call easy_call(struct site site, CURL *handle)
{
	struct easy *easy = easy_find(handle);

	return (struct easy_call){easy, easy ? easy->libcurl : resolve(site)};
}

struct multi_call {
	struct multi *multi;
	const struct libcurl *libcurl;
};

static inline struct multi_call multi_call(struct site site, CURLM *handle)
{
	struct multi *multi = multi_find(handle);

	return (struct multi_call){multi, multi ? multi->libcurl : resolve(site)};
}

#endif
