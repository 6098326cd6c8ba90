#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Allocations that fail on order: those of the fake libcurl always ask here; those of the plugin do
 * where it is linked with malloc() renamed to memory_malloc() and so on, that is in calls-torture.
 */

/* Begin to count; the chosen allocation fails, 0: none. */
void memory_begin(unsigned long chosen);

/* How many there were since. */
unsigned long memory_count(void);

/* To be called once for each: whether it fails. */
bool memory_fails(void);

void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *memory, size_t size);
char *memory_strdup(const char *text);

#endif
