#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>

struct settings;

/*
 * The trace that SYPHT_TRACE asks for: 1 writes to stderr, an absolute path appends to that file
 * (created 0600; a symlink, or a file that is not ours, is silently refused). Any other value turns
 * it off. Each line is one write(): "sypht-credential[pid] 12:34:56.789 text", in UTC. Tokens
 * appear as fingerprints, secrets never. text_clean() cleans the line; a line that is too long is
 * cut. errno is unchanged, and a reader that has gone away raises no SIGPIPE.
 */
enum { TRACE_LINE_MAX = 1024 };

struct trace {
	int fd;           /* -1: off */
	const char *name; /* the program that traces */
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
