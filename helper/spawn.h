#ifndef SPAWN_H
#define SPAWN_H

#include <stddef.h>

#include "buffer.h"

/*
 * Run a program, feed it, collect what it says, all under a deadline, without the process around
 * noticing: no child that its wait() or SIGCHLD handler could see, no SIGPIPE, no descriptor that
 * another exec could inherit, no change of errno. It works on any thread of any host: with
 * descriptors 0, 1, 2 closed, SIGCHLD ignored, a reaper in wait(-1), small stacks, gigabytes of memory.
 */
struct spawn {
	const char *path;        /* absolute; it is executed as it is, nothing is searched */
	char *const *argv;
	char *const *envp;       /* all of it: nothing is inherited */
	const char *input;       /* NULL: /dev/null on its stdin */
	size_t input_length;
	struct buffer *output;   /* its stdout */
	struct buffer *errors;   /* its stderr; NULL: the caller's own stderr */
	long timeout_ms;         /* from the start until it has ended */
};

/*
 * STATUS_OK: it ran and ended; *exit_code is 0..255, or 128 + the signal that killed it.
 * STATUS_TIMEOUT: it was killed, with its process group. STATUS_TOO_LONG: likewise, as it said more
 * than a buffer holds. STATUS_SYSTEM: it could not be run; failure says why.
 */
enum status spawn_run(const struct spawn *spawn, int *exit_code, struct failure *failure)
	MUST_CHECK;

#endif
