#include "run/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "elffile.h"
#include "run/libraries.h"
#include "run/path.h"

enum {
	SHEBANG_BYTES = 256, /* the kernel reads no further */
};

/* Like execvp(), say EACCES for a directory or a device. */
static int executable(const char *path)
{
	struct stat status;

	if (stat(path, &status) != 0)
		return errno == EACCES ? EACCES : ENOENT;
	return S_ISREG(status.st_mode) && access(path, X_OK) == 0 ? 0 : EACCES;
}

int program_find(const char *command, char path[PATH_MAX])
{
	const char *at = getenv("PATH");
	int result = ENOENT;

	if (*command == '\0')
		return ENOENT;
	if (strchr(command, '/'))
		return path_copy(path, command) ? executable(path) : ENAMETOOLONG;

	for (at = at ? at : "/bin:/usr/bin"; at;
		at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int trouble =
			path_join(path, at, strcspn(at, ":"), command) ? executable(path) : ENOENT;

		if (trouble == 0)
			return 0;
		if (trouble == EACCES)
			result = EACCES;
	}
	return result;
}

/* Loaders of C libraries that cannot load the plugin. On 64 bits musl can: see the Makefile. */
static const char *const other_loaders[] = {
#if __SIZEOF_POINTER__ != 8
	"ld-musl-",
#endif
	"ld-uClibc", "ld64-uClibc", "linker"};

static bool has_other_libc(const char *loader)
{
	const char *name = path_base(loader);

	for (size_t i = 0; i < sizeof(other_loaders) / sizeof(other_loaders[0]); i++)
		if (strncmp(name, other_loaders[i], strlen(other_loaders[i])) == 0)
			return true;
	return false;
}

/*
 * Whether the kernel would start it with more rights than ours. Then the dynamic linker ignores
 * LD_PRELOAD.
 */
static bool is_privileged(int fd)
{
	struct statvfs file_system;
	struct stat status;
	bool identity;

	if (fstat(fd, &status) != 0)
		return false;
	identity = ((status.st_mode & S_ISUID) && status.st_uid != getuid()) ||
		   ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) &&
			   status.st_gid != getgid());
	if (!identity && (getuid() == 0 || fgetxattr(fd, "security.capability", NULL, 0) <= 0))
		return false;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 &&
	       !(fstatvfs(fd, &file_system) == 0 && (file_system.f_flag & ST_NOSUID));
}

/* Judge what the kernel looks at first: a set-uid file is privileged, whatever its loader. */
static enum program_verdict judge(int fd)
{
	struct elffile image;
	enum elffile_kind kind = elffile_read(&image, fd);
	const elffile_segment *loader = elffile_find(&image, PT_INTERP);
	char name[PATH_MAX];

	if (kind == ELFFILE_FOREIGN)
		return PROGRAM_FOREIGN;
	if (kind == ELFFILE_MALFORMED ||
		(image.header.e_type != ET_EXEC && image.header.e_type != ET_DYN))
		return PROGRAM_MALFORMED;
	if (is_privileged(fd))
		return PROGRAM_PRIVILEGED;
	/* the dynamic linker itself, run as a command, has no interpreter but a name */
	if (!loader)
		return elffile_value(&image, DT_SONAME) ? PROGRAM_WORKS : PROGRAM_STATIC;
	elffile_text_at(fd, loader->p_offset, name, sizeof(name));
	return has_other_libc(name) ? PROGRAM_OTHER_LIBC : PROGRAM_WORKS;
}

/*
 * The program that env(1) would run, from the argument in a script's first line. Skip options and
 * assignments.
 */
static bool find_through_env(char *argument, char path[PATH_MAX])
{
	char *rest = argument;
	char *word;

	while ((word = strtok_r(rest, " \t", &rest))) {
		if (strncmp(word, "-S", 2) == 0)
			word += 2;
		if (*word != '\0' && *word != '-' && !strchr(word, '='))
			return program_find(word, path) == 0;
	}
	return false;
}

/* The interpreter that a script's first line names. Without such a line execvp() uses a shell. */
static bool find_interpreter(char *line, char path[PATH_MAX])
{
	char *rest;
	char *name;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "#!", 2) != 0)
		return path_copy(path, "/bin/sh");
	name = strtok_r(line + 2, " \t", &rest);
	if (!name)
		return false;
	if (strcmp(path_base(name), "env") == 0)
		return find_through_env(rest, path);
	return path_copy(path, name) && executable(path) == 0;
}

static bool is_text(const char *start)
{
	return strncmp(start, ELFMAG, SELFMAG) != 0 && *start != '\0';
}

/* O_NONBLOCK: a FIFO in the place of a script must not stop us. */
void program_inspect(struct program *program, const char *path)
{
	program->last = 0;
	program->verdict = path_copy(program->files[0], path) ? PROGRAM_WORKS : PROGRAM_LOST;

	while (program->verdict == PROGRAM_WORKS) {
		int fd = open(program->files[program->last], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		char start[SHEBANG_BYTES];

		if (fd < 0) {
			program->verdict = PROGRAM_UNREADABLE;
			return;
		}
		elffile_text_at(fd, 0, start, sizeof(start));
		if (!is_text(start)) {
			program->verdict = judge(fd);
			close(fd);
			return;
		}
		close(fd);
		if (program->last + 1 < PROGRAM_FILES_MAX &&
			find_interpreter(start, program->files[program->last + 1]))
			program->last++;
		else
			program->verdict = PROGRAM_LOST;
	}
}

const char *program_reason(enum program_verdict verdict)
{
	static const char *const reasons[] = {
		[PROGRAM_WORKS] = "nothing is in its way",
		[PROGRAM_STATIC] = "it is statically linked",
		[PROGRAM_PRIVILEGED] = "it starts with more privileges (set-uid and the like)",
		[PROGRAM_FOREIGN] = "it is built for another kind of machine",
		[PROGRAM_OTHER_LIBC] = "its C library cannot load the plugin",
		[PROGRAM_CARRIER] = "its libcurl is built in, out of reach",
		[PROGRAM_GO] = "it is written in Go, and speaks HTTP by itself",
		[PROGRAM_LOST] = "its interpreter cannot be found",
		[PROGRAM_UNREADABLE] = "it cannot be read",
		[PROGRAM_MALFORMED] = "it is neither an ELF program nor a script",
	};

	return reasons[verdict];
}

/* A libcurl, and not a wrapper such as libcurlpp. */
static bool is_libcurl(const char *name)
{
	return strncmp(name, "libcurl.so", 10) == 0 || strncmp(name, "libcurl-", 8) == 0;
}

struct search {
	program_visitor *visit;
	int found;
};

static void visit_library(
	void *context, const char *name, const char *path, const struct elffile *image)
{
	struct search *search = context;
	char versions[ELFFILE_NAME_BYTES];

	if (!is_libcurl(name))
		return;
	elffile_versions(image, "CURL_", versions, sizeof(versions));
	search->visit(path, versions);
	search->found++;
}

int program_each_libcurl(const struct program *program, program_visitor *visit)
{
	struct search search = {.visit = visit};

	libraries_each(program->files[program->last], visit_library, &search);
	return search.found;
}

/* ---- what a file holds ---- */

/* libcurl's name and version, and a text of curl_easy_strerror(). */
static const struct elffile_text OF_LIBCURL[] = {
	ELFFILE_TEXT("libcurl/7."),
	ELFFILE_TEXT("libcurl/8."),
	ELFFILE_TEXT("A libcurl function was given a bad argument"),
};

/* What "go version FILE" looks for. */
static const struct elffile_text OF_GO[] = {ELFFILE_TEXT("\xff Go buildinf:")};

/* CURLOPT_USERPWD and CURLOPT_PASSWORD, as little-endian numbers in x86 code. */
static const struct elffile_text OF_PASSWORDS[] = {
	ELFFILE_TEXT("\x15\x27\0\0"), ELFFILE_TEXT("\xbe\x27\0\0")};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int open_program(const struct program *program)
{
	return open(program->files[program->last], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

/*
 * On other machines the compiler builds such a number from pieces, and nothing is found. That only
 * costs the note.
 */
bool program_authenticates(const struct program *program)
{
	int fd = open_program(program);
	struct elffile image;
	bool found = false;

	if (fd < 0)
		return false;
	if (elffile_read(&image, fd) == ELFFILE_NATIVE) {
		for (int i = 0; i < image.segment_count && !found; i++) {
			const elffile_segment *segment = &image.segments[i];
			uint64_t end = segment->p_offset + segment->p_filesz;

			if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X))
				found = elffile_holds_any(fd, segment->p_offset, end, OF_PASSWORDS,
					COUNT(OF_PASSWORDS));
		}
	}
	close(fd);
	return found;
}

/* ---- what a program can do at run time ---- */

/* A symbol as it is in the dynamic string table. */
#define SYMBOL(name) ELFFILE_TEXT("\0" name "\0")

static const struct elffile_text OF_LOADING[] = {SYMBOL("dlopen"), SYMBOL("dlmopen")};
static const struct elffile_text OF_STARTING[] = {SYMBOL("execl"), SYMBOL("execle"),
	SYMBOL("execlp"), SYMBOL("execv"), SYMBOL("execve"), SYMBOL("execvp"), SYMBOL("execvpe"),
	SYMBOL("fexecve"), SYMBOL("popen"), SYMBOL("posix_spawn"), SYMBOL("posix_spawnp"),
	SYMBOL("system")};

/* The C library only offers dlopen(). libselinux loads a part of itself and nothing else. */
static bool loads_for_others(const char *name)
{
	static const char *const prefixes[] = {
		"libc.so.", "ld-linux", "libdl.so.", "libselinux.so."};

	for (size_t i = 0; i < COUNT(prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static void look_for_loading(
	void *context, const char *name, const char *path, const struct elffile *image)
{
	bool *found = context;

	(void)path;
	if (!*found && !loads_for_others(name))
		*found = elffile_names_any(image, OF_LOADING, COUNT(OF_LOADING));
}

/* A program with a DT_SONAME is the dynamic linker, which runs any other. */
static bool can_load_later(const struct program *program, int fd)
{
	struct elffile image;
	bool found = false;

	if (elffile_read(&image, fd) != ELFFILE_NATIVE)
		return false;
	if (elffile_value(&image, DT_SONAME) ||
		elffile_names_any(&image, OF_LOADING, COUNT(OF_LOADING)) ||
		elffile_names_any(&image, OF_STARTING, COUNT(OF_STARTING)))
		return true;
	libraries_each(program->files[program->last], look_for_loading, &found);
	return found;
}

enum program_content program_content(const struct program *program)
{
	enum program_content content = PROGRAM_CONTENT_NOTHING;
	int fd = open_program(program);
	struct stat status;

	if (fd < 0)
		return content;
	if (fstat(fd, &status) != 0)
		status.st_size = 0;
	if (elffile_holds_any(fd, 0, (uint64_t)status.st_size, OF_LIBCURL, COUNT(OF_LIBCURL)))
		content = PROGRAM_CONTENT_LIBCURL;
	else if (elffile_holds_any(fd, 0, (uint64_t)status.st_size, OF_GO, COUNT(OF_GO)))
		content = PROGRAM_CONTENT_GO;
	else if (can_load_later(program, fd))
		content = PROGRAM_CONTENT_LATER;
	close(fd);
	return content;
}
