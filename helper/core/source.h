#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>

struct profile;
struct settings;

/*
 * Where a profile's client secret comes from, and whether that source has changed. This module
 * reads no secret. secretsource.h lists the order of the sources.
 */
enum source_kind {
	SOURCE_KEY_FILE,
	SOURCE_ASSERTION_FILE,
	SOURCE_ASSERTION_COMMAND,
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
	const char *name; /* for status and traces; a static string */
	const char *text; /* the variable's value, the path or the command; "" for SOURCE_LOGIN */
};

struct source source_choose(const struct settings *settings, const struct profile *profile);

/*
 * The mark of a file is a string made from its stat(2) data. It changes when the file is changed or
 * replaced, even if the clock was set back meanwhile. "-" is the mark of a missing file.
 */
enum { SOURCE_MARK_BYTES = 104, SOURCE_MARKS_BYTES = 4 * SOURCE_MARK_BYTES };

/*
 * The mark of the file that supplies the client id; "" if the profile names the id. For a command
 * or a helper, the mark of the config, which names it.
 */
void source_mark_client(const struct settings *settings, const struct profile *profile,
	char out[SOURCE_MARK_BYTES]);

/* The marks of all files that affect a token request: config, secret, certificate, CA bundle. */
void source_mark_all(const struct settings *settings, const struct profile *profile,
	char out[SOURCE_MARKS_BYTES]);

#endif
