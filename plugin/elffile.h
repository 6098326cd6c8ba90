#ifndef ELFFILE_H
#define ELFFILE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An ELF file, read in small pieces. It is never mapped: another process may truncate it, which
 * would kill the host with SIGBUS. Its contents are not trusted: values that make no sense count as
 * absent.
 */
enum elffile_kind {
	ELFFILE_NATIVE,  /* for the machine that this program and the plugin are built for */
	ELFFILE_FOREIGN, /* another machine, or another word size; nothing more is known */
	ELFFILE_MALFORMED,
};

enum { ELFFILE_SEGMENTS_MAX = 64, ELFFILE_NAME_BYTES = 256 };

/* Bytes to search for. */
struct elffile_text {
	const char *bytes;
	size_t length;
};

#define ELFFILE_TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

typedef ElfW(Ehdr) elffile_header;
typedef ElfW(Phdr) elffile_segment;

struct elffile {
	int fd; /* the caller's */
	elffile_header header;
	elffile_segment segments[ELFFILE_SEGMENTS_MAX];
	int segment_count;
};

enum elffile_kind elffile_read(struct elffile *image, int fd);

/* The first segment of that type, or NULL. */
const elffile_segment *elffile_find(const struct elffile *image, uint32_t type);

/* The next value with that tag in the dynamic table, from *position on; false at its end. */
bool elffile_next(const struct elffile *image, int64_t tag, unsigned *position, uint64_t *value);

/* The first of them, 0 where there is none. */
uint64_t elffile_value(const struct elffile *image, int64_t tag);

/*
 * The offset of the dynamic string table. UINT64_MAX if there is none: nothing can be read there.
 */
uint64_t elffile_strings(const struct elffile *image);

/* A string of the dynamic string table, cut to size. */
void elffile_string(const struct elffile *image, uint64_t index, char *text, size_t size);

/* The names of its symbol versions that begin with prefix, separated by spaces. */
void elffile_versions(const struct elffile *image, const char *prefix, char *names, size_t size);

/* Whether one of the texts is in the dynamic string table, where most names are of imports. */
bool elffile_names_any(const struct elffile *image, const struct elffile_text *texts, size_t count);

/*
 * Of any file: whether one of the texts is between start and end; none may be longer than 64 bytes.
 */
bool elffile_holds_any(
	int fd, uint64_t start, uint64_t end, const struct elffile_text *texts, size_t count);

/* Of any file: whether all of length bytes are there; a text, cut to size. */
bool elffile_read_at(int fd, uint64_t offset, void *bytes, size_t length);
void elffile_text_at(int fd, uint64_t offset, char *text, size_t size);

#endif
