#ifndef IMPORTS_H
#define IMPORTS_H

#include <stdbool.h>

/*
 * Whether the ELF file at path, of this machine's own kind, names functions of libcurl among its
 * dynamic symbols. False for whatever cannot be read, and for a bare name, which the dynamic linker
 * would search for.
 */
bool imports_libcurl(const char *path);

#endif
