#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * A private directory (mode 0700) with small private files (mode 0600), all owned by our effective
 * user. Files and directories that are open to others, have another owner, or are symbolic links
 * are not ours, and are not used. Names hold no slash. The caller closes descriptors.
 */

/*
 * If the directory is missing, create makes it and its parents, each with mode 0700. what names its
 * purpose in reasons. STATUS_UNSAFE: it must not be used, and failure says why. STATUS_SYSTEM: it
 * cannot be opened; errno and failure say why. On failure *directory is -1.
 */
enum status directory_open(int *directory, const char *path, bool create, const char *what,
	struct failure *failure) MUST_CHECK;

/*
 * Append the file to content. False: it is missing, not private, unreadable, or larger than content
 * can hold.
 */
bool directory_read(int directory, const char *name, struct buffer *content) MUST_CHECK;

/*
 * Replace the file atomically: write "name~", then rename it to name. The caller must ensure that
 * only one writer of a name runs at a time. STATUS_SYSTEM: the old file is unchanged.
 */
enum status directory_write(int directory, const char *name, const struct buffer *content,
	struct failure *failure) MUST_CHECK;

/*
 * The same for a writer whose turn another process may take over while the writer is stopped. That
 * process creates the file next and then calls directory_take_over(). From then on the stopped
 * writer changes nothing, wherever it was stopped: it fails with STATUS_SYSTEM. generation is 0 for
 * the first writer, and one more for each that takes over.
 */
struct directory_turn {
	int generation;
	const char *next;
};

enum status directory_write_in_turn(int directory, const char *name,
	const struct directory_turn *turn, const struct buffer *content,
	struct failure *failure) MUST_CHECK;

/* Remove the unfinished files of earlier generations. generation is the caller's own. */
void directory_take_over(int directory, const char *name, int generation);

/*
 * Remove the file. *removed says whether it existed; removed may be NULL. STATUS_SYSTEM: it is
 * still there.
 */
enum status directory_remove(
	int directory, const char *name, bool *removed, struct failure *failure) MUST_CHECK;

#endif
