/*
 * The config file: every profile it gives is whole and safe to use, every refusal names the file,
 * and looking for one profile finds the first that reading them all would.
 */
#include "core/config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/origin.h"
#include "core/profile.h"
#include "core/profiles.h"
#include "core/settings.h"
#include "fuzz.h"

enum { PROFILES_MAX = 64 };

struct found {
	struct profile *profiles[PROFILES_MAX];
	size_t count;
};

static void check_text(const char *text)
{
	for (; text && *text != '\0'; text++)
		assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_url(const char *url)
{
	struct origin origin;

	assert(origin_from_url(&origin, url) && origin_may_carry(&origin));
	assert(!strpbrk(url, " #"));
}

static bool keep(struct profile *profile, void *context)
{
	struct found *found = context;

	assert(profile->name && profile->name[0] != '\0');
	assert(strlen(profile->name) <= PROFILE_NAME_MAX && !strpbrk(profile->name, "/~ "));
	assert(profile->token_url || profile->issuer);
	if (profile->token_url)
		check_url(profile->token_url);
	if (profile->issuer)
		check_url(profile->issuer);
	for (size_t i = 0; i < profile->origin.count; i++)
		check_url(profile->origin.items[i]);
	for (size_t i = 0; i < profile->resource.count; i++)
		check_text(profile->resource.items[i]);
	check_text(profile->client_id);
	check_text(profile->scope);
	check_text(profile->audience);
	check_text(profile->basic_username);
	assert(profile->default_lifetime >= 1 && profile->max_lifetime >= 1);

	found->profiles[found->count++] = profile;
	return found->count < PROFILES_MAX;
}

static const struct profile *first_that_covers(
	const struct found *found, const struct origin *origin)
{
	for (size_t i = 0; i < found->count; i++) {
		if (profile_covers(found->profiles[i], origin))
			return found->profiles[i];
	}
	return NULL;
}

/* Each origin that any profile names. */
static void check_search(const struct settings *settings, const struct found *found)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct profile_list *list = &found->profiles[i]->origin;

		for (size_t k = 0; k < list->count; k++) {
			struct profile *profile;
			struct origin origin;

			assert(origin_from_url(&origin, list->items[k]));
			assert(profiles_find(settings, NULL, &origin, &profile, NULL) == STATUS_OK);
			assert(profile);
			assert(strcmp(profile->name, first_that_covers(found, &origin)->name) == 0);
			profile_free(profile);
		}
	}
}

static void check(const struct settings *settings)
{
	struct found found = {.count = 0};
	struct failure failure = {.reason = ""};

	if (profiles_each(settings, NULL, keep, &found, &failure) != STATUS_OK) {
		fuzz_check_reason(&failure);
		assert(strstr(failure.reason, settings->config));
	} else if (found.count < PROFILES_MAX) {
		check_search(settings, &found);
	}
	for (size_t i = 0; i < found.count; i++)
		profile_free(found.profiles[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];
	struct settings settings = {.config = path};
	int fd = memfd_create("config", MFD_CLOEXEC);

	assert(fd >= 0 && fchmod(fd, 0600) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert(write(fd, data, size) == (ssize_t)size);
	check(&settings);
	close(fd);
	return 0;
}
