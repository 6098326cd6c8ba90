#include "core/profiles.h"

#include <errno.h>
#include <string.h>

#include "core/buffer.h"
#include "core/config.h"
#include "core/entra.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/storeurl.h"

#define SECTION_START "profile "

struct walk {
	const struct settings *settings;
	const char *only;            /* NULL: all profiles */
	const struct origin *origin; /* visit at least the profiles that cover it; NULL: all */
	profiles_visitor *visit;
	void *context;
	struct profile *profile;         /* of the current section; NULL: skip the section */
	char name[PROFILE_NAME_MAX + 1]; /* of the current section; "" before the first */
	bool built_in_seen;
	bool stopped;
};

/* Whether to visit the profile. If it does not cover the origin, skip the work for its defaults. */
static bool is_wanted(const struct walk *walk, const struct profile *profile)
{
	return !walk->origin || strcmp(profile->name, PROFILE_BUILT_IN) == 0 ||
	       profile_covers(profile, walk->origin);
}

/* Complete the profile at the end of its section and pass it to the visitor. */
static enum status end_section(struct walk *walk, struct failure *failure)
{
	struct profile *profile = walk->profile;
	enum status status;

	walk->profile = NULL;
	if (!profile)
		return STATUS_OK;
	status = profile_overlay(profile, walk->settings, failure);
	if (!status && profile->provider == PROFILE_PROVIDER_ENTRA)
		status = entra_overlay(profile, walk->settings, failure);
	if (!status)
		status = profile_check(profile, failure);
	if (!status && is_wanted(walk, profile)) {
		status = profile_complete(profile, failure);
		if (!status) {
			walk->stopped = !walk->visit(profile, walk->context);
			return STATUS_OK;
		}
	}
	profile_free(profile);
	return status;
}

/* line 0: the config has no such section. */
static enum status begin_section(
	struct walk *walk, const char *name, unsigned line, struct failure *failure)
{
	memcpy(walk->name, name, strlen(name) + 1);
	walk->built_in_seen |= strcmp(name, PROFILE_BUILT_IN) == 0;
	if (walk->only && strcmp(walk->only, name) != 0)
		return STATUS_OK;
	walk->profile = profile_new(name);
	if (!walk->profile)
		return status_no_memory(failure);
	walk->profile->line = line;
	return STATUS_OK;
}

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

static bool is_name(const char *name)
{
	size_t length = 0;

	while (is_of_name(name[length]))
		length++;
	return length > 0 && length <= PROFILE_NAME_MAX && name[length] == '\0';
}

/* The profile's name; "" if the section is not a profile's. */
static const char *name_in(const char *section)
{
	bool begins = strncmp(section, SECTION_START, strlen(SECTION_START)) == 0;

	return begins ? section + strlen(SECTION_START) : "";
}

static enum status enter_section(
	struct walk *walk, const struct config_entry *entry, struct failure *failure)
{
	const char *name = name_in(entry->section);
	enum status status;

	if (!is_name(name))
		return status_fail(failure, STATUS_CONFIG,
			"section '%s': expected [profile NAME], with only letters, digits, . _ - "
			"in NAME",
			entry->section);
	status = end_section(walk, failure);
	if (status || walk->stopped)
		return status;
	return begin_section(walk, name, entry->line, failure);
}

/* A config that others may read is fine, until it contains a password. */
static enum status refuse_legible(
	const struct walk *walk, const struct config_entry *entry, struct failure *failure)
{
	char *path = settings_config_path(walk->settings);
	enum status status = path ? STATUS_CONFIG : status_no_memory(failure);

	if (path)
		status_fail(failure, status,
			"%s: contains a password, and others can read it; run: chmod go-r '%s'",
			entry->key, path);
	buffer_free_text(path);
	return status;
}

/* A section begins where the name changes: the parser reports entries, not sections. */
static enum status take_entry(
	const struct config_entry *entry, void *context, bool *stop, struct failure *failure)
{
	struct walk *walk = context;
	const char *name = name_in(entry->section);
	enum status status = STATUS_OK;

	if (*name == '\0' || strcmp(name, walk->name) != 0)
		status = enter_section(walk, entry, failure);
	*stop = walk->stopped;
	if (!status && walk->profile)
		status = profile_set(
			walk->profile, entry->key, entry->value, entry->continued, failure);
	if (!status && walk->profile && entry->legible && walk->profile->shared_store &&
		storeurl_has_password(walk->profile->shared_store))
		status = refuse_legible(walk, entry, failure);
	return status;
}

/* The last section ends at the end of the file, so a failure in it names the path but no line. */
static enum status read_config(struct walk *walk, struct failure *failure)
{
	char *path = settings_config_path(walk->settings);
	struct failure reason = {.reason = ""};
	enum status status;

	if (!path)
		return errno == ENOMEM ? status_no_memory(failure) : STATUS_OK;
	status = config_read(path, walk->settings->config != NULL, take_entry, walk, failure);
	if (!status) {
		status = end_section(walk, &reason);
		if (status)
			status_fail(failure, status, "%s: %s", path, reason.reason);
	}
	buffer_free_text(path);
	return status;
}

static enum status walk_all(struct walk *walk, struct failure *failure)
{
	enum status status = read_config(walk, failure);
	enum status built_in_status = STATUS_OK;

	/* go on after a failure: the caller must know what the built-in profile covers */
	if (walk->profile && strcmp(walk->name, PROFILE_BUILT_IN) != 0) {
		profile_free(walk->profile);
		walk->profile = NULL;
	}
	if (!walk->built_in_seen && !walk->stopped)
		built_in_status = begin_section(walk, PROFILE_BUILT_IN, 0, status ? NULL : failure);
	if (!built_in_status)
		built_in_status = end_section(walk, status ? NULL : failure);
	return status ? status : built_in_status;
}

enum status profiles_each(const struct settings *settings, const char *only,
	profiles_visitor *visit, void *context, struct failure *failure)
{
	struct walk walk = {.settings = settings, .only = only, .visit = visit, .context = context};

	return walk_all(&walk, failure);
}

/* ---- find one profile ---- */

enum status profiles_fail(const struct settings *settings, const char *name, enum status status,
	struct failure *failure)
{
	return status_fail(failure, status,
		"there is no profile '%s'; to list the profiles, run: %ssypht-credential status",
		name, settings->profile ? "SYPHT_PROFILE= " : "");
}

struct search {
	const struct origin *origin; /* NULL: any will do */
	struct profile *found;
};

/* The visitor owns the profile. */
static bool match(struct profile *profile, void *context)
{
	struct search *search = context;

	if (search->origin && !profile_covers(profile, search->origin)) {
		profile_free(profile);
		return true;
	}
	search->found = profile;
	return false;
}

static enum status search_config(const struct settings *settings, const char *only,
	struct search *search, struct failure *failure)
{
	struct walk walk = {
		.settings = settings,
		.only = only,
		.origin = search->origin,
		.visit = match,
		.context = search,
	};
	enum status status = walk_all(&walk, failure);

	if (status) {
		profile_free(search->found);
		search->found = NULL;
	}
	return status;
}

/* If the named profile does not cover the origin, find out whether it exists at all. */
enum status profiles_find(const struct settings *settings, const char *only,
	const struct origin *origin, struct profile **out, struct failure *failure)
{
	struct search search = {.origin = origin};
	struct search any = {.origin = NULL};
	enum status status;

	*out = NULL;
	if (!only && !origin)
		only = PROFILE_BUILT_IN;
	status = search_config(settings, only, &search, failure);
	if (!status && !search.found && only) {
		status = search_config(settings, only, &any, failure);
		if (!status && !any.found)
			status = profiles_fail(settings, only, STATUS_CONFIG, failure);
		profile_free(any.found);
	}
	*out = search.found;
	return status;
}
