/*
 * Runs a fuzzer without libFuzzer:  replay FILE…
 *
 * Each file as it is, cut short at every length, and with each byte changed in a few ways.
 */
#include <stdio.h>

#include "core/buffer.h"
#include "fuzz.h"

enum { FILE_MAX_BYTES = 1 << 20, NEIGHBOURHOOD_BYTES = 2048 };

/* As in memory of its own, where a sanitizer sees the first byte beyond. */
static void try(const char *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert(copy);
	if (length > 0)
		memcpy(copy, bytes, length);
	LLVMFuzzerTestOneInput(copy, length);
	free(copy);
}

static void try_changed(char *bytes, size_t length, size_t i)
{
	const char changes[] = {'\0', '\n', '\r', '=', '"', ' ', (char)0xff, (char)(bytes[i] ^ 1)};
	char before = bytes[i];

	for (size_t k = 0; k < sizeof(changes); k++) {
		bytes[i] = changes[k];
		try(bytes, length);
	}
	bytes[i] = before;
}

static void replay(const char *path)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	FILE *file = fopen(path, "rb");

	if (!file || buffer_read(&content, fileno(file))) {
		perror(path);
		exit(1);
	}
	fclose(file);
	try(content.data, content.length);
	for (size_t i = 0; i < content.length && i < NEIGHBOURHOOD_BYTES; i++) {
		try(content.data, i);
		try_changed(content.data, content.length, i);
	}
	buffer_release(&content);
}

int main(int argc, char **argv)
{
	try(NULL, 0);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%d files\n", argc - 1);
	return 0;
}
