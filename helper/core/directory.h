#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * A directory that is ours alone (0700, our effective user), holding small files that are ours
 * alone (0600). Anything looser, foreign, or reached by a symbolic link is not what we put there.
 * Names are plain file names. Descriptors are the caller's to close.
 */

/*
 * With create the directory is made where it is missing, parents included, each 0700. what names
 * its purpose in reasons. STATUS_UNSAFE: it must not be used, and the reason says what to run.
 * STATUS_SYSTEM: it cannot be had; errno says why.
 */
enum status directory_open(int *directory, const char *path, bool create, const char *what,
	struct failure *failure) MUST_CHECK;

/*
 * Append the file to content. False: it is not there, is not as private as it must be, or holds
 * more than content takes.
 */
bool directory_read(int directory, const char *name, struct buffer *content) MUST_CHECK;

/*
 * Put content in place of name, whole or not at all, by renaming a finished file, "name~" until
 * then. Writers of one name must take turns, which is the caller's to see to. STATUS_SYSTEM:
 * nothing changed.
 */
enum status directory_write(int directory, const char *name, const struct buffer *content,
	struct failure *failure) MUST_CHECK;

/*
 * The same for a writer whose turn can be taken over while it is stopped. The next one makes a file
 * called next, and then calls directory_take_over(): from there on the earlier one changes nothing,
 * wherever it was stopped. generation counts the turns that were taken over, from 0.
 */
struct directory_turn {
	int generation;
	const char *next;
};

enum status directory_write_in_turn(int directory, const char *name,
	const struct directory_turn *turn, const struct buffer *content,
	struct failure *failure) MUST_CHECK;

/* generation: one's own. */
void directory_take_over(int directory, const char *name, int generation);

/*
 * Remove the file; removed says whether it was there (removed may be NULL). STATUS_SYSTEM: it still
 * is.
 */
enum status directory_remove(
	int directory, const char *name, bool *removed, struct failure *failure) MUST_CHECK;

#endif
