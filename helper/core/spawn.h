#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * Run a program, write its input and read its output, all under a deadline. The host process sees
 * nothing of it: no child in wait() or in a SIGCHLD handler, no SIGPIPE, no descriptor that another
 * exec could inherit, no change of errno. It works on any thread of any host: with descriptors 0,
 * 1, 2 closed, SIGCHLD ignored, a reaper in wait(-1), small stacks, gigabytes of memory.
 *
 * The program starts with default signal actions, no signal blocked, only descriptors 0, 1 and 2,
 * and its own process group, which is killed at the deadline or when the caller dies. If the
 * program ends before that, the processes it leaves behind are neither killed nor waited for, even
 * if they keep its stdout open.
 *
 * Link a shared object with -z now: the lazy binding of a symbol must not happen in here.
 */
struct spawn {
	const char *path; /* absolute; PATH is not searched */
	char *const *argv;
	char *const *envp; /* the whole environment: nothing is inherited */
	const char *input; /* for its stdin; NULL: /dev/null */
	size_t input_length;
	struct buffer *output; /* its stdout; NULL: /dev/null */
	struct buffer *errors; /* its stderr; NULL: the caller's, or /dev/null if that is closed */
	bool asks;             /* it may prompt on our terminal if we are in the foreground;
				  otherwise a read from the terminal fails at once */
	long timeout_ms;       /* from the start to the end of the program */
};

/*
 * STATUS_OK: it ran and ended; *exit_code is 0..255, or 128 + the signal that killed it.
 * STATUS_TIMEOUT: it was killed, with its process group. STATUS_TOO_LONG: likewise, because its
 * output exceeds a buffer. STATUS_NO_MEMORY: likewise, or it never ran. STATUS_SYSTEM: it could not
 * be run. failure says why; the buffers hold the output up to then.
 */
enum status spawn_run(
	const struct spawn *spawn, int *exit_code, struct failure *failure) MUST_CHECK;

#endif
