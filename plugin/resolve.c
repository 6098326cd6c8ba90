#include "resolve.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "linkage.h"
#include "sharedobject.h"

/*
 * Every libcurl has this function, and no preload library hooks it. So an object that exports it is
 * a libcurl.
 */
static const char ANCHOR[] = "curl_easy_strerror";

/* The name of the version; NULL for PLAIN. */
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

static _Atomic(struct libcurl *) foreign[FOREIGN_COUNT];

/*
 * The libcurl that an object's references lead to. It is valid until something is loaded or
 * unloaded.
 */
struct reference {
	uintptr_t start; /* of the object */
	uintptr_t end;
	enum node node;
	struct libcurl *libcurl;
	atomic_ulong generation;
	struct reference *older;
};

static _Atomic(struct reference *) references;

/* The function of a preload library behind ours if there is one, else that of libcurl. */
static void *next_function(const struct sharedobject *object, const char *name, const char *version)
{
	void *own = sharedobject_symbol(object, name, version);
	void *preloaded = own ? linkage_preloaded(name, version, ANCHOR) : NULL;

	return preloaded ? preloaded : own;
}

/* Whether libcurl has the functions without which it cannot be used. */
static bool complete(const struct libcurl *libcurl)
{
	return libcurl->next.easy_init && libcurl->next.easy_setopt && libcurl->next.easy_perform &&
	       libcurl->own.easy_setopt;
}

static bool read_libcurl(
	struct libcurl *libcurl, const struct sharedobject *object, const char *version)
{
	*libcurl = (struct libcurl){.start = object->start, .end = object->end};
#define FIND_NEXT(result, name, parameters) \
	libcurl->next.name = (result(*) parameters)next_function(object, "curl_" #name, version);
	HOOKED(FIND_NEXT)
#define FIND_OWN(result, name, parameters) \
	libcurl->own.name = \
		(result(*) parameters)sharedobject_symbol(object, "curl_" #name, version);
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
 * Put found into the list; or free it, if the list has the same, and return that. Two threads may
 * both add the same libcurl, which does no harm.
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
	struct sharedobject object;

	return sharedobject_at(&object, (const void *)libcurl->start) &&
	       object.start == libcurl->start && object.end == libcurl->end &&
	       sharedobject_symbol(&object, ANCHOR, NULL);
}

void resolve_forget_unloaded(void)
{
	for (struct libcurl *known = atomic_load(&resolve_known); known; known = known->older)
		if (!still_loaded(known))
			atomic_store(&known->unloaded, true);
}

/* The libcurl in the object. NULL if it is none, or if memory is short. */
static struct libcurl *libcurl_of(const struct sharedobject *object, const char *version)
{
	struct libcurl *found = malloc(sizeof(*found));

	if (!found || !read_libcurl(found, object, version)) {
		free(found);
		return NULL;
	}
	return keep_libcurl(found);
}

static struct reference *find_reference(struct site site, unsigned long generation)
{
	struct reference *reference = atomic_load(&references);

	while (reference &&
		!(reference->node == site.node && (uintptr_t)site.caller >= reference->start &&
			(uintptr_t)site.caller < reference->end &&
			atomic_load(&reference->generation) == generation))
		reference = reference->older;
	return reference;
}

static bool refers_the_same(const struct reference *reference, struct site site,
	const struct sharedobject *user, const struct libcurl *libcurl)
{
	return reference->start == user->start && reference->end == user->end &&
	       reference->node == site.node && reference->libcurl == libcurl;
}

/* If memory is short, the next call resolves it again. */
static void keep_reference(struct site site, const struct sharedobject *user,
	struct libcurl *libcurl, unsigned long generation)
{
	struct reference *reference = atomic_load(&references);

	while (reference && !refers_the_same(reference, site, user, libcurl))
		reference = reference->older;
	if (reference) {
		atomic_store(&reference->generation, generation);
		return;
	}
	reference = malloc(sizeof(*reference));
	if (!reference)
		return;
	*reference = (struct reference){.start = user->start,
		.end = user->end,
		.node = site.node,
		.libcurl = libcurl,
		.generation = generation,
		.older = atomic_load(&references)};
	while (!atomic_compare_exchange_weak(&references, &reference->older, reference))
		;
}

const struct libcurl *resolve(struct site site)
{
	unsigned long generation;
	struct reference *reference;
	struct sharedobject object, user;
	struct libcurl *libcurl;

	if (site.node >= NODE_EXPORTED)
		return atomic_load(&foreign[site.node - NODE_EXPORTED]);
	generation = sharedobject_generation();
	reference = find_reference(site, generation);
	if (reference)
		return reference->libcurl;
	resolve_forget_unloaded();
	if (!linkage_find(&object, site.caller, ANCHOR, version_of(site.node), false))
		return NULL;
	libcurl = libcurl_of(&object, version_of(site.node));
	if (libcurl && sharedobject_at(&user, site.caller))
		keep_reference(site, &user, libcurl, generation);
	return libcurl;
}

/* ---- hooks for dlsym() ---- */

static const char *const names[FUNCTION_COUNT] = {
#define NAME(result, name, parameters) [FUNCTION_##name] = "curl_" #name,
	HOOKED(NAME)
#undef NAME
};

static enum function function_of(const char *name)
{
	enum function function = 0;

	while (function < FUNCTION_COUNT && strcmp(names[function], name) != 0)
		function++;
	return function;
}

bool resolve_is_hooked(const char *name)
{
	return function_of(name) < FUNCTION_COUNT;
}

/*
 * The number of the hooks that serve the libcurl; those of an unloaded one are reused. -1 if none
 * is left.
 */
static int foreign_place(struct libcurl *libcurl)
{
	for (int i = 0; i < FOREIGN_COUNT; i++)
		if (atomic_load(&foreign[i]) == libcurl)
			return i;
	for (int i = 0; i < FOREIGN_COUNT; i++) {
		struct libcurl *before = atomic_load(&foreign[i]);

		if ((!before || atomic_load(&before->unloaded)) &&
			atomic_compare_exchange_strong(&foreign[i], &before, libcurl))
			return i;
	}
	return -1;
}

static struct foreign foreign_of(const struct sharedobject *object, enum function function)
{
	struct libcurl *libcurl;

	resolve_forget_unloaded();
	libcurl = libcurl_of(object, NULL);
	return (struct foreign){libcurl ? foreign_place(libcurl) : -1, function};
}

struct foreign resolve_foreign(const void *address, const char *name)
{
	enum function function = function_of(name);
	struct sharedobject object;

	if (function == FUNCTION_COUNT || sharedobject_is_ours(address) ||
		!sharedobject_at(&object, address) || !sharedobject_symbol(&object, ANCHOR, NULL) ||
		sharedobject_symbol(&object, name, NULL) != address)
		return (struct foreign){-1, function};
	return foreign_of(&object, function);
}

struct foreign resolve_foreign_for(const void *caller, const char *name)
{
	enum function function = function_of(name);
	struct sharedobject object;

	if (function == FUNCTION_COUNT || !linkage_find(&object, caller, ANCHOR, NULL, true))
		return (struct foreign){-1, function};
	return foreign_of(&object, function);
}
