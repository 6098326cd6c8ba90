#ifndef LIBEXEC_H
#define LIBEXEC_H

#include "core/status.h"

struct attributes;
struct buffer;

/*
 * Run one of our own programs (sypht-mint, sypht-fleet): write key=value lines to its stdin, and
 * read key=value lines from its stdout. Of the environment it gets only the variables about
 * networks and libraries. It may take a little longer than timeout_ms, so that it can report itself
 * what took so long.
 *
 * The caller checks the values in answer, and calls attributes_release(). STATUS_SYSTEM: the
 * program was not found, or ended without an answer. STATUS_TIMEOUT: it was killed.
 */
enum status libexec_ask(const char *name, const struct buffer *request, long timeout_ms,
	struct attributes *answer, struct failure *failure) MUST_CHECK;

/*
 * The whole main() of such a program: read the question, call answer_question(), write the answer.
 * The lines in story are always sent, before the others. After a failure status, error and
 * retry_after are sent in place of answer. Returns the exit status.
 */
typedef enum status libexec_answerer(const struct attributes *asked, struct buffer *story,
	struct buffer *answer, struct failure *failure);
int libexec_main(libexec_answerer *answer_question);

/*
 * A hash (FNV-1a) of twelve bits, to tell one value of a variable from another. text NULL: the
 * variable is unset. Combine several variables by XOR. The hash is stored in the cache and may be
 * of a secret. Twelve bits are too few to check a guess, and as the same value always gives the
 * same bits, many records reveal no more than one.
 */
long libexec_sum_text(const char *name, const char *text);

/* The same for all variables that such a program gets. */
long libexec_sum_environment(void);

#endif
