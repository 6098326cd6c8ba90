#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>

struct profile;
struct settings;

/*
 * Which place a profile's client secret comes from, and whether that place has changed. Nothing
 * here reads a secret. secretsource.h has the order.
 */
enum source_kind {
	SOURCE_KEY_FILE,
	SOURCE_VARIABLE,
	SOURCE_VARIABLE_FILE,
	SOURCE_API_KEY,
	SOURCE_FILE,
	SOURCE_COMMAND,
	SOURCE_HELPER,
	SOURCE_LOGIN,
};

struct source {
	enum source_kind kind;
	const char *name; /* in words, for status and traces; static */
	const char *text; /* the variable's value, the path, the command; "" for SOURCE_LOGIN */
};

struct source source_choose(const struct settings *settings, const struct profile *profile);

/*
 * A mark is what stat(2) says of a file: two marks are equal as long as nobody changed or replaced
 * the file, whatever the clock said at that time. "-" stands for a file that is not there.
 */
enum { SOURCE_MARK_BYTES = 104, SOURCE_MARKS_BYTES = 3 * SOURCE_MARK_BYTES };

/*
 * The mark of the file that supplies the client id; "" where the profile names the id. A command or
 * a helper has no file: the mark is that of the config, which names it.
 */
void source_mark_client(const struct settings *settings, const struct profile *profile,
	char out[SOURCE_MARK_BYTES]);

/* The marks of all files that decide on a supply: config, secret, CA bundle. */
void source_mark_all(const struct settings *settings, const struct profile *profile,
	char out[SOURCE_MARKS_BYTES]);

#endif
