#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>

#include "core/buffer.h"

/*
 * Ask a person: write the prompt to stderr, and read one line from stdin, which must be a terminal.
 * hidden: the terminal does not show what is typed. Its mode is restored in any case, even if a
 * signal ends the program. Append the line to answer, without its end. STATUS_USAGE: the input
 * ended first.
 */
enum status terminal_ask(
	const char *prompt, bool hidden, struct buffer *answer, struct failure *failure) MUST_CHECK;

#endif
