#ifndef LINKAGE_H
#define LINKAGE_H

#include <stdbool.h>

#include "sharedobject.h"

/*
 * What a reference to a symbol leads to, as the dynamic linker would have it were this library not
 * there: the objects that the program started with, those opened with RTLD_GLOBAL, then whatever
 * was opened for the sake of the caller. It is found out from the objects' own tables. The linker's
 * functions would wipe out an error that the program has yet to ask for with dlerror().
 */

/*
 * The object that exports name at version (NULL: the default) to caller. With strict, one that the
 * caller could not have reached is none; without, any that is loaded will do where there is no
 * better one. False also where memory is short.
 */
bool linkage_find(struct sharedobject *object, const void *caller, const char *name,
	const char *version, bool strict);

/*
 * The function by that name of another preload library behind this one, which is no function of
 * an object that also exports anchor; NULL where there is none.
 */
void *linkage_preloaded(const char *name, const char *version, const char *anchor);

/* The program opens file with RTLD_GLOBAL. */
void linkage_note_global(const char *file);

#endif
