#include "scope.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "buffer.h"
#include "errand.h"
#include "profile.h"
#include "supplier.h"

enum { REALMS_STEP = 8 };

static struct settings settings;
static struct failure failure;
static struct realm *realms;
static size_t realm_count;
static atomic_bool usable;

static struct realm *add_realm(void)
{
	if (realm_count % REALMS_STEP == 0) {
		struct realm *grown = realloc(realms, (realm_count + REALMS_STEP) * sizeof(*grown));

		if (!grown)
			return NULL;
		realms = grown;
	}
	realms[realm_count] = (struct realm){.broken = &failure};
	return &realms[realm_count++];
}

/* The profile is kept for ever, like everything here. */
static bool keep_profile(struct profile *profile, void *context)
{
	struct supplier *supplier = supplier_new(&settings, profile);

	(void)context;
	/* the helper alone asks a shared store; a guest need not hold its password */
	buffer_free_text(profile->shared_store);
	profile->shared_store = NULL;
	for (size_t i = 0; supplier && i < profile->origin.count; i++) {
		struct origin origin;
		struct realm *realm;

		if (!origin_from_url(&origin, profile->origin.items[i]))
			continue;
		realm = add_realm();
		if (!realm)
			return false;
		realm->origin = origin;
		realm->loopback = origin_is_loopback(&origin);
		realm->supplier = supplier;
	}
	return supplier != NULL;
}

/* A config that cannot be used: what is known to be in scope must fail, not go out bare. */
static void break_realms(void)
{
	struct failure again;

	if (realm_count == 0 && profile_each(&settings, NULL, keep_profile, NULL, &again))
		again.reason[0] = '\0'; /* said already */
	for (size_t i = 0; i < realm_count; i++)
		realms[i].supplier = NULL;
}

static enum status read_profiles(const char *only)
{
	enum status status = profile_each(&settings, only, keep_profile, NULL, &failure);

	if (!status && realm_count == 0 && only)
		status = status_fail(&failure, STATUS_CONFIG, "there is no profile '%s'", only);
	return status;
}

static void read_scope(void)
{
	if (getauxval(AT_SECURE) || !settings_keep(&settings))
		return;
	errand_prepare();
	if (read_profiles(settings.profile))
		break_realms();
	atomic_store(&usable, true);
}

const struct settings *scope_settings(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (!atomic_load_explicit(&usable, memory_order_acquire))
		pthread_once(&once, read_scope);
	return atomic_load_explicit(&usable, memory_order_relaxed) ? &settings : NULL;
}

const struct realm *scope_find(const struct origin *origin)
{
	if (!scope_settings())
		return NULL;
	for (size_t i = 0; i < realm_count; i++)
		if (origin_equal(&realms[i].origin, origin))
			return &realms[i];
	return NULL;
}
