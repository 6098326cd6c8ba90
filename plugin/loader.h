#ifndef LOADER_H
#define LOADER_H

/*
 * The dynamic linker's own functions, past the ones this library puts before them. A failure
 * leaves nothing for the application's next dlerror().
 */

/* What name at version means behind this library in the global scope; version may be NULL. */
void *loader_next(const char *name, const char *version);

/* What it means to the loaded object at path, the program itself where that is "". */
void *loader_symbol_beside(const char *path, const char *name, const char *version);

#endif
