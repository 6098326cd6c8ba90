#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>
#include <time.h>

#include "core/status.h"

struct origin;
struct settings;
struct token;

/*
 * Running sypht-credential. It gets a copy of the environment, made by helper_prepare(), without
 * the variables of the dynamic linker. False if memory is short.
 */
bool helper_prepare(void) MUST_CHECK;

/*
 * Run "sypht-credential get" for origin. The caller releases token, which is obtained now. It stays
 * valid for min_valid_s seconds at least; 0 for any. On failure the reason is that of the helper.
 */
enum status helper_get(const struct settings *settings, const struct origin *origin, time_t now,
	long min_valid_s, struct token *token, struct failure *failure) MUST_CHECK;

/* Run "sypht-credential erase": drop the cached token if it is still value. */
void helper_erase(const struct settings *settings, const struct origin *origin, const char *value);

/* Run "sypht-credential store": the API has accepted this token, which replaced a rejected one. */
void helper_approve(
	const struct settings *settings, const struct origin *origin, const char *value);

#endif
