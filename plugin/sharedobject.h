#ifndef SHAREDOBJECT_H
#define SHAREDOBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An object the dynamic linker has loaded, and the symbols it exports, read from its own tables:
 * quicker than the linker's functions, and without their locks, errors and side effects.
 */
struct object {
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
unsigned long object_generation(void);

/*
 * Every loaded object in the order in which they were loaded, until visit() returns true, which is
 * then the result. At the start of a program that is also the order in which symbols are looked up.
 */
typedef bool object_visitor(const struct object *object, void *context);
bool object_each(object_visitor *visit, void *context);

/*
 * The names of the objects that it needs, as their sonames or paths; call it with *position 0
 * first. NULL at the end.
 */
const char *object_needed(const struct object *object, size_t *position);

/* The object that address lies in. */
bool object_at(struct object *object, const void *address);

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
bool object_is_us(const struct object *object);

/* Whether address lies in it. */
bool object_is_ours(const void *address);

#endif
