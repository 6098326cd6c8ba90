#ifndef SHAREDOBJECT_H
#define SHAREDOBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An object that the dynamic linker has loaded, and the symbols that it exports. This reads the
 * tables in memory: dlsym() is slower, takes locks, and changes what dlerror() returns.
 */
struct sharedobject {
	const char *name;   /* its path; "" for the program itself */
	const char *soname; /* NULL where it has none */
	uintptr_t base;     /* what the linker added to its addresses */
	uintptr_t start;    /* where it is mapped */
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
unsigned long sharedobject_generation(void);

/*
 * Visit the loaded objects in the order of loading until visit() returns true; returns whether it
 * did. For the objects that a program starts with, that is also the order of symbol lookup.
 */
typedef bool sharedobject_visitor(const struct sharedobject *object, void *context);
bool sharedobject_each(sharedobject_visitor *visit, void *context);

/*
 * The next object that this one needs, as a soname or path. Start with *position 0; NULL at the
 * end.
 */
const char *sharedobject_needed(const struct sharedobject *object, size_t *position);

/* The object that address lies in. */
bool sharedobject_at(struct sharedobject *object, const void *address);

/*
 * The address of an exported function, NULL if there is none. An object without versions matches
 * every version; NULL means the default version.
 */
void *sharedobject_symbol(const struct sharedobject *object, const char *name, const char *version);

/* The version under which name is exported by default, NULL if it has none. */
const char *sharedobject_symbol_version(const struct sharedobject *object, const char *name);

bool sharedobject_contains(const struct sharedobject *object, const void *address);

/* This library. */
bool sharedobject_ours(struct sharedobject *object);
bool sharedobject_is_us(const struct sharedobject *object);

/* Whether address lies in it. */
bool sharedobject_is_ours(const void *address);

#endif
