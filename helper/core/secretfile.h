#ifndef SECRETFILE_H
#define SECRETFILE_H

#include <stdbool.h>

#include "core/buffer.h"

struct settings;

/*
 * A file that holds a secret: ours and closed to all others, or root's and readable by a group of
 * ours at most. "~/x" is of the home directory; a name without "/" may be a credential that systemd
 * hands to its unit (systemd.exec(5), LoadCredential=).
 *
 * Containers have their secrets mounted for all to read. Such a file may be read by others, though
 * not written, where it lies on a mount of its own that is read-only or in memory, at or below
 * /run/secrets, /var/run/secrets or $CREDENTIALS_DIRECTORY, or where SYPHT_CLIENT_SECRET_FILE names
 * it in a container.
 */

/*
 * Append the file to content. what names its purpose in reasons. STATUS_NO_SECRET: it cannot be
 * read, or is too long; STATUS_UNSAFE: others can read it, and failure says what to run.
 */
enum status secretfile_read(const struct settings *settings, const char *path, const char *what,
	struct buffer *content, struct failure *failure) MUST_CHECK;

/* Where it is, for buffer_free_text(); NULL where memory is short. */
char *secretfile_path(const struct settings *settings, const char *path);

#endif
