#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>

/* Whether the allocation that is about to be made is to fail: torture.c, never elsewhere. */
bool memory_fails(void);

#endif
