/*
 * The hooks that dlsym() returns. Their number is fixed at compile time: many systems forbid memory
 * that is both writable and executable, so they cannot be made on demand.
 */
#include "foreign.h"

#include "hooks.h"

#define EACH                                        FOREIGN_NODES
#define AT(node, version, result, name, parameters) static result at_##node##_##name parameters

#include "entries.inc"

#define PLACE(node, version, name)    [NODE_##node - NODE_EXPORTED] = (void *)at_##node##_##name,
#define ROW(result, name, parameters) [FUNCTION_##name] = {FOREIGN_NODES(PLACE, name)},

static void *const hooks[FUNCTION_COUNT][FOREIGN_COUNT] = {HOOKED(ROW)};

void *foreign_hook(struct foreign foreign)
{
	return foreign.place < 0 ? NULL : hooks[foreign.function][foreign.place];
}
