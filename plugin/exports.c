/* The hooks that are exported: one for every node of plugin.map. */
#include "hooks.h"

#define EACH NODES
#define AT(node, version, result, name, parameters) \
	__asm__(".symver at_" #node "_" #name ", curl_" #name version); \
	__attribute__((visibility("default"))) result at_##node##_##name parameters; \
	__attribute__((visibility("default"))) result at_##node##_##name parameters

#include "entries.inc"
