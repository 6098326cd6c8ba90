#ifndef PROGRAM_H
#define PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/*
 * What kernel and loader would make of a command, and whether our library can be preloaded into it.
 * Files are only read, and nothing that they claim about themselves is believed beyond their size.
 */
enum program_verdict {
	PROGRAM_WORKS,
	PROGRAM_STATIC,     /* no loader takes part */
	PROGRAM_PRIVILEGED, /* set-uid, set-gid, capabilities: the loader ignores LD_PRELOAD */
	PROGRAM_FOREIGN,    /* for another machine, or another word size */
	PROGRAM_OTHER_LIBC, /* musl and such: our library would break it */
	PROGRAM_CARRIER,    /* libcurl is built in, out of reach: program_content() */
	PROGRAM_GO,         /* it speaks HTTP by itself: program_content() */
	PROGRAM_LOST,       /* a script whose interpreter is not there */
	PROGRAM_UNREADABLE,
	PROGRAM_MALFORMED,
};

enum { PROGRAM_FILES_MAX = 6 }; /* the kernel follows five interpreters */

struct program {
	enum program_verdict verdict;
	int last;                                /* its file that is a program and no script */
	char files[PROGRAM_FILES_MAX][PATH_MAX]; /* each the interpreter of the one before */
};

/*
 * The file that execvp() would run for command. 0, or an errno: ENOENT, EACCES (there is such a
 * file, which may not be executed), ENAMETOOLONG.
 */
int program_find(const char *command, char path[PATH_MAX]);

/* Follow path through scripts to a program, and judge that. A few small reads. */
void program_inspect(struct program *program, const char *path);

/* "it is statically linked": to stand behind "the plugin cannot work in …: ". */
const char *program_reason(enum program_verdict verdict);

/*
 * Call visit with each libcurl that the loader would load along with the program, and its symbol
 * versions ("CURL_OPENSSL_4", "" where it has none); returns how many. Reads every library needed.
 */
typedef void program_visitor(const char *library, const char *versions);
int program_each_libcurl(const struct program *program, program_visitor *visit);

/*
 * What a file tells about a program that links no libcurl. Reads the whole file, and the tables of
 * every library it needs.
 */
enum program_content {
	PROGRAM_CONTENT_LIBCURL, /* a libcurl linked in, by texts that only libcurl has */
	PROGRAM_CONTENT_GO,      /* made by Go's linker: its HTTP is Go's own */
	PROGRAM_CONTENT_LATER,   /* it can load libraries, or start programs, at run time */
	PROGRAM_CONTENT_NOTHING, /* none of these */
};
enum program_content program_content(const struct program *program);

/* Whether the program names user and password to libcurl, by the options' numbers in its code. */
bool program_authenticates(const struct program *program);

#endif
