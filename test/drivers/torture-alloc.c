/*
 * Linked with --wrap into one of our programs, this makes an allocation fail: the one whose number
 * is in TORTURE_ALLOC, or, where a "+" follows, that one and all after it. At the end it says on
 * stderr how many there were, if TORTURE_COUNT is set.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long seen;

__attribute__((destructor)) static void tell(void)
{
	if (getenv("TORTURE_COUNT"))
		fprintf(stderr, "%lu allocations\n", seen);
}

/* Called once per allocation. */
static bool fails(void)
{
	const char *order = getenv("TORTURE_ALLOC");
	char *end = NULL;
	unsigned long chosen = order ? strtoul(order, &end, 10) : 0;

	seen++;
	if (chosen == 0 || (seen != chosen && !(*end == '+' && seen > chosen)))
		return false;
	errno = ENOMEM;
	return true;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
#define WRAP(result, name, parameters, arguments) \
	result __real_##name parameters; \
	result __wrap_##name parameters; \
	result __wrap_##name parameters \
	{ \
		return fails() ? NULL : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *memory, size_t size), (memory, size))
WRAP(char *, strdup, (const char *text), (text))
WRAP(char *, strndup, (const char *text, size_t length), (text, length))

int __wrap_asprintf(char **out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list arguments;
	int length;

	if (fails())
		return -1;
	va_start(arguments, format);
	length = vasprintf(out, format, arguments);
	va_end(arguments);
	return length;
}
/* NOLINTEND(bugprone-reserved-identifier) */
