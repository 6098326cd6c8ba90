#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>

struct settings;

/*
 * The story for whoever set SYPHT_TRACE: 1 writes to stderr, an absolute path appends to that file
 * (made 0600; a symlink, or a file that is not ours, is refused in silence). Anything else is off.
 * A line is written with one write(): "sypht-credential[pid] 12:34:56.789 text", in UTC. Tokens
 * appear as fingerprints, secrets not at all; control characters become '?', what is too long is
 * cut. errno is left alone, and a reader that went away raises no SIGPIPE.
 */
enum { TRACE_LINE_MAX = 1024 };

struct trace {
	int fd;           /* -1: off */
	const char *name; /* who speaks */
};

#define TRACE_OFF \
	{ \
		.fd = -1 \
	}

void trace_open(struct trace *trace, const char *name, const struct settings *settings);
void trace_close(struct trace *trace);
void trace_say(const struct trace *trace, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
