#ifndef LIBEXEC_H
#define LIBEXEC_H

#include "core/status.h"

struct attributes;
struct buffer;

/*
 * Ask a program that belongs to us: key=value lines on its stdin, key=value lines from its stdout.
 * It is told of the environment only what bears on networks and libraries, and may take a little
 * longer than timeout_ms, so that it can say itself what took so long.
 *
 * answer is parsed, not yet believed; the caller's, for attributes_release(). STATUS_SYSTEM: the
 * part is not there, or ended without an answer. STATUS_TIMEOUT: it was killed.
 */
enum status libexec_ask(const char *name, const struct buffer *request, long timeout_ms,
	struct attributes *answer, struct failure *failure) MUST_CHECK;

/*
 * All of main() of such a program: read the question, have it answered, write the answer. story
 * takes the lines that are sent whatever comes of the question, answer the others. After a failure
 * status, error and retry_after replace what answer holds. Returns the exit status.
 */
typedef enum status libexec_answerer(const struct attributes *asked, struct buffer *story,
	struct buffer *answer, struct failure *failure);
int libexec_main(libexec_answerer *answer_question);

/*
 * Twelve bits (FNV-1a) that tell one value of a variable from another; text NULL: it is unset. Of
 * several variables, XOR. A value thus always adds the same twelve bits: records made under
 * different environments say no more about a secret among them than one record, and that is too
 * little to check a guess.
 */
long libexec_sum_text(const char *name, const char *text);

/* The same for all variables that a part is told of. */
long libexec_sum_environment(void);

#endif
