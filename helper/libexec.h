#ifndef LIBEXEC_H
#define LIBEXEC_H

#include <stdint.h>

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
 * A sum (FNV-1a, 64 bits) over what a part is told of the environment, and one more text in it;
 * NULL counts as another text than "".
 */
uint64_t libexec_sum_environment(void);
uint64_t libexec_add_to_sum(uint64_t sum, const char *text);

#endif
