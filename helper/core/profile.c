#include "core/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/configkey.h"
#include "core/draft.h"
#include "core/storeurl.h"

#define SECTION_START "profile "

static void list_release(struct profile_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct profile_list){0};
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	free(profile->name);
	list_release(&profile->origin);
	free(profile->token_url);
	free(profile->issuer);
	free(profile->client_id);
	free(profile->client_secret_file);
	free(profile->client_secret_command);
	free(profile->client_secret_helper);
	free(profile->scope);
	free(profile->audience);
	list_release(&profile->resource);
	free(profile->private_key_file);
	free(profile->private_key_id);
	free(profile->private_key_certificate);
	free(profile->assertion_audience);
	free(profile->basic_username);
	buffer_free_text(profile->shared_store);
	free(profile);
}

bool profile_covers(const struct profile *profile, const struct origin *origin)
{
	for (size_t i = 0; i < profile->origin.count; i++) {
		struct origin covered;

		if (origin_from_url(&covered, profile->origin.items[i]) &&
			origin_equal(&covered, origin))
			return true;
	}
	return false;
}

/* ---- the config's profiles, then the built-in one ---- */

struct walk {
	const struct settings *settings;
	const char *only;
	const char *const *texts; /* all a wanted section could be told by; NULL: all are wanted */
	profile_visitor *visit;
	void *context;
	struct draft draft;
	bool built_in_seen;
	bool stopped;
};

static bool is_wanted(const struct walk *walk, const char *name)
{
	return !walk->only || strcmp(walk->only, name) == 0;
}

/* line is where its section begins. */
static enum status check_whole(
	const struct profile *profile, unsigned line, struct failure *failure)
{
	const char *need = NULL;

	if (!profile->token_url && !profile->issuer)
		need = "token_url or issuer";
	else if (profile->auth_method == PROFILE_AUTH_PRIVATE_KEY_JWT &&
		 !(profile->client_id && profile->private_key_file))
		need = "client_id and private_key_file, for private_key_jwt";
	if (!need)
		return STATUS_OK;
	return status_fail(failure, STATUS_CONFIG, "profile '%s' (line %u) needs %s", profile->name,
		line, need);
}

/* Hand over the profile whose section has ended, if there is one. */
static enum status end_profile(struct walk *walk, struct failure *failure)
{
	struct draft *draft = &walk->draft;
	struct profile *profile = NULL;
	enum status status = STATUS_OK;

	if (draft->name[0] == '\0' || walk->stopped)
		return STATUS_OK;
	if (strcmp(draft->name, DRAFT_BUILT_IN) == 0)
		walk->built_in_seen = true;
	if (is_wanted(walk, draft->name)) {
		status = draft_overlay(draft, walk->settings, failure);
		if (!status)
			status = draft_complete(draft);
		if (!status)
			status = draft_finish(draft, &profile);
		if (!status)
			status = check_whole(profile, draft->line, failure);
	}
	if (!status && profile) {
		walk->stopped = !walk->visit(profile, walk->context);
		profile = NULL;
	}
	profile_free(profile);
	draft_release(draft);
	return status;
}

static bool is_name(const char *name)
{
	size_t length =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return length > 0 && length <= PROFILE_NAME_MAX && name[length] == '\0';
}

static enum status begin_profile(
	struct walk *walk, const struct config_entry *entry, struct failure *failure)
{
	const char *section = entry->section;
	const char *name = section + strlen(SECTION_START);
	enum status status;

	if (strncmp(section, SECTION_START, strlen(SECTION_START)) != 0 || !is_name(name))
		return status_fail(failure, STATUS_CONFIG,
			"section '%s': expected [profile NAME], NAME of letters, digits, . _ -",
			section);
	if (!entry->apart && strcmp(name, walk->draft.name) == 0)
		return STATUS_OK;
	status = end_profile(walk, failure);
	snprintf(walk->draft.name, sizeof(walk->draft.name), "%s", name);
	return status;
}

/* What goes on in the next line, or is said again, is a list's next item. For free(). */
static char *extended(const char *before, const char *value)
{
	size_t size = (before ? strlen(before) : 0) + strlen(value) + 2;
	char *joined = malloc(size);

	if (joined)
		snprintf(joined, size, "%s%s%s", before ? before : "",
			before && *before != '\0' ? " " : "", value);
	return joined;
}

/* What goes on in the next line must be acceptable as a whole; a list, item by item. */
static enum status take_value(
	struct draft *draft, const struct config_entry *entry, struct failure *failure)
{
	enum configkey key = configkey_find(entry->key);
	const struct configkey_rule *rule = &CONFIGKEY_RULES[key];
	char *text;

	if (key == CONFIGKEY_COUNT)
		return status_fail(failure, STATUS_CONFIG, "unknown key '%s'", entry->key);
	if (rule->repeats || entry->continued)
		text = extended(draft->text[key], entry->value);
	else
		text = buffer_duplicate(entry->value);
	if (!text)
		return STATUS_NO_MEMORY;
	if (!rule->accepts(rule->repeats ? entry->value : text)) {
		buffer_free_text(text);
		return status_fail(
			failure, STATUS_CONFIG, "%s: expected %s", entry->key, rule->expected);
	}
	buffer_free_text(draft->text[key]);
	draft->text[key] = text;
	if (key == KEY_SHARED_STORE && entry->legible && storeurl_has_password(text))
		return status_fail(failure, STATUS_CONFIG,
			"%s: holds a password, and others can read this file; run: chmod go-r",
			entry->key);
	return STATUS_OK;
}

static enum status take_entry(
	const struct config_entry *entry, void *context, bool *stop, struct failure *failure)
{
	struct walk *walk = context;
	enum status status = begin_profile(walk, entry, failure);

	*stop = walk->stopped;
	if (status || walk->stopped || !is_wanted(walk, walk->draft.name))
		return status;

	if (walk->draft.line == 0)
		walk->draft.line = entry->line;
	return take_value(&walk->draft, entry, failure);
}

/* The config's profiles; its last one has no line behind it that could be blamed. */
static enum status read_config(struct walk *walk, struct failure *failure)
{
	const struct settings *settings = walk->settings;
	char *path = settings_config_path(settings);
	struct failure reason = {.reason = ""};
	enum status status;

	if (!path)
		return errno == ENOMEM ? STATUS_NO_MEMORY : STATUS_OK;
	status =
		config_skim(path, settings->config != NULL, walk->texts, take_entry, walk, failure);
	if (!status) {
		status = end_profile(walk, &reason);
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

	/* also after a failure: whoever asks must know what the built-in profile covers */
	if (!walk->built_in_seen && strcmp(walk->draft.name, DRAFT_BUILT_IN) != 0) {
		draft_release(&walk->draft);
		snprintf(walk->draft.name, sizeof(walk->draft.name), DRAFT_BUILT_IN);
	}
	if (!walk->built_in_seen)
		built_in_status = end_profile(walk, status ? NULL : failure);

	draft_release(&walk->draft);
	status = status ? status : built_in_status;
	return status == STATUS_NO_MEMORY ? status_fail(failure, status, "out of memory") : status;
}

enum status profile_each(const struct settings *settings, const char *only, profile_visitor *visit,
	void *context, struct failure *failure)
{
	struct walk walk = {.settings = settings, .only = only, .visit = visit, .context = context};

	return walk_all(&walk, failure);
}

/* ---- the one that is asked for ---- */

struct search {
	const struct origin *origin; /* NULL: any will do */
	struct profile *found;
};

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

/* What sypht covers is said in its section, or by the environment, or goes without saying. */
static bool built_in_could_cover(const struct settings *settings, const char *host)
{
	const char *urls = settings->api_base_endpoint;

	return strcasestr(urls ? urls : CONFIGKEY_RULES[KEY_ORIGIN].built_in, host) != NULL;
}

/*
 * Looks at the sections alone that could be meant, and at the whole config only to say what is
 * wrong with it.
 */
static enum status search_config(const struct settings *settings, const char *only,
	struct search *search, struct failure *failure)
{
	char section[CONFIG_SECTION_MAX + 1];
	const char *texts[CONFIG_TEXTS] = {section, NULL};
	struct walk walk = {
		.settings = settings,
		.only = only,
		.texts = texts,
		.visit = match,
		.context = search,
	};
	enum status status;

	snprintf(section, sizeof(section), SECTION_START "%s", only ? only : DRAFT_BUILT_IN);
	if (!only) {
		texts[0] = search->origin->host;
		texts[1] = built_in_could_cover(settings, search->origin->host) ? section : NULL;
	}
	status = walk_all(&walk, failure);
	if (status) {
		profile_free(search->found);
		search->found = NULL;
	}
	return status == STATUS_CONFIG ? profile_each(settings, only, match, search, failure)
				       : status;
}

enum status profile_find(const struct settings *settings, const char *only,
	const struct origin *origin, struct profile **out, struct failure *failure)
{
	struct search search = {.origin = origin};
	struct search any = {.origin = NULL};
	enum status status;

	*out = NULL;
	if (!only && !origin)
		only = DRAFT_BUILT_IN;
	status = search_config(settings, only, &search, failure);
	if (!status && !search.found && only) {
		status = search_config(settings, only, &any, failure);
		if (!status && !any.found)
			status = status_fail(failure, STATUS_CONFIG,
				"there is no profile '%s'; sypht-credential status lists them",
				only);
	}
	profile_free(any.found);
	if (status)
		profile_free(search.found);
	else
		*out = search.found;
	return status;
}
