/*
 * Compares skim_find() with what every reader of strcasestr(3) expects, on texts made to be hard:
 * few different letters, so that nearly everything nearly fits. Texts end where memory ends, so
 * that looking one byte too far is death.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/skim.h"

enum { ROUNDS = 200000, LETTERS_MAX = 300, WANTED_MAX = 40 };

static unsigned long state = 1;

static size_t below(size_t bound)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (state >> 33) % bound;
}

static void scribble(char *text, size_t length, size_t kinds)
{
	for (size_t i = 0; i < length; i++)
		text[i] = "aA[{bB.1"[below(kinds)];
}

/* A page that is followed by none. */
static char *last_page(size_t size)
{
	char *pages =
		mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || munmap(pages + size, size) != 0)
		exit(2);
	return pages;
}

int main(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *page = last_page(size);

	for (size_t round = 0; round < ROUNDS; round++) {
		char copy[LETTERS_MAX + 1] = "";
		char wanted[WANTED_MAX + 1] = "";
		size_t length = below(LETTERS_MAX + 1);
		char *text = page + size - length;
		const char *expected;
		const char *found;

		scribble(text, length, 1 + below(8));
		scribble(wanted, 1 + below(below(3) ? 5 : WANTED_MAX), 1 + below(8));
		memcpy(copy, text, length);

		expected = strcasestr(copy, wanted);
		found = skim_find(text, length, wanted);
		if ((expected ? expected - copy : -1) != (found ? found - text : -1)) {
			printf("'%s' in '%s': at %td, not at %td\n", wanted, copy,
				expected ? expected - copy : -1, found ? found - text : -1);
			return 1;
		}
	}
	return 0;
}
