#ifndef IMPORTS_H
#define IMPORTS_H

#include <stdbool.h>

/*
 * Whether the ELF file at path, of this machine's own kind, names functions of libcurl among its
 * dynamic symbols. False for whatever cannot be read.
 */
bool imports_libcurl(const char *path);

#endif
