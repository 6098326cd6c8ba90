#ifndef PATH_H
#define PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* directory/name. False if that is too long. An empty directory is the current one. */
bool path_join(char path[PATH_MAX], const char *directory, size_t length, const char *name);

/* False if it is too long. */
bool path_copy(char path[PATH_MAX], const char *from);

/* The part after the last slash. */
const char *path_base(const char *path);

#endif
