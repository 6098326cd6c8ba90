#ifndef STATUS_H
#define STATUS_H

/*
 * Results. Every function that can fail returns an enum status. The function that
 * detects a failure also fills a struct failure with the reason and, if there is
 * one, the remedy. Callers only pass both up.
 */

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
	STATUS_OK = 0,
	STATUS_NO_MEMORY,
	STATUS_TOO_LONG,    /* larger than a limit that a header states */
	STATUS_MALFORMED,   /* the caller's input breaks its grammar */
	STATUS_USAGE,       /* the command line makes no sense */
	STATUS_CONFIG,      /* the config cannot be used */
	STATUS_UNSAFE,      /* a file or directory that others own or can access */
	STATUS_NO_SECRET,   /* no client credentials to mint with */
	STATUS_REFUSED,     /* the token endpoint, the API or the shared store refused */
	STATUS_UNREACHABLE, /* the token endpoint gave no usable answer */
	STATUS_TIMEOUT,
	STATUS_SYSTEM, /* a system call failed */
};

enum { FAILURE_MAX_BYTES = 240 };

/* One line of clean text (text_clean()), without secrets; empty after success. */
struct failure {
	char reason[FAILURE_MAX_BYTES];
	long retry_after_s; /* from the endpoint's Retry-After; 0: none */
};

/*
 * Write the reason and return status, so that a failure is one statement:
 *	return status_fail(failure, STATUS_CONFIG, "%s:%u: no such key", path, line);
 * text_clean() cleans the reason; a reason that is too long is cut between two characters. failure
 * may be NULL. errno is unchanged. retry_after_s becomes 0; a caller that knows it sets it later.
 */
enum status status_fail(struct failure *failure, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Write "out of memory" and return STATUS_NO_MEMORY. */
enum status status_no_memory(struct failure *failure);

/* The exit status of a program: 0 success, 1 failure, 2 wrong usage, input or config. */
int status_exit_code(enum status status);

#endif
