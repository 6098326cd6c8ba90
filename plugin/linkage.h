#ifndef LINKAGE_H
#define LINKAGE_H

#include <stdbool.h>

#include "sharedobject.h"

/*
 * Where a reference to a symbol leads without this library, in the order of the dynamic linker: the
 * objects that the program started with, those opened with RTLD_GLOBAL, then those that were loaded
 * together with the caller. This reads the tables of the objects: dlsym() would clear an error that
 * the program has yet to ask for with dlerror().
 */

/*
 * The object that exports name at version (NULL: the default) to caller. With strict, it must be in
 * the scope of caller; without, any loaded object will do if none is. False also if memory is
 * short.
 */
bool linkage_find(struct sharedobject *object, const void *caller, const char *name,
	const char *version, bool strict);

/*
 * The function of that name in another preload library behind this one. An object that exports
 * anchor is a libcurl, and does not count. NULL if there is none.
 */
void *linkage_preloaded(const char *name, const char *version, const char *anchor);

/* The program opens file with RTLD_GLOBAL. */
void linkage_note_global(const char *file);

#endif
