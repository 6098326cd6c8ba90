#ifndef FUZZ_H
#define FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/status.h"

/*
 * What each fuzzer here defines. It aborts where a promise is broken; libFuzzer (make fuzz) looks
 * for input that does that, and replay.c goes through the corpus and its neighbourhood.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For free(). */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* A reason is one line that a terminal can be shown. */
static inline void fuzz_check_reason(const struct failure *failure)
{
	assert(failure->reason[0] != '\0');
	assert(memchr(failure->reason, '\0', sizeof(failure->reason)));
	for (const char *p = failure->reason; *p != '\0'; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7f);
}

#endif
