#ifndef LIBRARIES_H
#define LIBRARIES_H

struct elffile;

/*
 * Visit the libraries that the dynamic linker would load with a program, in its order: the name
 * under which each is needed, its path, and its contents. Like the dynamic linker, this searches
 * RPATH, LD_LIBRARY_PATH, RUNPATH, /etc/ld.so.cache and the standard directories. A missing library
 * is skipped.
 */
typedef void libraries_visitor(
	void *context, const char *name, const char *path, const struct elffile *image);
void libraries_each(const char *program, libraries_visitor *visit, void *context);

#endif
