#ifndef SALVAGE_H
#define SALVAGE_H

#include <stdbool.h>

struct origin;

/*
 * Find the origins that an invalid config names, in any section, above or below a mistake. The
 * plugin needs them to know which requests would have needed a token. Allocates no memory. A file
 * that cannot be read names no origin.
 *
 * Calls visit() for each origin, repeated ones included, until it returns false.
 */
typedef bool salvage_visitor(const struct origin *origin, void *context);
void salvage_origins(const char *path, salvage_visitor *visit, void *context);

#endif
