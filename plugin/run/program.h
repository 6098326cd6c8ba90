#ifndef PROGRAM_H
#define PROGRAM_H

#include <limits.h>
#include <stdbool.h>

/*
 * What the kernel and the dynamic linker would do with a command, and whether our library can be
 * preloaded into it. Files are only read, and their contents are not trusted.
 */
enum program_verdict {
	PROGRAM_WORKS,
	PROGRAM_STATIC,     /* there is no dynamic linker */
	PROGRAM_PRIVILEGED, /* set-uid, set-gid or capabilities: LD_PRELOAD is ignored */
	PROGRAM_FOREIGN,    /* for another machine, or another word size */
	PROGRAM_OTHER_LIBC, /* neither glibc nor musl: it cannot load our library */
	PROGRAM_CARRIER,    /* libcurl is linked in statically; found by program_content() */
	PROGRAM_GO,         /* a Go program, with its own HTTP; found by program_content() */
	PROGRAM_LOST,       /* a script whose interpreter is not there */
	PROGRAM_UNREADABLE,
	PROGRAM_MALFORMED,
};

enum { PROGRAM_FILES_MAX = 6 }; /* the kernel follows five interpreters */

struct program {
	enum program_verdict verdict;
	int last; /* index of the file that is a program and not a script */
	char files[PROGRAM_FILES_MAX][PATH_MAX]; /* each the interpreter of the one before */
};

/*
 * The file that execvp() would run for command. Returns 0 or an errno: ENOENT, EACCES if the file
 * exists but may not be executed, ENAMETOOLONG.
 */
int program_find(const char *command, char path[PATH_MAX]);

/* Follow path through scripts to a program, and judge that. This makes a few small reads. */
void program_inspect(struct program *program, const char *path);

/* A clause to print after "the plugin cannot work in …: ", such as "it is statically linked". */
const char *program_reason(enum program_verdict verdict);

/*
 * Visit each libcurl that the dynamic linker would load with the program; returns how many.
 * versions are its symbol versions ("CURL_OPENSSL_4"), "" if it has none. This reads every library
 * that the program needs.
 */
typedef void program_visitor(const char *library, const char *versions);
int program_each_libcurl(const struct program *program, program_visitor *visit);

/*
 * What the file of a program that links no libcurl contains. This reads the whole file, and the
 * tables of every library that it needs.
 */
enum program_content {
	PROGRAM_CONTENT_LIBCURL, /* a libcurl linked in: texts that only libcurl has */
	PROGRAM_CONTENT_GO,      /* made by Go's linker, with Go's own HTTP */
	PROGRAM_CONTENT_LATER,   /* it can load libraries, or start programs, at run time */
	PROGRAM_CONTENT_NOTHING, /* none of these */
};
enum program_content program_content(const struct program *program);

/*
 * Whether the program gives user or password to libcurl: the numbers of those options are in its
 * code.
 */
bool program_authenticates(const struct program *program);

#endif
