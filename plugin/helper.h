#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>
#include <time.h>

#include "core/status.h"

struct origin;
struct settings;
struct token;

/*
 * Running sypht-credential on the application's behalf. It gets the environment of the moment
 * helper_prepare() was called, without the dynamic linker's variables. False where memory is short.
 */
bool helper_prepare(void) MUST_CHECK;

/*
 * What "sypht-credential get" answers for origin; token is the caller's to release, and lives from
 * now on. min_valid_s: the token must stay valid for so many seconds, 0 for any. On failure the
 * reason is the helper's own.
 */
enum status helper_get(const struct settings *settings, const struct origin *origin, time_t now,
	long min_valid_s, struct token *token, struct failure *failure) MUST_CHECK;

/* "sypht-credential erase": drop the token in the cache if it still is value. */
void helper_erase(const struct settings *settings, const struct origin *origin, const char *value);

/* "sypht-credential store": the API took this token, which replaced one that it had refused. */
void helper_approve(
	const struct settings *settings, const struct origin *origin, const char *value);

#endif
