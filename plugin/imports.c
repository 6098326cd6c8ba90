#include "imports.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/*
 * The file is read, never mapped: it may be truncated while we look, and a mapping would then
 * kill the host.
 */
enum { SEGMENTS_MAX = 32, DYNAMIC_MAX = 512, CHUNK_BYTES = 1024 };

static const char NAME[] = "\0curl_easy_";

struct file {
	int fd;
	size_t segment_count;
	ElfW(Phdr) segments[SEGMENTS_MAX];
};

static bool read_at(int fd, void *bytes, size_t length, uint64_t offset)
{
	return pread(fd, bytes, length, (off_t)offset) == (ssize_t)length;
}

static bool read_segments(struct file *file)
{
	ElfW(Ehdr) header;

	if (!read_at(file->fd, &header, sizeof(header), 0) ||
		memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
		header.e_ident[EI_CLASS] != (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32) ||
		header.e_phentsize != sizeof(*file->segments) || header.e_phnum > SEGMENTS_MAX)
		return false;
	file->segment_count = header.e_phnum;
	return read_at(
		file->fd, file->segments, header.e_phnum * sizeof(*file->segments), header.e_phoff);
}

static bool offset_of(const struct file *file, ElfW(Addr) address, uint64_t *offset)
{
	for (size_t i = 0; i < file->segment_count; i++) {
		const ElfW(Phdr) *segment = &file->segments[i];

		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
			address - segment->p_vaddr < segment->p_filesz) {
			*offset = segment->p_offset + (address - segment->p_vaddr);
			return true;
		}
	}
	return false;
}

/* Where the names of its dynamic symbols lie in the file. */
static bool find_strings(const struct file *file, uint64_t *offset, uint64_t *length)
{
	ElfW(Addr) address = 0;
	uint64_t at = 0;
	ElfW(Dyn) entry;

	for (size_t i = 0; i < file->segment_count; i++)
		if (file->segments[i].p_type == PT_DYNAMIC)
			at = file->segments[i].p_offset;
	*length = 0;
	for (size_t i = 0; at && i < DYNAMIC_MAX; i++, at += sizeof(entry)) {
		if (!read_at(file->fd, &entry, sizeof(entry), at) || entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			address = entry.d_un.d_ptr;
		if (entry.d_tag == DT_STRSZ)
			*length = entry.d_un.d_val;
	}
	return address && offset_of(file, address, offset);
}

/* Each chunk begins with the end of the one before, so that no name is cut in two. */
static bool contains_name(int fd, uint64_t offset, uint64_t length)
{
	enum { KEPT = sizeof(NAME) - 2 };
	char chunk[CHUNK_BYTES];
	uint64_t end = offset + length;

	while (offset < end) {
		size_t wanted =
			end - offset < sizeof(chunk) ? (size_t)(end - offset) : sizeof(chunk);

		if (!read_at(fd, chunk, wanted, offset))
			return false;
		if (memmem(chunk, wanted, NAME, sizeof(NAME) - 1))
			return true;
		if (wanted < sizeof(chunk))
			return false;
		offset += wanted - KEPT;
	}
	return false;
}

bool imports_libcurl(const char *path)
{
	struct file file = {.fd = -1};
	uint64_t offset, length;
	bool found;

	if (strchr(path, '/'))
		file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file.fd < 0)
		return false;
	found = read_segments(&file) && find_strings(&file, &offset, &length) &&
		contains_name(file.fd, offset, length);
	close(file.fd);
	return found;
}
