#include "linkage.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the program started with ---- */

/*
 * These objects are the first that the linker lists, and are never unloaded. So their number is
 * enough to tell them from the others.
 */
static atomic_size_t count_at_start;

static bool count_one(const struct sharedobject *object, void *count)
{
	(void)object;
	++*(size_t *)count;
	return false;
}

static size_t count_objects(void)
{
	size_t count = 0;

	sharedobject_each(count_one, &count);
	return count;
}

__attribute__((constructor)) static void count_start(void)
{
	atomic_store(&count_at_start, count_objects());
}

/* ---- what was opened with RTLD_GLOBAL ---- */

/* The names are never freed: another thread may be reading the list. */
struct name {
	const struct name *next;
	char text[];
};

static _Atomic(const struct name *) global_names;

static bool is_noted(const char *file)
{
	const struct name *name = atomic_load(&global_names);

	while (name && strcmp(name->text, file) != 0)
		name = name->next;
	return name != NULL;
}

void linkage_note_global(const char *file)
{
	size_t size = strlen(file) + 1;
	struct name *name = is_noted(file) ? NULL : malloc(sizeof(*name) + size);
	const struct name *next = atomic_load(&global_names);

	if (!name)
		return;
	memcpy(name->text, file, size);
	do
		name->next = next;
	while (!atomic_compare_exchange_weak(&global_names, &next, name));
}

static bool is_called(const struct sharedobject *object, const char *name)
{
	const char *slash = strrchr(object->name, '/');

	return strcmp(object->name, name) == 0 ||
	       (object->soname && strcmp(object->soname, name) == 0) ||
	       (slash && strcmp(slash + 1, name) == 0);
}

/* ---- if several export it ---- */

/*
 * All loaded objects, and the symbol that is searched for. The objects that object i needs are in
 * needed[], from first[i] up to first[i + 1]. spread() fills order[] with a root and all it needs,
 * breadth first, as the linker searches them; marks[] holds the root for which an object was last
 * visited, plus one.
 */
struct census {
	const char *name;
	const char *version;
	const void *caller;
	size_t size;
	size_t count;
	size_t *first;
	size_t *order;
	size_t *marks;
	size_t *needed;
	struct sharedobject objects[];
};

/* Another thread may have loaded an object since they were counted: leave out the surplus. */
static bool take_one(const struct sharedobject *object, void *context)
{
	struct census *census = context;

	if (census->count == census->size)
		return true;
	census->objects[census->count++] = *object;
	return false;
}

static bool count_needed(const struct sharedobject *object, void *count)
{
	size_t position = 0;

	while (sharedobject_needed(object, &position))
		++*(size_t *)count;
	return false;
}

static size_t find_called(const struct census *census, const char *name)
{
	size_t index = 0;

	while (index < census->count && !is_called(&census->objects[index], name))
		index++;
	return index;
}

static void link_objects(struct census *census, size_t room)
{
	size_t total = 0;

	for (size_t i = 0; i < census->count; i++) {
		const char *name;
		size_t position = 0;

		census->first[i] = total;
		while (total < room && (name = sharedobject_needed(&census->objects[i], &position)))
			census->needed[total++] = find_called(census, name);
	}
	census->first[census->count] = total;
}

/* One allocation holds it all: the objects, then the numbers. */
static struct census *census_new(void)
{
	struct census *census;
	size_t count = count_objects(), room = 0;
	size_t *numbers;

	sharedobject_each(count_needed, &room);
	census = calloc(1, sizeof(*census) + count * sizeof(*census->objects) +
				   (3 * count + 1 + room) * sizeof(*numbers));
	if (!census)
		return NULL;
	numbers = (size_t *)(void *)&census->objects[count];
	census->size = count;
	census->order = numbers;
	census->marks = numbers + count;
	census->first = numbers + 2 * count;
	census->needed = census->first + count + 1;
	sharedobject_each(take_one, census);
	link_objects(census, room);
	return census;
}

static bool exports(const struct census *census, size_t index)
{
	const struct sharedobject *object = &census->objects[index];

	return !sharedobject_is_us(object) &&
	       sharedobject_symbol(object, census->name, census->version);
}

/* Fill order[] from root; returns how many objects that are. */
static size_t spread(struct census *census, size_t root)
{
	size_t count = 1;

	census->order[0] = root;
	census->marks[root] = root + 1;
	for (size_t i = 0; i < count; i++) {
		size_t object = census->order[i];

		for (size_t n = census->first[object]; n < census->first[object + 1]; n++) {
			size_t needed = census->needed[n];

			if (needed == census->count || census->marks[needed] == root + 1)
				continue;
			census->marks[needed] = root + 1;
			census->order[count++] = needed;
		}
	}
	return count;
}

/* The first object in the order of root that exports the symbol; census->count if none does. */
static size_t find_below(struct census *census, size_t root, bool for_caller)
{
	size_t count = spread(census, root);
	size_t found = census->count;
	bool serves = !for_caller;

	for (size_t i = 0; i < count; i++) {
		size_t index = census->order[i];

		serves |= sharedobject_contains(&census->objects[index], census->caller);
		if (found == census->count && exports(census, index))
			found = index;
	}
	return serves ? found : census->count;
}

static size_t find_at_start(const struct census *census)
{
	size_t at_start = atomic_load(&count_at_start);

	for (size_t index = 0; index < at_start && index < census->count; index++)
		if (exports(census, index))
			return index;
	return census->count;
}

/* Every caller may use an object opened with RTLD_GLOBAL, and all that this object needs. */
static size_t find_global(struct census *census)
{
	size_t found = census->count;

	for (size_t root = atomic_load(&count_at_start);
		root < census->count && found == census->count; root++)
		for (const struct name *name = atomic_load(&global_names); name; name = name->next)
			if (found == census->count && is_called(&census->objects[root], name->text))
				found = find_below(census, root, false);
	return found;
}

/* Only the objects loaded for it may use an object opened with RTLD_LOCAL. */
static size_t find_local(struct census *census)
{
	size_t found = census->count;

	for (size_t root = 0; root < census->count && found == census->count; root++)
		found = find_below(census, root, true);
	return found;
}

static size_t find_in_scope(struct census *census)
{
	size_t found = find_at_start(census);

	if (found == census->count)
		found = find_global(census);
	return found == census->count ? find_local(census) : found;
}

/* ---- without a census, if there is only one ---- */

struct only {
	const char *name;
	const char *version;
	const void *caller;
	struct sharedobject *first;
	size_t count;
	bool by_itself;
};

/* A libcurl that calls one of its own functions means its own: search no further. */
static bool count_exporting(const struct sharedobject *object, void *context)
{
	struct only *only = context;

	if (sharedobject_is_us(object) || !sharedobject_symbol(object, only->name, only->version))
		return false;
	only->by_itself = sharedobject_contains(object, only->caller);
	if (only->count++ == 0 || only->by_itself)
		*only->first = *object;
	return only->by_itself;
}

bool linkage_find(struct sharedobject *object, const void *caller, const char *name,
	const char *version, bool strict)
{
	struct only only = {.name = name, .version = version, .caller = caller, .first = object};
	struct census *census;
	size_t found;
	bool reached;

	sharedobject_each(count_exporting, &only);
	if (only.count == 0 || only.by_itself || (only.count == 1 && !strict))
		return only.count > 0;
	census = census_new();
	if (!census)
		return false;
	census->name = name;
	census->version = version;
	census->caller = caller;
	found = find_in_scope(census);
	reached = found < census->count;
	if (reached)
		*object = census->objects[found];
	free(census);
	return reached || !strict;
}

/* ---- other preload libraries ---- */

struct line {
	const char *name;
	const char *version;
	const char *anchor;
	size_t index;
	bool behind_us;
	void *found;
};

static bool match_preloaded(const struct sharedobject *object, void *context)
{
	struct line *line = context;

	if (line->index++ >= atomic_load(&count_at_start))
		return true;
	if (sharedobject_is_us(object))
		line->behind_us = true;
	else if (line->behind_us && !sharedobject_symbol(object, line->anchor, NULL))
		line->found = sharedobject_symbol(object, line->name, line->version);
	return line->found != NULL;
}

void *linkage_preloaded(const char *name, const char *version, const char *anchor)
{
	struct line line = {.name = name, .version = version, .anchor = anchor};

	sharedobject_each(match_preloaded, &line);
	return line.found;
}
