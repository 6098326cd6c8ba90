#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/* What our own programs need from the system. */

/*
 * Call this before anything is read. Open descriptors 0 to 2 if they are closed. Make new files
 * private. Turn a file that exceeds its size limit into a failed write instead of a signal. Forbid
 * core dumps, and tracing by other processes (prctl(2), PR_SET_DUMPABLE).
 */
void process_harden(void);

/*
 * Find one of our own programs: in the directory of this program, or where make install puts the
 * programs that users do not call (../lib/sypht, ../lib64/sypht, or sypht in the multiarch
 * directory). STATUS_SYSTEM: it is in none of them, or /proc/self/exe cannot be read.
 */
enum status process_find_part(
	const char *name, struct buffer *path, struct failure *failure) MUST_CHECK;

/* Execute that program. Its stdin is input, or ours if input is empty. Returns only on failure. */
enum status process_become(const char *name, char *const *argv, const struct buffer *input,
	struct failure *failure) MUST_CHECK;

/*
 * Continue in a background process. It has a session of its own, so that a closed terminal does not
 * end it, /dev/null as its standard streams, and otherwise only the descriptors in kept (-1 is
 * ignored), so that no pipe stays open. True in that process, which must end by _exit(); false in
 * the caller, also if fork() fails. PID 1 and its children do not fork, as a container ends with
 * PID 1: they continue in the same process (true), and their caller waits.
 */
bool process_go_on(const int *kept, size_t count) MUST_CHECK;

/* Milliseconds of CLOCK_MONOTONIC, which nobody can set. */
long long process_milliseconds(void);

/*
 * The environment for foreign programs: without the variables that hold a secret of ours or name
 * its file, and without LD_*. For free(); the strings are not copied.
 */
char **process_clean_environment(void);

/* Only the named variables of the environment. names ends with NULL. For free(), as above. */
char **process_select_environment(const char *const *names);

#endif
