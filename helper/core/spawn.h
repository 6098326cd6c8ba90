#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * Run a program, feed it, collect what it says, all under a deadline, without the process around
 * noticing: no child that its wait() or SIGCHLD handler could see, no SIGPIPE, no descriptor that
 * another exec could inherit, no change of errno. It works on any thread of any host: with
 * descriptors 0, 1, 2 closed, SIGCHLD ignored, a reaper in wait(-1), small stacks, gigabytes of
 * memory.
 *
 * The program starts with default signals, nothing blocked, no descriptor but 0, 1 and 2, in a
 * process group of its own that is killed when time is up or the caller dies. What it leaves
 * running when it ends by itself is neither killed nor waited for, even where that keeps its stdout
 * open.
 *
 * In a shared object: link with -z now, as the first call of a function must not resolve it here.
 */
struct spawn {
	const char *path; /* absolute; it is executed as it is, nothing is searched */
	char *const *argv;
	char *const *envp; /* all of it: nothing is inherited */
	const char *input; /* NULL: /dev/null on its stdin */
	size_t input_length;
	struct buffer *output; /* its stdout; NULL: /dev/null */
	struct buffer *errors; /* its stderr; NULL: the caller's, /dev/null where that is closed */
	bool asks;             /* it may ask on our terminal, if we are in its foreground; if not,
				  to read from it fails at once */
	long timeout_ms;       /* from the start until it has ended */
};

/*
 * STATUS_OK: it ran and ended; *exit_code is 0..255, or 128 + the signal that killed it.
 * STATUS_TIMEOUT: it was killed, with its process group. STATUS_TOO_LONG: likewise, as it said more
 * than a buffer holds. STATUS_NO_MEMORY: likewise, or it never ran. STATUS_SYSTEM: it could not be
 * run. failure says why; the buffers hold what was said until then.
 */
enum status spawn_run(
	const struct spawn *spawn, int *exit_code, struct failure *failure) MUST_CHECK;

#endif
