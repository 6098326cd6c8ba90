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
 * The path of a program of ours: beside this program, else where make install puts the programs
 * that users do not call: ../lib/sypht, ../lib64/sypht or that of the multiarch directory.
 * STATUS_SYSTEM: it is in none of these, or /proc/self/exe cannot be read.
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
 * Continue in a background process: in a session of its own, so that a closed terminal does not end
 * it, and with /dev/null for the standard streams and no other descriptors than those in kept (-1
 * is ignored), so that no pipe stays open. True in that process, which ends by _exit(); false in
 * the caller, also if no process can be made. PID 1 and its children continue in the same process
 * and their caller waits, as a container may end with PID 1: true.
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
