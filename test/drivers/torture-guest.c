/*
 * A preload library that stands behind libsypht-preload.so and makes an allocation of that library
 * fail: the one whose number is in TORTURE_ALLOC, or, where a "+" follows, that one and all after
 * it. What the program, libcurl and the C library allocate for themselves never fails. At the end
 * it says on stderr how many allocations there were, if TORTURE_COUNT is set.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uintptr_t guest_start, guest_end;
static atomic_ulong seen;

/* NOLINTBEGIN(bugprone-reserved-identifier): the C library's own, which nobody stands before */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
/* NOLINTEND(bugprone-reserved-identifier) */

static int find_guest(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (!strstr(info->dlpi_name, "/libsypht-preload.so"))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		if (!guest_end)
			guest_start = start;
		guest_end = start + segment->p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	dl_iterate_phdr(find_guest, NULL);
}

__attribute__((destructor)) static void tell(void)
{
	if (getenv("TORTURE_COUNT"))
		fprintf(stderr, "%lu allocations\n", atomic_load(&seen));
}

static bool fails(const void *caller)
{
	const char *order;
	unsigned long number, chosen;
	char *end = NULL;

	if ((uintptr_t)caller < guest_start || (uintptr_t)caller >= guest_end)
		return false;
	number = atomic_fetch_add(&seen, 1) + 1;
	order = getenv("TORTURE_ALLOC");
	chosen = order ? strtoul(order, &end, 10) : 0;
	if (chosen == 0 || (number != chosen && !(*end == '+' && number > chosen)))
		return false;
	errno = ENOMEM;
	return true;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
	return fails(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return fails(CALLER) ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}

static char *duplicate(const char *text, size_t length)
{
	char *copy = __libc_malloc(length + 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

char *strdup(const char *text)
{
	return fails(CALLER) ? NULL : duplicate(text, strlen(text));
}

char *strndup(const char *text, size_t length)
{
	return fails(CALLER) ? NULL : duplicate(text, strnlen(text, length));
}
