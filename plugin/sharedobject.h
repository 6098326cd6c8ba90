#ifndef SHAREDOBJECT_H
#define SHAREDOBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An object the dynamic linker has loaded, and the symbols it exports, read from its own tables:
 * quicker than the linker's functions, and without their locks, errors and side effects.
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
 * Every loaded object in the order in which they were loaded, until visit() returns true, which is
 * then the result. At the start of a program that is also the order in which symbols are looked up.
 */
typedef bool sharedobject_visitor(const struct sharedobject *object, void *context);
bool sharedobject_each(sharedobject_visitor *visit, void *context);

/*
 * The names of the objects that it needs, as their sonames or paths; call it with *position 0
 * first. NULL at the end.
 */
const char *sharedobject_needed(const struct sharedobject *object, size_t *position);

/* The object that address lies in. */
bool sharedobject_at(struct sharedobject *object, const void *address);

/*
 * The address of an exported function, NULL where there is none. An object without versions
 * serves every version; version NULL means the default one.
 */
void *sharedobject_symbol(const struct sharedobject *object, const char *name, const char *version);

/* The version under which name is exported by default, NULL where it has none. */
const char *sharedobject_symbol_version(const struct sharedobject *object, const char *name);

bool sharedobject_contains(const struct sharedobject *object, const void *address);

/* This library. */
bool sharedobject_ours(struct sharedobject *object);
bool sharedobject_is_us(const struct sharedobject *object);

/* Whether address lies in it. */
bool sharedobject_is_ours(const void *address);

#endif
