#ifndef OBJECT_H
#define OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An object the dynamic linker has loaded, and the symbols it exports, read from its own tables:
 * quicker than the linker's functions, and without their locks, errors and side effects.
 */
struct object {
	const char *name; /* its path; "" for the program itself */
	uintptr_t base;   /* what the linker added to its addresses */
	uintptr_t start;  /* where it is mapped */
	uintptr_t end;
	const void *dynamic;
	const void *symbols;
	const char *strings;
	const void *versions;    /* NULL: its symbols have no versions */
	const void *definitions; /* of those versions */
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash;
};

/* A number that changes whenever an object is loaded or unloaded. */
unsigned long object_generation(void);

/* The object that address lies in. */
bool object_at(struct object *object, const void *address);

/* The first loaded object, this library excepted, that exports name at version. */
bool object_exporting(struct object *object, const char *name, const char *version);

/*
 * The address of an exported function, NULL where there is none. An object without versions
 * serves every version; version NULL means the default one.
 */
void *object_symbol(const struct object *object, const char *name, const char *version);

/* The version under which name is exported by default, NULL where it has none. */
const char *object_symbol_version(const struct object *object, const char *name);

bool object_contains(const struct object *object, const void *address);

/* This library. */
bool object_ours(struct object *object);

/* Whether address lies in it. */
bool object_is_ours(const void *address);

#endif
