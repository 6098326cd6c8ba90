#include "elffile.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Limits on tables that may have no end, or loop. */
enum { DYNAMIC_MAX = 1024, VERSIONS_MAX = 64, CHUNK_BYTES = 2048, OVERLAP = 64 };

typedef ElfW(Dyn) elf_entry;
typedef ElfW(Verdef) elf_version;
typedef ElfW(Verdaux) elf_version_name;

/* The linker's name for our own header: the plugin is built for the same machine. */
extern const elffile_header __ehdr_start __attribute__((visibility("hidden")));

/* A file that ends too early, or an offset beyond what pread() takes, counts as absent. */
bool elffile_read_at(int fd, uint64_t offset, void *bytes, size_t length)
{
	return offset < INT64_MAX && pread(fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

void elffile_text_at(int fd, uint64_t offset, char *text, size_t size)
{
	ssize_t length = offset < INT64_MAX ? pread(fd, text, size - 1, (off_t)offset) : 0;

	text[length > 0 ? length : 0] = '\0';
}

static bool holds_any(
	const char *bytes, size_t length, const struct elffile_text *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memmem(bytes, length, texts[i].bytes, texts[i].length))
			return true;
	return false;
}

/* The chunks overlap, so that no text is cut in two. They are small, as a host's stack may be. */
bool elffile_holds_any(
	int fd, uint64_t start, uint64_t end, const struct elffile_text *texts, size_t count)
{
	char chunk[CHUNK_BYTES];
	ssize_t length;

	for (uint64_t at = start; at < end && end < INT64_MAX; at += (size_t)length - OVERLAP) {
		size_t wanted = end - at < sizeof(chunk) ? (size_t)(end - at) : sizeof(chunk);

		length = pread(fd, chunk, wanted, (off_t)at);
		if (length > 0 && holds_any(chunk, (size_t)length, texts, count))
			return true;
		if (length <= OVERLAP)
			return false;
	}
	return false;
}

/* An i386 file is foreign on x86-64 too, so compare the word size and the byte order. */
static bool is_native(const elffile_header *header)
{
	return header->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
	       header->e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] &&
	       header->e_machine == __ehdr_start.e_machine;
}

enum elffile_kind elffile_read(struct elffile *image, int fd)
{
	const size_t size = sizeof(image->segments[0]);

	image->fd = fd;
	image->segment_count = 0;
	if (!elffile_read_at(fd, 0, &image->header, sizeof(image->header)) ||
		memcmp(image->header.e_ident, ELFMAG, SELFMAG) != 0)
		return ELFFILE_MALFORMED;
	if (!is_native(&image->header))
		return ELFFILE_FOREIGN;
	if (image->header.e_phentsize != size || image->header.e_phnum > ELFFILE_SEGMENTS_MAX ||
		!elffile_read_at(
			fd, image->header.e_phoff, image->segments, image->header.e_phnum * size))
		return ELFFILE_MALFORMED;
	image->segment_count = image->header.e_phnum;
	return ELFFILE_NATIVE;
}

const elffile_segment *elffile_find(const struct elffile *image, uint32_t type)
{
	for (int i = 0; i < image->segment_count; i++)
		if (image->segments[i].p_type == type)
			return &image->segments[i];
	return NULL;
}

/* The offset in the file of an address of the program. UINT64_MAX if there is none. */
static uint64_t offset_of(const struct elffile *image, uint64_t address)
{
	for (int i = 0; i < image->segment_count; i++) {
		const elffile_segment *load = &image->segments[i];

		if (load->p_type == PT_LOAD && address >= load->p_vaddr &&
			address - load->p_vaddr < load->p_filesz)
			return load->p_offset + (address - load->p_vaddr);
	}
	return UINT64_MAX;
}

bool elffile_next(const struct elffile *image, int64_t tag, unsigned *position, uint64_t *value)
{
	const elffile_segment *dynamic = elffile_find(image, PT_DYNAMIC);
	elf_entry entry;

	while (dynamic && *position < DYNAMIC_MAX) {
		uint64_t offset = dynamic->p_offset + (uint64_t)*position * sizeof(entry);

		if (!elffile_read_at(image->fd, offset, &entry, sizeof(entry)) ||
			entry.d_tag == DT_NULL)
			return false;
		(*position)++;
		*value = entry.d_un.d_val;
		if (entry.d_tag == tag)
			return true;
	}
	return false;
}

uint64_t elffile_value(const struct elffile *image, int64_t tag)
{
	unsigned position = 0;
	uint64_t value;

	return elffile_next(image, tag, &position, &value) ? value : 0;
}

uint64_t elffile_strings(const struct elffile *image)
{
	return offset_of(image, elffile_value(image, DT_STRTAB));
}

bool elffile_names_any(const struct elffile *image, const struct elffile_text *texts, size_t count)
{
	uint64_t start = elffile_strings(image);
	uint64_t length = elffile_value(image, DT_STRSZ);

	return length < INT64_MAX && start < INT64_MAX &&
	       elffile_holds_any(image->fd, start, start + length, texts, count);
}

void elffile_string(const struct elffile *image, uint64_t index, char *text, size_t size)
{
	uint64_t strings = elffile_strings(image);

	elffile_text_at(image->fd, strings == UINT64_MAX ? strings : strings + index, text, size);
}

/* Each definition has its own name first, then those of the versions that it follows. */
void elffile_versions(const struct elffile *image, const char *prefix, char *names, size_t size)
{
	uint64_t offset = offset_of(image, elffile_value(image, DT_VERDEF));
	size_t length = 0;
	elf_version version;

	names[0] = '\0';
	for (int i = 0;
		i < VERSIONS_MAX && elffile_read_at(image->fd, offset, &version, sizeof(version));
		i++) {
		elf_version_name first = {.vda_name = 0};
		char name[ELFFILE_NAME_BYTES];

		if (elffile_read_at(image->fd, offset + version.vd_aux, &first, sizeof(first)))
			elffile_string(image, first.vda_name, name, sizeof(name));
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
