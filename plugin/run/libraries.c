#include "run/libraries.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elffile.h"
#include "run/path.h"

enum {
	LIBRARIES_MAX = 1024,
	SEARCH_BYTES = 4096, /* of an RPATH */
	CACHE_MAX_BYTES = 1 << 24,
};

/* The libraries to visit, in the order in which the dynamic linker would load them. */
struct walk {
	int count;
	char names[LIBRARIES_MAX][ELFFILE_NAME_BYTES];
	char paths[LIBRARIES_MAX][PATH_MAX];
	char *cache; /* the contents of /etc/ld.so.cache; owned; NULL if there is none */
	size_t cache_bytes;
};

/* /etc/ld.so.cache, in the only format that glibc has written since 2.32; older ones contain it. */
static const char CACHE_MAGIC[] = "glibc-ld.so.cache1.1";
enum {
	CACHE_COUNT_AT = 20, /* 32 bits, like the next two */
	CACHE_ENTRIES_AT = 48,
	CACHE_ENTRY_BYTES = 24,
	CACHE_NAME_AT = 4, /* in an entry: the offset of the name from the magic */
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
		walk->cache = calloc(
			1, bytes + 1); /* a zero byte after the end, so that every string ends */
		if (walk->cache && elffile_read_at(fd, 0, walk->cache, bytes))
			walk->cache_bytes = bytes;
	}
	close(fd);
}

/* Like the dynamic linker, pass over a file for another machine, and look further. */
static bool is_library(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct elffile image;
	bool native = fd >= 0 && elffile_read(&image, fd) == ELFFILE_NATIVE;

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

/* The file may be newer than this program or damaged, so check every offset. */
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
			path_copy(path, start + path_at) && is_library(path))
			return true;
	}
	return false;
}

/* Expand $ORIGIN or ${ORIGIN} at the start of text. */
static bool expand_origin(char path[PATH_MAX], const char *text, size_t length, const char *asker)
{
	static const char *const variables[] = {"$ORIGIN", "${ORIGIN}"};
	const size_t name_at = (size_t)(path_base(asker) - asker);
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
			path_join(path, directory, strlen(directory), name) && is_library(path))
			return true;
	}
	return false;
}

/* The order is that of ld.so(8): RPATH counts only without RUNPATH, and comes first. */
static bool find_library(const struct walk *walk, const struct elffile *image, const char *asker,
	const char *name, char path[PATH_MAX])
{
	static const char standard[] = "/lib64:/usr/lib64:/lib:/usr/lib";
	const char *environment = getenv("LD_LIBRARY_PATH");
	uint64_t runpath = elffile_value(image, DT_RUNPATH);
	uint64_t rpath = runpath ? 0 : elffile_value(image, DT_RPATH);
	char list[SEARCH_BYTES] = "";

	if (strchr(name, '/'))
		return path_copy(path, name) && is_library(path);
	if (runpath || rpath)
		elffile_string(image, runpath ? runpath : rpath, list, sizeof(list));
	return (rpath && find_in_list(list, asker, name, path)) ||
	       (environment && find_in_list(environment, asker, name, path)) ||
	       (runpath && find_in_list(list, asker, name, path)) ||
	       find_in_cache(walk, name, path) || find_in_list(standard, asker, name, path);
}

/* A library is loaded once for each name, even if many need it. */
static void enqueue(
	struct walk *walk, const struct elffile *image, const char *asker, const char *name)
{
	for (int i = 0; i < walk->count; i++)
		if (strcmp(walk->names[i], name) == 0)
			return;
	if (walk->count < LIBRARIES_MAX &&
		find_library(walk, image, asker, name, walk->paths[walk->count])) {
		snprintf(walk->names[walk->count], ELFFILE_NAME_BYTES, "%s", name);
		walk->count++;
	}
}

/* The program itself is first, with an empty name. */
static void visit_file(struct walk *walk, int index, libraries_visitor *visit, void *context)
{
	const char *path = walk->paths[index];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char name[ELFFILE_NAME_BYTES];
	unsigned position = 0;
	uint64_t name_index;
	struct elffile image;

	if (fd < 0)
		return;
	if (elffile_read(&image, fd) == ELFFILE_NATIVE) {
		if (*walk->names[index])
			visit(context, walk->names[index], path, &image);
		while (elffile_next(&image, DT_NEEDED, &position, &name_index)) {
			elffile_string(&image, name_index, name, sizeof(name));
			enqueue(walk, &image, path, name);
		}
	}
	close(fd);
}

void libraries_each(const char *program, libraries_visitor *visit, void *context)
{
	struct walk *walk = malloc(sizeof(*walk));

	if (!walk)
		return;
	walk->count = 0;
	walk->names[0][0] = '\0';
	if (realpath(program, walk->paths[0])) /* $ORIGIN is a real path */
		walk->count = 1;
	read_cache(walk);
	for (int i = 0; i < walk->count; i++)
		visit_file(walk, i, visit, context);
	free(walk->cache);
	free(walk);
}
