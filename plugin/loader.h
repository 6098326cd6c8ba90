#ifndef LOADER_H
#define LOADER_H

/*
 * The dynamic linker's own functions, past the ones this library puts before them. A failure
 * leaves nothing for the application's next dlerror().
 */

/* What name at version means behind this library in the global scope; version may be NULL. */
void *loader_next(const char *name, const char *version);

/* dlsym(). */
void *loader_symbol(void *handle, const char *name);

#endif
