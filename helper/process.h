#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/* What our own programs do about themselves before and besides their work. */

/*
 * Before the first byte is read: descriptors 0 to 2 are open, files are made private, one that
 * grows beyond its limit is a failed write and no signal, and nobody may trace this process or find
 * it in a core dump (prctl(2), PR_SET_DUMPABLE).
 */
void process_harden(void);

/*
 * The path of a program that belongs to us: beside this program, else where make install puts the
 * parts that users do not call, ../lib/sypht. STATUS_SYSTEM: it is in neither place.
 */
enum status process_find_part(
	const char *name, struct buffer *path, struct failure *failure) MUST_CHECK;

/*
 * Become that program, with input on its stdin instead of ours where there is any. Returns only
 * where it cannot be done.
 */
enum status process_become(const char *name, char *const *argv, const struct buffer *input,
	struct failure *failure) MUST_CHECK;

/*
 * Go on in a process of its own, which nobody waits for and no terminal's end ends: in a session of
 * its own, with /dev/null for the standard streams and no descriptor but those in kept (-1 among
 * them is passed over), so that no pipe stays open. True in that process, which leaves by _exit();
 * false in the caller, also where no process can be had. PID 1 of a container and its children go
 * on in the same process, and their caller waits: true, and never false.
 */
bool process_go_on(const int *kept, size_t count) MUST_CHECK;

/* Milliseconds of a clock that nobody sets (CLOCK_MONOTONIC). */
long long process_milliseconds(void);

/*
 * A copy of the environment without the variables that hold or lead to a secret of ours and
 * without the loader's, for programs that are not ours. For free(); its strings are not copied.
 */
char **process_clean_environment(void);

/* Of the environment only the named variables, NULL-terminated. For free(), as above. */
char **process_select_environment(const char *const *names);

#endif
