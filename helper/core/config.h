#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>

#include "core/status.h"

/*
 * The config file: INI as inih reads it, opened and checked so that nobody else can have written
 * it, streamed in small chunks, given entry by entry. inih would split or cut what is longer than
 * it has room for, in silence; here that is an error, as is a line it could make nothing of.
 */
enum {
	CONFIG_LINE_MAX = 198,
	CONFIG_SECTION_MAX = 48,
};

struct config_entry {
	const char *section; /* "" before the first */
	const char *key;
	const char *value; /* trimmed, without comment */
	bool continued;    /* an indented line: more of the value of the entry before */
	bool legible;      /* others than the file's owner can read it */
	bool apart;        /* the first one behind something that was passed over */
	unsigned line;     /* from 1; means nothing to config_skim() */
};

/* Called for each entry in order; *stop = true ends the reading without a failure. */
typedef enum status config_visitor(
	const struct config_entry *entry, void *context, bool *stop, struct failure *failure);

/*
 * STATUS_OK where there is no such file, unless it must exist. STATUS_CONFIG: it is neither ours
 * nor root's, others can write it, it cannot be read, or a line breaks the grammar; failure names
 * path and line. What the visitor returns comes back as it is, its reason with path and line put
 * before it.
 */
enum status config_read(const char *path, bool must_exist, config_visitor *visit, void *context,
	struct failure *failure) MUST_CHECK;

/*
 * The same for who wants but the sections that hold one of these texts, in name, keys or values,
 * upper and lower case being the same; a text may be NULL. In a file of more than CONFIG_SMALL_MAX
 * bytes all others are passed over, faults and all. The reason of a failure has no line to name:
 * config_read() finds that.
 */
enum { CONFIG_TEXTS = 2, CONFIG_SMALL_MAX = 1024 };

enum status config_skim(const char *path, bool must_exist, const char *const texts[CONFIG_TEXTS],
	config_visitor *visit, void *context, struct failure *failure) MUST_CHECK;

#endif
