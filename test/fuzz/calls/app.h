#ifndef APP_H
#define APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake.h"

/*
 * An application that uses libcurl: a few handles of each kind, callbacks and streams, and whatever
 * a program of calls makes it do with them. What it sees is summed up, so that two runs can be
 * compared.
 */
enum {
	APP_EASIES = 4,
	APP_MULTIS = 2,
	APP_URLS = 2,
	APP_LISTS = 2,
	APP_FILES = 2 * APP_EASIES,
	APP_STEP_BYTES = 4,
};

/* Of a program's first byte: what the libcurl is like, and SYPHT_ON_FAILURE. */
enum { APP_INNER_HOOKED = 1, APP_EIGHT = 2, APP_PASS = 4 };

/* Run a program. */
void app_run(const uint8_t *program, size_t size, bool plugin);

/* What it saw in the run before the last and in the last: the first difference, if any. */
const char *app_difference(void);

/*
 * What is seen: calls and what they return; what comes into one of its files; what a transfer
 * reads, and other calls of its for callbacks; what the server got.
 */
enum app_channel { APP_CALLS, APP_OUT, APP_IN, APP_WIRE, APP_CHANNELS };
void app_trace(enum app_channel channel, unsigned key, unsigned long what, const char *text);

/* For a reader: only where CALLS_TRACE is set. */
void app_note(const char *what, const char *detail);

/* Where its stream is; and make it go there. */
unsigned app_position(const void *file);
void app_move(const void *file, unsigned position);

/* The same to where it was when the application used it last. */
void app_rewind(const void *file);

#endif
