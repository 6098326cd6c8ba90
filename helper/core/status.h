#ifndef STATUS_H
#define STATUS_H

/*
 * How things end. Every function that can fail returns an enum status; the one
 * that detects the failure also says, in a struct failure, what a person has to
 * know to mend it. Callers only pass both up.
 */

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
	STATUS_OK = 0,
	STATUS_NO_MEMORY,
	STATUS_TOO_LONG,    /* a bound in some header was reached */
	STATUS_MALFORMED,   /* the caller's input breaks its grammar */
	STATUS_USAGE,       /* the command line makes no sense */
	STATUS_CONFIG,      /* the config cannot be used */
	STATUS_UNSAFE,      /* a file or directory that others may read or write */
	STATUS_NO_SECRET,   /* no client credentials to mint with */
	STATUS_REFUSED,     /* the token endpoint answered, and said no */
	STATUS_UNREACHABLE, /* the token endpoint gave no usable answer */
	STATUS_TIMEOUT,
	STATUS_SYSTEM, /* a system call failed */
};

enum { FAILURE_MAX_BYTES = 240 };

/* One line of clean text (text_clean()); empty after success. Never a secret. */
struct failure {
	char reason[FAILURE_MAX_BYTES];
	long retry_after_s; /* how long the other side asks to be left alone; 0: it does not */
};

/*
 * Write the reason and return status, so that a failure is one statement:
 *	return status_fail(failure, STATUS_CONFIG, "%s:%u: no such key", path, line);
 * A reason that is too long is cut between two characters, and cleaned by text_clean(). failure may
 * be NULL. errno is left alone. Who knows of retry_after_s sets it afterwards.
 */
enum status status_fail(struct failure *failure, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Write "out of memory" and return STATUS_NO_MEMORY. */
enum status status_no_memory(struct failure *failure);

/* The exit status a program ends with: 0 answered, 1 no token, 2 wrong usage or malformed input. */
int status_exit_code(enum status status);

#endif
