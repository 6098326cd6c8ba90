#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdarg.h>
#include <stdbool.h>

#include "resolve.h"

struct easy;

/* The argument of curl_easy_setopt(), which has the option's type. */
union setting {
	long number;
	void *pointer;
	curl_off_t offset;
};

/* Whether the option decides if a token is carried, and how. */
bool options_decide(CURLoption option);

/*
 * Make room for what options_observe() will copy. PREPARED_SAME: nothing to observe, as the value
 * is the same as before, or the record does not hold the option.
 */
enum prepared { PREPARED, PREPARED_SAME, PREPARED_NO_MEMORY };
enum prepared options_prepare(struct easy *easy, CURLoption option, union setting setting);

/* The application has set the option, and libcurl has accepted it. */
void options_observe(struct easy *easy, CURLoption option, union setting setting);

/*
 * Whether any handle of this process ever had one of these facts. What FACT_RESOLVE, FACT_HSTS,
 * FACT_ALT_SVC, FACT_DOH and FACT_SOCKET cause stays in caches of names and connections, which
 * outlive the setting and may be shared between handles.
 */
extern atomic_uint options_ever_set;

static inline bool options_ever(unsigned facts)
{
	return atomic_load_explicit(&options_ever_set, memory_order_relaxed) & facts;
}

/* Also for curl_multi_setopt(). */
static inline union setting setting_take(unsigned option, va_list list)
{
	union setting setting;

	if (option < CURLOPTTYPE_OBJECTPOINT)
		setting.number = va_arg(list, long);
	else if (option < CURLOPTTYPE_OFF_T || option >= CURLOPTTYPE_BLOB)
		setting.pointer = va_arg(list, void *);
	else
		setting.offset = va_arg(list, curl_off_t);
	return setting;
}

/* Call curl_easy_setopt() or curl_multi_setopt() with an argument of the option's type. */
#define SETTING_PASS(setopt, handle, option, setting) \
	((option) < CURLOPTTYPE_OBJECTPOINT ? (setopt)(handle, option, (setting).number) \
		: (option) < CURLOPTTYPE_OFF_T || (option) >= CURLOPTTYPE_BLOB \
			? (setopt)(handle, option, (setting).pointer) \
			: (setopt)(handle, option, (setting).offset))

CURLcode setting_pass(CURLcode (*setopt)(CURL *, CURLoption, ...), CURL *handle, CURLoption option,
	union setting setting);

#endif
