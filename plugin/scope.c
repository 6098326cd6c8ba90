#include "scope.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "claim.h"
#include "core/buffer.h"
#include "core/profile.h"
#include "core/profiles.h"
#include "core/salvage.h"
#include "forks.h"
#include "helper.h"
#include "supplier.h"

enum { REALMS_STEP = 8, SPARE_REALMS = 16 };

/* What the config says. It is never freed. */
struct scope {
	struct realm *realms;
	size_t count;
	bool short_of_memory;
	struct failure failure;
};

static struct settings settings;
static _Atomic(const struct settings *) kept_settings;
static _Atomic(const struct scope *) kept_scope;

/* Held while one of them is read. */
static struct claim claim;

enum { READING_S = 10 };

bool scope_is_off(void)
{
	return getauxval(AT_SECURE) != 0;
}

/* ---- the environment ---- */

static void keep_settings(void)
{
	struct hold hold;

	claim_take(&claim, &hold, READING_S);
	if (!atomic_load(&kept_settings) && helper_prepare() && settings_keep(&settings))
		atomic_store(&kept_settings, &settings);
	claim_release(&hold);
}

const struct settings *scope_settings(void)
{
	if (!atomic_load_explicit(&kept_settings, memory_order_acquire) && !scope_is_off())
		keep_settings();
	return atomic_load_explicit(&kept_settings, memory_order_acquire);
}

bool scope_passes_on_failure(void)
{
	const struct settings *kept = scope_settings();
	struct settings now;

	if (!kept)
		settings_read(&now);
	return settings_passes_on_failure(kept ? kept : &now);
}

/* ---- the config ---- */

static bool add_realm(struct scope *scope, const struct origin *origin, struct supplier *supplier)
{
	if (scope->count % REALMS_STEP == 0) {
		size_t size = (scope->count + REALMS_STEP) * sizeof(*scope->realms);
		struct realm *grown = realloc(scope->realms, size);

		scope->short_of_memory |= !grown;
		if (!grown)
			return false;
		scope->realms = grown;
	}
	scope->realms[scope->count++] = (struct realm){
		.origin = *origin,
		.loopback = origin_is_loopback(origin),
		.supplier = supplier,
		.broken = &scope->failure,
	};
	return true;
}

static bool add_profile(struct profile *profile, void *context)
{
	struct scope *scope = context;
	struct supplier *supplier = supplier_new(&settings, profile);
	bool used = false;

	/* only the helper asks a shared store; do not keep its password in a host's memory */
	buffer_free_text(profile->shared_store);
	profile->shared_store = NULL;
	scope->short_of_memory |= !supplier;
	for (size_t i = 0; !scope->short_of_memory && i < profile->origin.count; i++) {
		struct origin origin;

		if (origin_from_url(&origin, profile->origin.items[i]))
			used |= add_realm(scope, &origin, supplier);
	}
	if (!supplier)
		profile_free(profile);
	else if (!used)
		supplier_free(supplier);
	return !scope->short_of_memory;
}

/* The realms of a profile are neighbours and share its supplier. */
static void drop_realms(struct scope *scope)
{
	for (size_t i = 0; i < scope->count; i++)
		if (i + 1 == scope->count ||
			scope->realms[i].supplier != scope->realms[i + 1].supplier)
			supplier_free(scope->realms[i].supplier);
	scope->count = 0;
}

/*
 * Visit every origin that may be in scope although the config cannot be used: those that it names,
 * and the built-in one or the one that the environment names instead.
 */
static void salvage(const struct settings *from, salvage_visitor *visit, void *context)
{
	const char *built_in = PROFILE_BUILT_IN_ORIGIN;
	const char *url = from->api_base_endpoint ? from->api_base_endpoint : built_in;
	struct origin origin;
	char path[PATH_MAX];

	if ((origin_from_url(&origin, url) || origin_from_url(&origin, built_in)) &&
		!visit(&origin, context))
		return;
	if (settings_write_config_path(from, path, sizeof(path)))
		salvage_origins(path, visit, context);
}

static bool add_broken(const struct origin *origin, void *context)
{
	struct scope *scope = context;

	for (size_t i = 0; i < scope->count; i++)
		if (origin_equal(&scope->realms[i].origin, origin))
			return true;
	return add_realm(scope, origin, NULL);
}

static void read_config(struct scope *scope)
{
	const char *only = settings.profile;
	enum status status = profiles_each(&settings, only, add_profile, scope, &scope->failure);

	scope->short_of_memory |= status == STATUS_NO_MEMORY;
	if (!status && scope->count == 0 && only)
		status = profiles_fail(&settings, only, STATUS_CONFIG, &scope->failure);
	if (status || scope->short_of_memory)
		drop_realms(scope);
	if (status && !scope->short_of_memory)
		salvage(&settings, add_broken, scope);
}

static struct scope *scope_new(void)
{
	struct scope *scope = calloc(1, sizeof(*scope));

	if (scope)
		read_config(scope);
	if (scope && scope->short_of_memory) {
		drop_realms(scope);
		free(scope->realms);
		free(scope);
		return NULL;
	}
	return scope;
}

static const struct scope *scope_get(void)
{
	const struct scope *scope = atomic_load_explicit(&kept_scope, memory_order_acquire);
	struct hold hold;

	if (scope || !scope_settings())
		return scope;
	claim_take(&claim, &hold, READING_S);
	scope = atomic_load(&kept_scope);
	if (!scope)
		scope = scope_new();
	atomic_store(&kept_scope, scope);
	claim_release(&hold);
	return scope;
}

/* ---- no memory ---- */

struct search {
	const struct origin *origin;
	bool found;
};

static bool match(const struct origin *origin, void *context)
{
	struct search *search = context;

	search->found = origin_equal(origin, search->origin);
	return !search->found;
}

/* Realms in static memory, so that a request fails closed even if memory is short. */
static const struct realm *spare_realm(const struct origin *origin)
{
	static const struct failure failure = {.reason = "memory was short"};
	static struct realm spare[SPARE_REALMS];
	static size_t count;
	struct hold hold;
	size_t i = 0;

	claim_take(&claim, &hold, READING_S);
	while (i < count && !origin_equal(&spare[i].origin, origin))
		i++;
	if (i == count && count < SPARE_REALMS)
		spare[count++] = (struct realm){.origin = *origin,
			.loopback = origin_is_loopback(origin),
			.broken = &failure};
	claim_release(&hold);
	return &spare[i < SPARE_REALMS ? i : 0];
}

static const struct realm *find_without_memory(const struct origin *origin)
{
	struct search search = {.origin = origin};
	struct settings now;

	settings_read(&now);
	salvage(&now, match, &search);
	return search.found ? spare_realm(origin) : NULL;
}

const struct realm *scope_find(const struct origin *origin)
{
	const struct scope *scope;

	if (scope_is_off())
		return NULL;
	scope = scope_get();
	if (!scope)
		return find_without_memory(origin);
	for (size_t i = 0; i < scope->count; i++)
		if (origin_equal(&scope->realms[i].origin, origin))
			return &scope->realms[i];
	return NULL;
}

/* ---- forks ---- */

static void after_fork_in_child(void)
{
	const struct scope *scope = atomic_load(&kept_scope);

	for (size_t i = 0; scope && i < scope->count; i++)
		if (scope->realms[i].supplier)
			supplier_after_fork(scope->realms[i].supplier);
}

/*
 * Child handlers run in the order of registration. The host's may use handles, so ours comes first.
 */
__attribute__((constructor)) static void watch_forks(void)
{
	forks_watch(NULL, NULL, after_fork_in_child);
}
