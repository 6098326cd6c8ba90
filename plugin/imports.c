#include "imports.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "elffile.h"

enum { CHUNK_BYTES = 1024 };

static const char NAME[] = "\0curl_easy_";

/* Each chunk begins with the end of the one before, so that no name is cut in two. */
static bool contains_name(int fd, uint64_t offset, uint64_t length)
{
	enum { KEPT = sizeof(NAME) - 2 };
	char chunk[CHUNK_BYTES];
	uint64_t end = offset + length;

	while (offset < end) {
		size_t wanted =
			end - offset < sizeof(chunk) ? (size_t)(end - offset) : sizeof(chunk);

		if (!elffile_read_at(fd, offset, chunk, wanted))
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
	struct elffile image;
	bool found;
	int fd = -1;

	if (strchr(path, '/'))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	found = elffile_read(&image, fd) == ELFFILE_NATIVE &&
		contains_name(fd, elffile_strings(&image), elffile_value(&image, DT_STRSZ));
	close(fd);
	return found;
}
