#ifndef ELFFILE_H
#define ELFFILE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An ELF file as the loader sees it, read in small pieces where they are wanted, and never mapped:
 * it may be cut short meanwhile. It may claim anything; what makes no sense is nothing or "".
 */
enum image_kind {
	IMAGE_NATIVE,  /* for the machine that we are built for, and so is the plugin */
	IMAGE_FOREIGN, /* another machine, or another word size; nothing more is known */
	IMAGE_MALFORMED,
};

enum { IMAGE_SEGMENTS_MAX = 64, IMAGE_NAME_BYTES = 256 };

typedef ElfW(Ehdr) image_header;
typedef ElfW(Phdr) image_segment;

struct image {
	int fd; /* the caller's */
	image_header header;
	image_segment segments[IMAGE_SEGMENTS_MAX];
	int segment_count;
};

enum image_kind image_read(struct image *image, int fd);

/* The first segment of that type, or NULL. */
const image_segment *image_find(const struct image *image, uint32_t type);

/* The next value with that tag in the dynamic table, from *position on; false at its end. */
bool image_next(const struct image *image, int64_t tag, unsigned *position, uint64_t *value);

/* The first of them, 0 where there is none. */
uint64_t image_value(const struct image *image, int64_t tag);

/* Where in the file the dynamic string table lies; UINT64_MAX, at which nothing can be read. */
uint64_t image_strings(const struct image *image);

/* A string of the dynamic string table, cut to size. */
void image_string(const struct image *image, uint64_t index, char *text, size_t size);

/* The names of its symbol versions that begin with prefix, separated by spaces. */
void image_versions(const struct image *image, const char *prefix, char *names, size_t size);

/* Of any file: whether all of length bytes are there; a text, cut to size. */
bool image_read_at(int fd, uint64_t offset, void *bytes, size_t length);
void image_text_at(int fd, uint64_t offset, char *text, size_t size);

#endif
