#include "core/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/profile.h"
#include "core/settings.h"

void draft_release(struct draft *draft)
{
	for (size_t i = 0; i < CONFIGKEY_COUNT; i++)
		buffer_free_text(draft->text[i]);
	*draft = (struct draft){0};
}

enum status draft_set(struct draft *draft, enum configkey key, const char *value)
{
	char *copy = buffer_duplicate(value);

	if (value && !copy)
		return STATUS_NO_MEMORY;
	buffer_free_text(draft->text[key]);
	draft->text[key] = copy;
	return STATUS_OK;
}

enum status draft_complete(struct draft *draft)
{
	bool built_in = strcmp(draft->name, DRAFT_BUILT_IN) == 0;

	for (enum configkey key = 0; key < CONFIGKEY_COUNT; key++) {
		const char *value = built_in && CONFIGKEY_RULES[key].built_in
					    ? CONFIGKEY_RULES[key].built_in
					    : CONFIGKEY_RULES[key].otherwise;

		/* who names an issuer asks it, not an endpoint we were built with */
		if (key == KEY_TOKEN_URL && draft->text[KEY_ISSUER])
			continue;
		if (!draft->text[key] && draft_set(draft, key, value))
			return STATUS_NO_MEMORY;
	}
	return STATUS_OK;
}

/* The part of SYPHT_API_KEY before its colon; one without a colon is secretsource_ask()'s to
 * refuse. */
static enum status set_api_key_id(struct draft *draft, const char *api_key)
{
	size_t length = strcspn(api_key, ":");
	enum status status = draft_set(draft, KEY_CLIENT_ID, api_key);

	if (!status)
		draft->text[KEY_CLIENT_ID][api_key[length] == ':' ? length : 0] = '\0';
	return status;
}

/*
 * Credentials from before June 2020 go to another endpoint, in another form: all in the body, with
 * an audience. Sypht's own clients tell it by the path.
 */
static enum status set_legacy_form(struct draft *draft)
{
	enum status status = STATUS_OK;

	if (!draft->text[KEY_TOKEN_URL] || !strstr(draft->text[KEY_TOKEN_URL], "/oauth/"))
		return STATUS_OK;
	if (!draft->text[KEY_AUTH_METHOD])
		status = draft_set(draft, KEY_AUTH_METHOD, "post");
	if (!status && !draft->text[KEY_AUDIENCE])
		status = draft_set(draft, KEY_AUDIENCE, CONFIGKEY_RULES[KEY_ORIGIN].built_in);
	return status;
}

enum status draft_overlay(
	struct draft *draft, const struct settings *settings, struct failure *failure)
{
	const struct {
		enum configkey key;
		const char *value;
		const char *variable;
	} overlays[] = {
		{KEY_ORIGIN, settings->api_base_endpoint, "SYPHT_API_BASE_ENDPOINT"},
		{KEY_TOKEN_URL, settings->auth_endpoint, "SYPHT_AUTH_ENDPOINT"},
		{KEY_AUDIENCE, settings->audience, "SYPHT_AUDIENCE"},
		{KEY_CLIENT_ID, settings->client_id, "SYPHT_CLIENT_ID"},
	};
	bool pair =
		settings->client_id && (settings->client_secret || settings->client_secret_file);
	enum status status = STATUS_OK;

	if (strcmp(draft->name, DRAFT_BUILT_IN) != 0)
		return STATUS_OK;
	for (size_t i = 0; i < sizeof(overlays) / sizeof(overlays[0]) && !status; i++) {
		enum configkey key = overlays[i].key;

		if (!overlays[i].value)
			continue;
		if (!CONFIGKEY_RULES[key].accepts(overlays[i].value))
			return status_fail(failure, STATUS_CONFIG, "%s: expected %s",
				overlays[i].variable, CONFIGKEY_RULES[key].expected);
		status = draft_set(draft, key, overlays[i].value);
	}
	if (!status && settings->api_key && !pair && !settings->client_secret)
		status = set_api_key_id(draft, settings->api_key);
	if (!status)
		status = set_legacy_form(draft);
	return status;
}

static enum status list_split(struct profile_list *list, const char *text)
{
	if (!text)
		return STATUS_OK;
	list->items = calloc(strlen(text) / 2 + 1, sizeof(*list->items));
	if (!list->items)
		return STATUS_NO_MEMORY;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t length = strcspn(text, " ");

		list->items[list->count] = strndup(text, length);
		if (!list->items[list->count])
			return STATUS_NO_MEMORY;
		list->count++;
		text += length;
	}
	return STATUS_OK;
}

static char *take(struct draft *draft, enum configkey key)
{
	char *text = draft->text[key];

	draft->text[key] = NULL;
	if (text && *text == '\0') { /* "scope =" takes a built-in value away */
		free(text);
		return NULL;
	}
	return text;
}

static enum profile_auth_method auth_method(const char *text)
{
	if (strcmp(text, "post") == 0)
		return PROFILE_AUTH_POST;
	return strcmp(text, "basic") == 0 ? PROFILE_AUTH_BASIC : PROFILE_AUTH_PRIVATE_KEY_JWT;
}

enum status draft_finish(struct draft *draft, struct profile **out)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	*out = NULL;
	if (!profile)
		return STATUS_NO_MEMORY;
	profile->name = buffer_duplicate(draft->name);
	if (!profile->name || list_split(&profile->origin, draft->text[KEY_ORIGIN]) ||
		list_split(&profile->resource, draft->text[KEY_RESOURCE])) {
		profile_free(profile);
		return STATUS_NO_MEMORY;
	}
	profile->token_url = take(draft, KEY_TOKEN_URL);
	profile->issuer = take(draft, KEY_ISSUER);
	profile->client_id = take(draft, KEY_CLIENT_ID);
	profile->client_secret_file = take(draft, KEY_CLIENT_SECRET_FILE);
	profile->client_secret_command = take(draft, KEY_CLIENT_SECRET_COMMAND);
	profile->client_secret_helper = take(draft, KEY_CLIENT_SECRET_HELPER);
	profile->scope = take(draft, KEY_SCOPE);
	profile->audience = take(draft, KEY_AUDIENCE);
	profile->private_key_file = take(draft, KEY_PRIVATE_KEY_FILE);
	profile->private_key_id = take(draft, KEY_PRIVATE_KEY_ID);
	profile->private_key_certificate = take(draft, KEY_PRIVATE_KEY_CERTIFICATE);
	profile->assertion_audience = take(draft, KEY_ASSERTION_AUDIENCE);
	profile->basic_username = take(draft, KEY_BASIC_USERNAME);
	profile->shared_store = take(draft, KEY_SHARED_STORE);
	profile->auth_method = auth_method(draft->text[KEY_AUTH_METHOD]);
	profile->basic_raw = strcmp(draft->text[KEY_BASIC_ENCODING], "raw") == 0;
	profile->default_lifetime = strtol(draft->text[KEY_DEFAULT_LIFETIME], NULL, 10);
	profile->max_lifetime = strtol(draft->text[KEY_MAX_LIFETIME], NULL, 10);
	*out = profile;
	return STATUS_OK;
}
