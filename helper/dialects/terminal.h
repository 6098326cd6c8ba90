#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

#include "core/buffer.h"

/*
 * Ask a person: prompt on stderr, one line from stdin, which must be a terminal. With hidden what
 * is typed is not shown; the terminal is as before afterwards, also where a signal ends the
 * program. The line is appended to answer without its end. STATUS_USAGE: input ended before it.
 */
enum status terminal_ask(
	const char *prompt, bool hidden, struct buffer *answer, struct failure *failure) MUST_CHECK;

#endif
