#include "memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned long seen;
static unsigned long failing;

void memory_begin(unsigned long chosen)
{
	seen = 0;
	failing = chosen;
}

unsigned long memory_count(void)
{
	return seen;
}

bool memory_fails(void)
{
	if (++seen != failing)
		return false;
	errno = ENOMEM;
	return true;
}

void *memory_malloc(size_t size)
{
	return memory_fails() ? NULL : malloc(size);
}

void *memory_calloc(size_t count, size_t size)
{
	return memory_fails() ? NULL : calloc(count, size);
}

void *memory_realloc(void *memory, size_t size)
{
	return memory_fails() ? NULL : realloc(memory, size);
}

char *memory_strdup(const char *text)
{
	return memory_fails() ? NULL : strdup(text);
}
