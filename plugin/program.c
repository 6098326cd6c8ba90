#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	SEGMENTS_MAX = 64,
	DYNAMIC_MAX = 1024,
	VERSIONS_MAX = 64,
	LIBRARIES_MAX = 1024,
	NAME_BYTES = 256,
	SEARCH_BYTES = 4096, /* of an RPATH */
	SHEBANG_BYTES = 256, /* the kernel reads no further */
	CACHE_MAX_BYTES = 1 << 24,
	SCAN_BYTES = 65536,
};

/* Finding ------------------------------------------------------------------------------------ */

/* directory/name, or false where that is too long. An empty directory is the current one. */
static bool join(char path[PATH_MAX], const char *directory, size_t length, const char *name)
{
	const char *slash = length > 0 && directory[length - 1] != '/' ? "/" : "";
	int printed;

	if (length >= PATH_MAX)
		return false;
	printed = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, directory, slash, name);
	return printed >= 0 && printed < PATH_MAX;
}

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
		return join(path, "", 0, command) ? executable(path) : ENAMETOOLONG;

	for (at = at ? at : "/bin:/usr/bin"; at;
		at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int trouble = join(path, at, strcspn(at, ":"), command) ? executable(path) : ENOENT;

		if (trouble == 0)
			return 0;
		if (trouble == EACCES)
			result = EACCES;
	}
	return result;
}

/* ELF files ---------------------------------------------------------------------------------- */

typedef ElfW(Ehdr) elf_header;
typedef ElfW(Phdr) elf_segment;
typedef ElfW(Dyn) elf_entry;
typedef ElfW(Verdef) elf_version;
typedef ElfW(Verdaux) elf_version_name;

struct elf {
	int fd;
	elf_header header;
	elf_segment segments[SEGMENTS_MAX];
	int segment_count;
};

/* The linker's name for our own header: the plugin is built for the same machine. */
extern const elf_header __ehdr_start __attribute__((visibility("hidden")));

static bool read_at(int fd, uint64_t offset, void *bytes, size_t length)
{
	return offset < INT64_MAX && pread(fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

/* A text in the file, cut to size; "" where there is none. */
static void text_at(int fd, uint64_t offset, char *text, size_t size)
{
	ssize_t length = offset < INT64_MAX ? pread(fd, text, size - 1, (off_t)offset) : 0;

	text[length > 0 ? length : 0] = '\0';
}

static bool elf_is_native(const elf_header *header)
{
	return header->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
	       header->e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] &&
	       header->e_machine == __ehdr_start.e_machine;
}

/* WORKS means: read, and native. */
static enum program_verdict elf_read(struct elf *elf, int fd)
{
	const size_t size = sizeof(elf->segments[0]);

	elf->fd = fd;
	elf->segment_count = 0;
	if (!read_at(fd, 0, &elf->header, sizeof(elf->header)) ||
		memcmp(elf->header.e_ident, ELFMAG, SELFMAG) != 0)
		return PROGRAM_MALFORMED;
	if (!elf_is_native(&elf->header))
		return PROGRAM_FOREIGN;
	if (elf->header.e_phentsize != size || elf->header.e_phnum > SEGMENTS_MAX ||
		!read_at(fd, elf->header.e_phoff, elf->segments, elf->header.e_phnum * size))
		return PROGRAM_MALFORMED;
	elf->segment_count = elf->header.e_phnum;
	return PROGRAM_WORKS;
}

static const elf_segment *elf_find(const struct elf *elf, uint32_t type)
{
	for (int i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == type)
			return &elf->segments[i];
	return NULL;
}

/* Where in the file an address of the program lies; -1, at which nothing is ever read. */
static uint64_t elf_offset(const struct elf *elf, uint64_t address)
{
	for (int i = 0; i < elf->segment_count; i++) {
		const elf_segment *load = &elf->segments[i];

		if (load->p_type == PT_LOAD && address >= load->p_vaddr &&
			address - load->p_vaddr < load->p_filesz)
			return load->p_offset + (address - load->p_vaddr);
	}
	return UINT64_MAX;
}

/* The next value with that tag in the dynamic table, from *position on; false at its end. */
static bool elf_next(const struct elf *elf, int64_t tag, unsigned *position, uint64_t *value)
{
	const elf_segment *dynamic = elf_find(elf, PT_DYNAMIC);
	elf_entry entry;

	while (dynamic && *position < DYNAMIC_MAX) {
		uint64_t offset = dynamic->p_offset + (uint64_t)*position * sizeof(entry);

		if (!read_at(elf->fd, offset, &entry, sizeof(entry)) || entry.d_tag == DT_NULL)
			return false;
		(*position)++;
		*value = entry.d_un.d_val;
		if (entry.d_tag == tag)
			return true;
	}
	return false;
}

static uint64_t elf_value(const struct elf *elf, int64_t tag)
{
	unsigned position = 0;
	uint64_t value;

	return elf_next(elf, tag, &position, &value) ? value : 0;
}

static void elf_string(const struct elf *elf, uint64_t index, char *text, size_t size)
{
	uint64_t strings = elf_offset(elf, elf_value(elf, DT_STRTAB));

	text_at(elf->fd, strings == UINT64_MAX ? strings : strings + index, text, size);
}

/* The names of its symbol versions that begin with prefix, separated by spaces. */
static void elf_versions(const struct elf *elf, const char *prefix, char *names, size_t size)
{
	uint64_t offset = elf_offset(elf, elf_value(elf, DT_VERDEF));
	size_t length = 0;
	elf_version version;

	names[0] = '\0';
	for (int i = 0; i < VERSIONS_MAX && read_at(elf->fd, offset, &version, sizeof(version));
		i++) {
		elf_version_name first = {.vda_name = 0};
		char name[NAME_BYTES];

		if (read_at(elf->fd, offset + version.vd_aux, &first, sizeof(first)))
			elf_string(elf, first.vda_name, name, sizeof(name));
		else
			name[0] = '\0';
		if (strncmp(name, prefix, strlen(prefix)) == 0 && length < size)
			length += (size_t)snprintf(
				names + length, size - length, "%s%s", length ? " " : "", name);
		if (version.vd_next == 0)
			return;
		offset += version.vd_next;
	}
}

/* Judging ------------------------------------------------------------------------------------ */

/* Loaders of C libraries other than the plugin's. */
static const char *const other_loaders[] = {"ld-musl-", "ld-uClibc", "ld64-uClibc", "linker"};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool has_other_libc(const char *loader)
{
	const char *name = base_name(loader);

	for (size_t i = 0; i < sizeof(other_loaders) / sizeof(other_loaders[0]); i++)
		if (strncmp(name, other_loaders[i], strlen(other_loaders[i])) == 0)
			return true;
	return false;
}

/* Whether the kernel would start it with more rights than ours, so that its loader mistrusts us. */
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

static enum program_verdict judge(struct program *program, int fd)
{
	struct elf elf;
	enum program_verdict verdict = elf_read(&elf, fd);
	const elf_segment *loader;

	if (verdict != PROGRAM_WORKS)
		return verdict;
	if (elf.header.e_type != ET_EXEC && elf.header.e_type != ET_DYN)
		return PROGRAM_MALFORMED;
	if (is_privileged(fd))
		return PROGRAM_PRIVILEGED;
	loader = elf_find(&elf, PT_INTERP);
	if (!loader) /* the loader itself, called by hand, asks for none but has a name */
		return elf_value(&elf, DT_SONAME) ? PROGRAM_WORKS : PROGRAM_STATIC;
	text_at(fd, loader->p_offset, program->loader, sizeof(program->loader));
	return has_other_libc(program->loader) ? PROGRAM_OTHER_LIBC : PROGRAM_WORKS;
}

/* The program that env(1) would run, given this argument by a script. */
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

/* The interpreter that a script's first line names; without such a line execvp() takes a shell. */
static bool find_interpreter(char *line, char path[PATH_MAX])
{
	char *rest;
	char *name;

	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "#!", 2) != 0)
		return join(path, "", 0, "/bin/sh");
	name = strtok_r(line + 2, " \t", &rest);
	if (!name)
		return false;
	if (strcmp(base_name(name), "env") == 0)
		return find_through_env(rest, path);
	return join(path, "", 0, name) && executable(path) == 0;
}

static bool is_text(const char *start)
{
	return strncmp(start, ELFMAG, SELFMAG) != 0 && *start != '\0';
}

void program_inspect(struct program *program, const char *path)
{
	program->last = 0;
	program->loader[0] = '\0';
	program->verdict = join(program->files[0], "", 0, path) ? PROGRAM_WORKS : PROGRAM_LOST;

	while (program->verdict == PROGRAM_WORKS) {
		int fd = open(program->files[program->last], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		char start[SHEBANG_BYTES];

		if (fd < 0) {
			program->verdict = PROGRAM_UNREADABLE;
			return;
		}
		text_at(fd, 0, start, sizeof(start));
		if (!is_text(start)) {
			program->verdict = judge(program, fd);
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
		[PROGRAM_OTHER_LIBC] = "its C library is not glibc",
		[PROGRAM_CARRIER] = "its libcurl is built in, out of reach",
		[PROGRAM_LOST] = "the interpreter it asks for cannot be found",
		[PROGRAM_UNREADABLE] = "it cannot be read",
		[PROGRAM_MALFORMED] = "it is no program of a format known here",
	};

	return reasons[verdict];
}

/* Libraries ---------------------------------------------------------------------------------- */

/* The libraries that are to be looked at, in the order in which the loader would load them. */
struct walk {
	int count;
	char names[LIBRARIES_MAX][NAME_BYTES];
	char paths[LIBRARIES_MAX][PATH_MAX];
	char *cache; /* of the loader, owned; NULL where there is none */
	size_t cache_bytes;
};

/* /etc/ld.so.cache, in the only format that glibc has written since 2.32; older ones contain it. */
static const char CACHE_MAGIC[] = "glibc-ld.so.cache1.1";
enum {
	CACHE_COUNT_AT = 20, /* 32 bits, like the next two */
	CACHE_ENTRIES_AT = 48,
	CACHE_ENTRY_BYTES = 24,
	CACHE_NAME_AT = 4, /* in an entry: where the name is, from the magic on */
	CACHE_PATH_AT = 8,
};

static void read_cache(struct walk *walk)
{
	int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
	struct stat status;
	size_t bytes;

	walk->cache = NULL;
	walk->cache_bytes = 0;
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && status.st_size > 0 && status.st_size < CACHE_MAX_BYTES) {
		bytes = (size_t)status.st_size;
		walk->cache = calloc(1, bytes + 1);
		if (walk->cache && read_at(fd, 0, walk->cache, bytes))
			walk->cache_bytes = bytes;
	}
	close(fd);
}

static bool is_library(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct elf elf;
	bool native = fd >= 0 && elf_read(&elf, fd) == PROGRAM_WORKS;

	if (fd >= 0)
		close(fd);
	return native;
}

static uint32_t number_at(const char *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

static bool find_in_cache(const struct walk *walk, const char *name, char path[PATH_MAX])
{
	size_t bytes = walk->cache_bytes;
	size_t room;
	const char *start;

	start = bytes ? memmem(walk->cache, bytes, CACHE_MAGIC, strlen(CACHE_MAGIC)) : NULL;
	if (!start)
		return false;
	bytes -= (size_t)(start - walk->cache);
	room = bytes < CACHE_ENTRIES_AT ? 0 : (bytes - CACHE_ENTRIES_AT) / CACHE_ENTRY_BYTES;

	for (size_t i = 0; i < room && i < number_at(start + CACHE_COUNT_AT); i++) {
		const char *entry = start + CACHE_ENTRIES_AT + i * CACHE_ENTRY_BYTES;
		uint32_t name_at = number_at(entry + CACHE_NAME_AT);
		uint32_t path_at = number_at(entry + CACHE_PATH_AT);

		if (name_at < bytes && path_at < bytes && strcmp(start + name_at, name) == 0 &&
			join(path, "", 0, start + path_at) && is_library(path))
			return true;
	}
	return false;
}

/* The directory that $ORIGIN or ${ORIGIN} at the start of text stands for, or text as it is. */
static bool expand_origin(char path[PATH_MAX], const char *text, size_t length, const char *asker)
{
	static const char *const variables[] = {"$ORIGIN", "${ORIGIN}"};
	const size_t name_at = (size_t)(base_name(asker) - asker);
	const char *origin = name_at > 0 ? asker : ".";
	const int origin_length = name_at > 0 ? (int)name_at - 1 : 1;
	int printed;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		size_t skip = strlen(variables[i]);

		if (length < skip || strncmp(text, variables[i], skip) != 0)
			continue;
		printed = snprintf(path, PATH_MAX, "%.*s%.*s", origin_length, origin,
			(int)(length - skip), text + skip);
		return printed > 0 && printed < PATH_MAX;
	}
	printed = snprintf(path, PATH_MAX, "%.*s", (int)length, text);
	return printed > 0 && printed < PATH_MAX;
}

static bool find_in_list(const char *list, const char *asker, const char *name, char path[PATH_MAX])
{
	char directory[PATH_MAX];

	for (size_t length; *list; list += length + (list[length] != '\0')) {
		length = strcspn(list, ":;");
		if (length < PATH_MAX && expand_origin(directory, list, length, asker) &&
			join(path, directory, strlen(directory), name) && is_library(path))
			return true;
	}
	return false;
}

static bool find_library(const struct walk *walk, const struct elf *elf, const char *asker,
	const char *name, char path[PATH_MAX])
{
	static const char standard[] = "/lib64:/usr/lib64:/lib:/usr/lib";
	const char *environment = getenv("LD_LIBRARY_PATH");
	uint64_t runpath = elf_value(elf, DT_RUNPATH);
	uint64_t rpath = runpath ? 0 : elf_value(elf, DT_RPATH);
	char list[SEARCH_BYTES] = "";

	if (strchr(name, '/'))
		return join(path, "", 0, name) && is_library(path);
	if (runpath || rpath)
		elf_string(elf, runpath ? runpath : rpath, list, sizeof(list));
	return (rpath && find_in_list(list, asker, name, path)) ||
	       (environment && find_in_list(environment, asker, name, path)) ||
	       (runpath && find_in_list(list, asker, name, path)) ||
	       find_in_cache(walk, name, path) || find_in_list(standard, asker, name, path);
}

static void enqueue(struct walk *walk, const struct elf *elf, const char *asker, const char *name)
{
	for (int i = 0; i < walk->count; i++)
		if (strcmp(walk->names[i], name) == 0)
			return;
	if (walk->count < LIBRARIES_MAX &&
		find_library(walk, elf, asker, name, walk->paths[walk->count])) {
		snprintf(walk->names[walk->count], NAME_BYTES, "%s", name);
		walk->count++;
	}
}

static bool is_libcurl(const char *name)
{
	return strncmp(name, "libcurl.so", 10) == 0 || strncmp(name, "libcurl-", 8) == 0;
}

/* Look at one file of the walk; whether it is a libcurl. */
static bool visit_library(struct walk *walk, int index, program_visitor *visit)
{
	const char *path = walk->paths[index];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool found = is_libcurl(walk->names[index]);
	unsigned position = 0;
	uint64_t name_index;
	struct elf elf;
	char name[NAME_BYTES];

	if (fd < 0)
		return false;
	if (elf_read(&elf, fd) == PROGRAM_WORKS) {
		while (elf_next(&elf, DT_NEEDED, &position, &name_index)) {
			elf_string(&elf, name_index, name, sizeof(name));
			enqueue(walk, &elf, path, name);
		}
		if (found) {
			elf_versions(&elf, "CURL_", name, sizeof(name));
			visit(path, name);
		}
	}
	close(fd);
	return found;
}

int program_each_libcurl(const struct program *program, program_visitor *visit)
{
	struct walk *walk = malloc(sizeof(*walk));
	int found = 0;

	if (!walk)
		return 0;
	read_cache(walk);
	walk->count = 1;
	walk->names[0][0] = '\0';
	if (!realpath(program->files[program->last], walk->paths[0])) /* as $ORIGIN has it */
		walk->count = 0;
	for (int i = 0; i < walk->count; i++)
		found += visit_library(walk, i, visit);
	free(walk->cache);
	free(walk);
	return found;
}

bool program_carries_libcurl(const struct program *program)
{
	static const char mark[] = "libcurl/"; /* and a digit */
	int fd = open(program->files[program->last], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char chunk[SCAN_BYTES];
	bool found = false;
	ssize_t length;

	if (fd < 0)
		return false;
	for (off_t at = 0; !found && (length = pread(fd, chunk, sizeof(chunk), at)) > 0;
		at += length > (ssize_t)sizeof(mark) ? length - (ssize_t)sizeof(mark) : length) {
		const char *end = chunk + length - 1;

		for (const char *hit = chunk;
			!found && (hit = memmem(hit, (size_t)(end - hit), mark, sizeof(mark) - 1));
			hit++)
			found = hit[sizeof(mark) - 1] >= '0' && hit[sizeof(mark) - 1] <= '9';
	}
	close(fd);
	return found;
}
