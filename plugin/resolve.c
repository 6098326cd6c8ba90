#include "resolve.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"
#include "object.h"

/* A function that every libcurl has and no preload would hook: where it is, libcurl is. */
static const char ANCHOR[] = "curl_easy_strerror";

/* NULL for PLAIN, else the version without the "@" it is defined with. */
static const char *version_of(enum node node)
{
	static const char *const definitions[NODE_COUNT] = {
#define DEFINITION(name, definition, ...) [NODE_##name] = definition,
		NODES(DEFINITION, )
#undef DEFINITION
	};

	return node == NODE_PLAIN ? NULL : definitions[node] + 1;
}

_Atomic(struct libcurl *) resolve_known;

static _Atomic(const void *) asked_for; /* in the object last seen by resolve_hook() as PLAIN */

/*
 * What a reference to name at version means in the global scope, behind this library. An object
 * whose symbols have no versions serves all of them, but dlvsym() passes it by.
 */
static void *next_in_scope(const char *name, const char *version)
{
	void *found = loader_next(name, NULL);
	struct object object;

	if (found && version && object_at(&object, found) &&
		object_symbol(&object, name, version) != found)
		found = NULL;
	return found || !version ? found : loader_next(name, version);
}

/* (a) of three: the global scope, behind this library. */
static bool find_globally(struct object *object, enum node node, const void *caller)
{
	void *anchor = next_in_scope(ANCHOR, version_of(node));

	(void)caller;
	return anchor && object_at(object, anchor);
}

/* (b) What the caller's object needs. */
static bool find_beside(struct object *object, enum node node, const void *caller)
{
	struct object user;
	void *anchor;

	if (!object_at(&user, caller))
		return false;
	anchor = loader_symbol_beside(user.name, ANCHOR, version_of(node));
	return anchor && object_at(object, anchor);
}

/* What a program found with dlopen() and dlsym(). */
static bool find_asked_for(struct object *object, enum node node, const void *caller)
{
	const void *address = atomic_load(&asked_for);

	(void)caller;
	return node == NODE_PLAIN && address && object_at(object, address) &&
	       object_symbol(object, ANCHOR, NULL);
}

/* (c) Whatever is loaded. */
static bool find_anywhere(struct object *object, enum node node, const void *caller)
{
	(void)caller;
	return object_exporting(object, ANCHOR, version_of(node));
}

static bool find_object(struct object *object, struct site site)
{
	static bool (*const ways[])(struct object *, enum node, const void *) = {
		find_globally, find_beside, find_asked_for, find_anywhere};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (ways[i](object, site.node, site.caller))
			return true;
	return false;
}

/* The next preload's function if there is one in between, else libcurl's own; never ours. */
static void *next_function(const struct object *object, const char *name, const char *version)
{
	void *own = object_symbol(object, name, version);
	void *next = own ? loader_next(name, NULL) : NULL;

	if (!next || object_contains(object, next))
		return own;
	next = next_in_scope(name, version);
	return next && !object_is_ours(next) ? next : own;
}

/* Functions that a libcurl must have to be used. */
static bool complete(const struct libcurl *libcurl)
{
	return libcurl->next.easy_init && libcurl->next.easy_setopt && libcurl->next.easy_perform &&
	       libcurl->own.easy_setopt;
}

static bool read_libcurl(struct libcurl *libcurl, const struct object *object, const char *version)
{
	*libcurl = (struct libcurl){.start = object->start, .end = object->end};
#define FIND_NEXT(result, name, parameters) \
	libcurl->next.name = (result(*) parameters)next_function(object, "curl_" #name, version);
	HOOKED(FIND_NEXT)
#define FIND_OWN(result, name, parameters) \
	libcurl->own.name = (result(*) parameters)object_symbol(object, "curl_" #name, version);
	OWN(FIND_OWN)
	return complete(libcurl);
}

static bool same_libcurl(const struct libcurl *one, const struct libcurl *other)
{
	return one->start == other->start && one->end == other->end &&
	       memcmp(&one->next, &other->next, sizeof(one->next)) == 0 &&
	       memcmp(&one->own, &other->own, sizeof(one->own)) == 0;
}

static struct libcurl *same_known(const struct libcurl *found)
{
	struct libcurl *known = atomic_load(&resolve_known);

	while (known && !same_libcurl(known, found))
		known = known->older;
	return known;
}

/*
 * Take found into the list and return it, or free it and return the same one from there. Two
 * threads that find one libcurl at the same time may both put it there; that does no harm.
 */
static struct libcurl *keep_libcurl(struct libcurl *found)
{
	struct libcurl *known = same_known(found);

	if (known) {
		free(found);
		atomic_store(&known->unloaded, false);
		return known;
	}
	do
		found->older = atomic_load(&resolve_known);
	while (!atomic_compare_exchange_weak(&resolve_known, &found->older, found));
	return found;
}

static bool still_loaded(const struct libcurl *libcurl)
{
	struct object object;

	return object_at(&object, (const void *)libcurl->start) && object.start == libcurl->start &&
	       object.end == libcurl->end && object_symbol(&object, ANCHOR, NULL);
}

static void mark_unloaded(void)
{
	for (struct libcurl *known = atomic_load(&resolve_known); known; known = known->older)
		if (!still_loaded(known))
			atomic_store(&known->unloaded, true);
}

static struct libcurl *find_libcurl(struct site site)
{
	struct object object;
	struct libcurl *found;

	mark_unloaded();
	if (!find_object(&object, site))
		return NULL;
	found = malloc(sizeof(*found));
	if (!found || !read_libcurl(found, &object, version_of(site.node))) {
		free(found);
		return NULL;
	}
	return keep_libcurl(found);
}

const struct libcurl *resolve(struct site site)
{
	unsigned long generation = object_generation();
	struct libcurl *libcurl = atomic_load(&resolve_known);

	while (libcurl && atomic_load(&libcurl->found_at[site.node]) != generation)
		libcurl = libcurl->older;
	if (libcurl)
		return libcurl;
	libcurl = find_libcurl(site);
	if (libcurl)
		atomic_store(&libcurl->found_at[site.node], generation);
	return libcurl;
}

static enum node node_of(const char *version)
{
	enum node node = NODE_PLAIN + 1;

	while (version && node < NODE_COUNT && strcmp(version_of(node), version) != 0)
		node++;
	return version && node < NODE_COUNT ? node : NODE_PLAIN;
}

void *resolve_hook(const void *address, const char *name)
{
	struct object object, ours;
	enum node node;

	if (object_is_ours(address) || !object_at(&object, address) ||
		!object_symbol(&object, ANCHOR, NULL) ||
		object_symbol(&object, name, NULL) != address || !object_ours(&ours))
		return NULL;
	node = node_of(object_symbol_version(&object, name));
	if (node == NODE_PLAIN)
		atomic_store(&asked_for, address);
	return object_symbol(&ours, name, version_of(node));
}
