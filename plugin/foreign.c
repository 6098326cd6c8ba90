/*
 * The hooks that dlsym() answers with. They are compiled, and few: where memory may not be both
 * written and executed, none could be made when they are wanted.
 */
#include "foreign.h"

#include "hooks.h"

#define EACH                                        FOREIGN_NODES
#define AT(node, version, result, name, parameters) static result at_##node##_##name parameters

#include "entries.inc"

#define PLACE(node, version, name)    [NODE_##node - NODE_EXPORTED] = (void *)at_##node##_##name,
#define ROW(result, name, parameters) [FUNCTION_##name] = {FOREIGN_NODES(PLACE, name)},

static void *const hooks[FUNCTION_COUNT][FOREIGN_COUNT] = {HOOKED(ROW)};

void *foreign_hook(int place, enum function function)
{
	return hooks[function][place];
}
