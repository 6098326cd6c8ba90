#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>

#include "core/status.h"

/*
 * The config file: INI as inih reads it, one entry at a time. Only its owner or root may be able to
 * write it. inih silently splits or cuts lines and names that are too long, and skips lines that it
 * does not understand. Here both are errors.
 */
enum {
	CONFIG_LINE_MAX = 198,
	CONFIG_SECTION_MAX = 48,
};

struct config_entry {
	const char *section; /* "" before the first section */
	const char *key;
	const char *value; /* trimmed, without comment */
	bool continued;    /* an indented line: continues the value of the entry before it */
	bool legible;      /* others than the file's owner can read it */
	unsigned line;     /* from 1 */
};

/* Called for each entry in order. *stop = true ends the reading without a failure. */
typedef enum status config_visitor(
	const struct config_entry *entry, void *context, bool *stop, struct failure *failure);

/*
 * STATUS_OK if there is no such file and must_exist is false. STATUS_CONFIG: the owner is neither
 * this user nor root, others can write the file, it cannot be read, or a line breaks the grammar.
 * failure names the path, and the line if there is one. If the visitor fails, its status is
 * returned, with path and line put before its reason.
 */
enum status config_read(const char *path, bool must_exist, config_visitor *visit, void *context,
	struct failure *failure) MUST_CHECK;

#endif
