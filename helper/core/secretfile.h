#ifndef SECRETFILE_H
#define SECRETFILE_H

#include <stdbool.h>

#include "core/buffer.h"

struct settings;

/*
 * A file that holds a secret. Nobody else may access a file that is ours; the group may also read a
 * file that is root's or a systemd credential. "~/x" lies in the home directory. A name without "/"
 * may be a credential that systemd passes to its unit (systemd.exec(5), LoadCredential=).
 *
 * Containers mount secrets readable by all. Others may read, but not write, a file whose mount is
 * read-only or in memory and at or below /run/secrets, /var/run/secrets or $CREDENTIALS_DIRECTORY,
 * and a file that SYPHT_CLIENT_SECRET_FILE or AZURE_FEDERATED_TOKEN_FILE names in a container, if
 * its mount is not "/".
 */

/*
 * Append the file to content. what names its purpose in reasons. STATUS_NO_SECRET: it cannot be
 * read, or is too long. STATUS_UNSAFE: another user owns it, or others can access it; failure then
 * says what to do.
 */
enum status secretfile_read(const struct settings *settings, const char *path, const char *what,
	struct buffer *content, struct failure *failure) MUST_CHECK;

/* The same for a file that anybody may read, such as a certificate. */
enum status secretfile_read_public(const struct settings *settings, const char *path,
	const char *what, struct buffer *content, struct failure *failure) MUST_CHECK;

/* The path of the file, for buffer_free_text(). NULL: no memory. */
char *secretfile_path(const struct settings *settings, const char *path);

#endif
