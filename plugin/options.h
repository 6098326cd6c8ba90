#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdarg.h>
#include <stdbool.h>

#include "resolve.h"

struct easy;

/* The one argument of curl_easy_setopt(), by the option's type. */
union setting {
	long number;
	void *pointer;
	curl_off_t offset;
};

/* Whether a token is carried, and how, depends on the option. */
bool options_decide(CURLoption option);

/* The application set it, and libcurl took it. */
void options_observe(struct easy *easy, CURLoption option, union setting setting);

/*
 * Whether any handle of this process ever had one of these facts: FACT_RESOLVE, FACT_HSTS and
 * FACT_ALT_SVC are in caches, which keep what they hold and may be shared.
 */
bool options_ever(unsigned facts);

static inline union setting setting_take(CURLoption option, va_list list)
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

/* curl_easy_setopt() with the argument passed on as its type wants it. */
CURLcode setting_pass(CURLcode (*setopt)(CURL *, CURLoption, ...), CURL *handle, CURLoption option,
	union setting setting);

#endif
