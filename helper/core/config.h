#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>

#include "core/status.h"

/*
 * The config file: INI as inih reads it, one entry at a time. Nobody but its owner or root may have
 * written it. inih would split or cut what is longer than it has room for, in silence; here that is
 * an error, as is a line that inih would pass over.
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
	unsigned line;     /* from 1 */
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

#endif
