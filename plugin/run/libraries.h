#ifndef LIBRARIES_H
#define LIBRARIES_H

struct elffile;

/*
 * Call visit with every library that the loader would load along with a program, in its order: the
 * name by which it is asked for, its file, and what that contains. As the loader, this looks in
 * RPATH, LD_LIBRARY_PATH, RUNPATH, its cache and the standard directories; what is nowhere is
 * passed over in silence.
 */
typedef void libraries_visitor(
	void *context, const char *name, const char *path, const struct elffile *image);
void libraries_each(const char *program, libraries_visitor *visit, void *context);

#endif
