#ifndef SALVAGE_H
#define SALVAGE_H

#include <stdbool.h>

struct origin;

/*
 * The origins that a config names, although it cannot be used: wherever they stand, before or
 * behind a fault, and in whatever section. Whoever may send a token must know which requests would
 * have needed one. No memory is allocated. A file that cannot be read names none.
 *
 * visit() is called for each origin, and again where one is repeated, until it returns false.
 */
typedef bool salvage_visitor(const struct origin *origin, void *context);
void salvage_origins(const char *path, salvage_visitor *visit, void *context);

#endif
