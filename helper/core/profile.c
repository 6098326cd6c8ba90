#include "core/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/configvalue.h"
#include "core/origin.h"
#include "core/settings.h"
#include "core/suggestion.h"

/* ---- the keys of a profile's section in the config ---- */

enum kind {
	KIND_TEXT,    /* char *; "" disables a default */
	KIND_LIST,    /* struct profile_list; entries add up, spaces separate items */
	KIND_SECONDS, /* long */
	KIND_CHOICE,  /* an enum; the first of choices is 1, "not set" is 0 */
};

struct key {
	const char *name;
	size_t member; /* offset in struct profile */
	enum kind kind;
	bool (*accepts)(const char *value); /* NULL for KIND_CHOICE */
	const char *expected;               /* what the key accepts, for a message */
	const char *built_in;       /* the default of the built-in profile; NULL: as the others */
	const char *otherwise;      /* the default of the other profiles; NULL: none */
	const char *const *choices; /* NULL ends the list */
};

#define MEMBER(name) offsetof(struct profile, name)
#define KEY(key)     .name = #key, .member = MEMBER(key)
#define A_URL        "an https URL (http only to a loopback host)"

/* Sypht documents a lifetime of one hour, and its sample replies have no expires_in. */
#define BUILT_IN_LIFE "3600"

static const char *const ENCODING_NAMES[] = {"rfc", "raw", NULL};
static const char *const PROVIDER_NAMES[] = {"entra", NULL};
const char *const PROFILE_ALGORITHM_NAMES[] = {"RS256", "PS256", "ES256", "EdDSA", NULL};

static const struct key CONFIGKEYS[] = {
	{KEY(origin), KIND_LIST, configvalue_is_urls, A_URL, .built_in = PROFILE_BUILT_IN_ORIGIN},
	{KEY(token_url), KIND_TEXT, configvalue_is_url, A_URL,
		.built_in = "https://auth.sypht.com/oauth2/token"},
	{KEY(issuer), KIND_TEXT, configvalue_is_url, A_URL},
	{KEY(client_id), KIND_TEXT, configvalue_is_text, "a client id"},
	{KEY(client_secret_file), KIND_TEXT, configvalue_is_text, "a path"},
	{KEY(client_secret_command), KIND_TEXT, configvalue_is_text, "a command"},
	{KEY(client_secret_helper), KIND_TEXT, configvalue_is_text, "a git credential helper"},
	{KEY(scope), KIND_TEXT, configvalue_is_text_or_empty, "scopes separated by spaces"},
	{KEY(audience), KIND_TEXT, configvalue_is_text_or_empty, "an audience"},
	{KEY(resource), KIND_LIST, configvalue_is_resource, "an absolute URI without fragment"},
	{KEY(provider), KIND_CHOICE, NULL, "entra", .choices = PROVIDER_NAMES},
	{KEY(auth_method), KIND_CHOICE, NULL,
		"basic, post, private_key_jwt, client_assertion, tls_client_auth or "
		"self_signed_tls_client_auth",
		.otherwise = "basic", .choices = AUTHMETHOD_NAMES},
	{KEY(private_key_file), KIND_TEXT, configvalue_is_text, "a path"},
	{KEY(private_key_password_file), KIND_TEXT, configvalue_is_text, "a path"},
	{KEY(private_key_id), KIND_TEXT, configvalue_is_text, "the id of a key"},
	{KEY(private_key_certificate), KIND_TEXT, configvalue_is_text, "a path"},
	{KEY(assertion_audience), KIND_TEXT, configvalue_is_text, "an audience"},
	{KEY(assertion_algorithm), KIND_CHOICE, NULL, "RS256, PS256, ES256 or EdDSA",
		.choices = PROFILE_ALGORITHM_NAMES},
	{KEY(client_certificate_file), KIND_TEXT, configvalue_is_text, "a path"},
	{KEY(client_assertion_file), KIND_TEXT, configvalue_is_text, "a path"},
	{KEY(client_assertion_command), KIND_TEXT, configvalue_is_text, "a command"},
	{KEY(client_assertion_type), KIND_TEXT, configvalue_is_resource,
		"an absolute URI without fragment"},
	{KEY(basic_encoding), KIND_CHOICE, NULL, "rfc or raw", .built_in = "raw",
		.otherwise = "rfc", .choices = ENCODING_NAMES},
	{KEY(default_lifetime), KIND_SECONDS, configvalue_is_seconds, "seconds, at least 1",
		.built_in = BUILT_IN_LIFE, .otherwise = "300"},
	{KEY(max_lifetime), KIND_SECONDS, configvalue_is_seconds, "seconds, at least 1",
		.built_in = BUILT_IN_LIFE, .otherwise = "86400"},
	{KEY(basic_username), KIND_TEXT, configvalue_is_text_or_empty, "a user name, or nothing",
		.otherwise = "oauth2"},
	{KEY(shared_store), KIND_TEXT, configvalue_is_store, CONFIGVALUE_STORES},
};

enum { KEY_COUNT = sizeof(CONFIGKEYS) / sizeof(CONFIGKEYS[0]) };

/* Compare the first letter before the rest: each line of a config is looked up. */
static const struct key *find_key(const char *name, size_t length)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const char *known = CONFIGKEYS[i].name;

		if (*known == *name && strncmp(known, name, length) == 0 && known[length] == '\0')
			return &CONFIGKEYS[i];
	}
	return NULL;
}

static const struct key *key_of(size_t member)
{
	const struct key *key = CONFIGKEYS;

	while (key->member != member)
		key++;
	return key;
}

static bool is_built_in(const struct profile *profile)
{
	return strcmp(profile->name, PROFILE_BUILT_IN) == 0;
}

/* ---- values by kind ---- */

static void *member_of(struct profile *profile, const struct key *key)
{
	return (char *)profile + key->member;
}

static void list_release(struct profile_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct profile_list){0};
}

/* At most every second character begins an item, so one allocation is enough. */
static enum status list_append(struct profile_list *list, const char *text)
{
	size_t most = list->count + strlen(text) / 2 + 1;
	char **items = realloc(list->items, most * sizeof(*items));

	if (!items)
		return STATUS_NO_MEMORY;
	list->items = items;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t length = strcspn(text, " ");

		items[list->count] = strndup(text, length);
		if (!items[list->count])
			return STATUS_NO_MEMORY;
		list->count++;
		text += length;
	}
	return STATUS_OK;
}

static enum status text_replace(char **text, const char *value)
{
	char *copy = buffer_duplicate(value);

	if (!copy)
		return STATUS_NO_MEMORY;
	buffer_free_text(*text);
	*text = copy;
	return STATUS_OK;
}

/* 1 for the first choice; 0: word is not a choice. */
static unsigned find_choice(const char *const *choices, const char *word)
{
	for (unsigned i = 0; choices[i]; i++) {
		if (strcmp(choices[i], word) == 0)
			return i + 1;
	}
	return 0;
}

static bool key_accepts(const struct key *key, const char *value)
{
	return key->kind == KIND_CHOICE ? find_choice(key->choices, value) != 0
					: key->accepts(value);
}

/* value is one that the key accepts. */
static enum status take_value(struct profile *profile, const struct key *key, const char *value)
{
	void *member = member_of(profile, key);

	switch (key->kind) {
	case KIND_TEXT:
		return text_replace(member, value);
	case KIND_LIST:
		return list_append(member, value);
	case KIND_SECONDS:
		*(long *)member = strtol(value, NULL, 10);
		break;
	case KIND_CHOICE:
		*(unsigned *)member = find_choice(key->choices, value);
		break;
	}
	return STATUS_OK;
}

static bool is_set(struct profile *profile, const struct key *key)
{
	const void *member = member_of(profile, key);

	switch (key->kind) {
	case KIND_TEXT:
		return *(char *const *)member != NULL;
	case KIND_LIST:
		return ((const struct profile_list *)member)->items != NULL;
	case KIND_SECONDS:
		return *(const long *)member != 0;
	default:
		return *(const unsigned *)member != 0;
	}
}

/* A number needs no clearing, as the next value replaces it. */
static void clear_value(struct profile *profile, const struct key *key)
{
	char **text = member_of(profile, key);

	if (key->kind == KIND_LIST)
		list_release(member_of(profile, key));
	else if (key->kind == KIND_TEXT) {
		buffer_free_text(*text);
		*text = NULL;
	}
}

/* ---- from the config ---- */

/* Whether word is a name for a secret, or a misspelling of one. */
static bool means_secret(const char *word, size_t length)
{
	static const char *const NAMES[] = {"client_secret", "secret", "password", "api_key"};
	struct suggestion suggestion = suggestion_for(word, length);

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		suggestion_look_at(&suggestion, NAMES[i]);
	return suggestion.nearest != NULL;
}

/*
 * Name the remedy if there is one. "origin https://host" has no "=", so inih splits it at the
 * colon. Show only the first word of an unknown key: a secret may follow it.
 */
static enum status refuse_key(const char *name, const char *value, struct failure *failure)
{
	int length = (int)strcspn(name, " \t");
	struct suggestion suggestion = suggestion_for(name, strlen(name));

	if (means_secret(name, (size_t)length))
		return status_fail(failure, STATUS_CONFIG,
			"unknown key '%.*s': keep the secret with sypht-credential login, or name "
			"client_secret_file or client_secret_command",
			length, name);
	if (find_key(name, (size_t)length) && strncmp(value, "//", 2) == 0)
		return status_fail(failure, STATUS_CONFIG,
			"expected key = value: write %.*s = %s:%s", length, name,
			name + length + strspn(name + length, " \t"), value);
	for (size_t i = 0; i < KEY_COUNT; i++)
		suggestion_look_at(&suggestion, CONFIGKEYS[i].name);
	if (suggestion.nearest)
		return status_fail(failure, STATUS_CONFIG, "unknown key '%s': did you mean %s?",
			name, suggestion.nearest);
	return status_fail(
		failure, STATUS_CONFIG, "unknown key '%.*s'; see man sypht-config", length, name);
}

static enum status set_checked(
	struct profile *profile, const struct key *key, const char *value, struct failure *failure)
{
	if (!key_accepts(key, value))
		return status_fail(
			failure, STATUS_CONFIG, "%s: expected %s", key->name, key->expected);
	return take_value(profile, key, value) ? status_no_memory(failure) : STATUS_OK;
}

enum status profile_set(struct profile *profile, const char *name, const char *value,
	bool continued, struct failure *failure)
{
	const struct key *key = find_key(name, strlen(name));
	char *const *text;
	char *whole = NULL;
	enum status status;

	if (!key)
		return refuse_key(name, value, failure);
	text = member_of(profile, key);
	if (!continued || key->kind == KIND_LIST)
		return set_checked(profile, key, value, failure);
	if (key->kind != KIND_TEXT) /* a number or a choice has no second line */
		return status_fail(
			failure, STATUS_CONFIG, "%s: expected %s", key->name, key->expected);
	if (asprintf(&whole, "%s%s%s", *text, **text != '\0' ? " " : "", value) < 0)
		return status_no_memory(failure);
	status = set_checked(profile, key, whole, failure);
	buffer_free_text(whole);
	return status;
}

/* ---- from the environment ---- */

/* The part of SYPHT_API_KEY before its colon. secretsource.c refuses a key without one. */
static enum status set_api_key_id(struct profile *profile, const char *api_key)
{
	size_t length = strcspn(api_key, ":");
	char *id = strndup(api_key, api_key[length] == ':' ? length : 0);

	if (!id)
		return STATUS_NO_MEMORY;
	buffer_free_text(profile->client_id);
	profile->client_id = id;
	return STATUS_OK;
}

/*
 * Credentials from before June 2020 need another endpoint and another form: id and secret in the
 * body, with an audience. Sypht's own clients recognise this endpoint by its path, and so do we.
 */
static enum status set_legacy_form(struct profile *profile)
{
	if (!profile->token_url || !strstr(profile->token_url, "/oauth/"))
		return STATUS_OK;
	if (profile->auth_method == AUTHMETHOD_UNSET)
		profile->auth_method = AUTHMETHOD_POST;
	return profile->audience ? STATUS_OK
				 : text_replace(&profile->audience, PROFILE_BUILT_IN_ORIGIN);
}

/*
 * SYPHT_API_KEY gives the client id only if its secret is used too: otherwise the id of one client
 * would be sent with the secret of another.
 */
static enum status set_client(struct profile *profile, const struct settings *settings)
{
	bool pair =
		settings->client_id && (settings->client_secret || settings->client_secret_file);

	if (!settings->api_key || pair || settings->client_secret)
		return STATUS_OK;
	return set_api_key_id(profile, settings->api_key);
}

/* The variables are for one client, that of profile sypht. They override its section. */
enum status profile_overlay(
	struct profile *profile, const struct settings *settings, struct failure *failure)
{
	const struct {
		size_t member;
		const char *value;
		const char *variable;
	} rows[] = {
		{MEMBER(origin), settings->api_base_endpoint, "SYPHT_API_BASE_ENDPOINT"},
		{MEMBER(token_url), settings->auth_endpoint, "SYPHT_AUTH_ENDPOINT"},
		{MEMBER(audience), settings->audience, "SYPHT_AUDIENCE"},
		{MEMBER(client_id), settings->client_id, "SYPHT_CLIENT_ID"},
	};

	if (!is_built_in(profile))
		return STATUS_OK;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct key *key = key_of(rows[i].member);

		if (!rows[i].value)
			continue;
		if (!key_accepts(key, rows[i].value))
			return status_fail(failure, STATUS_CONFIG, "%s: expected %s",
				rows[i].variable, key->expected);
		clear_value(profile, key);
		if (take_value(profile, key, rows[i].value))
			return status_no_memory(failure);
	}
	if (set_client(profile, settings) || set_legacy_form(profile))
		return status_no_memory(failure);
	return STATUS_OK;
}

/* ---- defaults ---- */

static enum status set_default(struct profile *profile, const struct key *key)
{
	const char *value = is_built_in(profile) && key->built_in ? key->built_in : key->otherwise;

	/* a profile with an issuer gets token_url from the issuer's metadata */
	if (key->member == MEMBER(token_url) && profile->issuer)
		return STATUS_OK;
	return value && !is_set(profile, key) ? take_value(profile, key, value) : STATUS_OK;
}

/* "scope =" was kept until now to disable the default. From here on it means "not set". */
static void drop_empty(struct profile *profile, const struct key *key)
{
	char *const *text = member_of(profile, key);

	if (key->kind == KIND_TEXT && *text && **text == '\0')
		clear_value(profile, key);
}

/* What else the profile must name to authenticate as it says, or NULL. */
static const char *find_missing(const struct profile *profile)
{
	bool known = profile->client_id != NULL;

	switch (profile->auth_method) {
	case AUTHMETHOD_PRIVATE_KEY_JWT:
		return known && profile->private_key_file
			       ? NULL
			       : "client_id and private_key_file, for private_key_jwt";
	case AUTHMETHOD_CLIENT_ASSERTION:
		if (!known || !profile_identity(profile))
			return "client_id and client_assertion_file or client_assertion_command, "
			       "for client_assertion";
		return NULL;
	case AUTHMETHOD_TLS:
	case AUTHMETHOD_SELF_SIGNED_TLS:
		return known && profile_identity(profile)
			       ? NULL
			       : "client_id and client_certificate_file, for tls_client_auth";
	default:
		return NULL;
	}
}

/*
 * Whether there is a secret that only members of the fleet know. The token in the shared store is
 * encrypted with a key that is derived from it. An assertion changes, and a URI is no secret.
 */
static bool can_share(const struct profile *profile)
{
	const char *key = profile->private_key_file;
	bool by_uri = key && authmethod_key_is_uri(key);

	return profile->auth_method != AUTHMETHOD_CLIENT_ASSERTION &&
	       !(by_uri && profile->auth_method > AUTHMETHOD_POST);
}

/* Sypht's endpoint is built in, so only the other profiles must name one. */
enum status profile_check(const struct profile *profile, struct failure *failure)
{
	const char *need = profile_endpoint(profile) || is_built_in(profile)
				   ? find_missing(profile)
				   : "token_url or issuer";

	if (!need && profile->shared_store && !can_share(profile))
		need = "a client secret, or the file of a private key, for shared_store: the token "
		       "is encrypted with it";
	if (!need)
		return STATUS_OK;
	return status_fail(failure, STATUS_CONFIG, "profile '%s' (line %u) needs %s", profile->name,
		profile->line, need);
}

/* Set the default first: an empty value has kept it away. */
enum status profile_complete(struct profile *profile, struct failure *failure)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (set_default(profile, &CONFIGKEYS[i]))
			return status_no_memory(failure);
		drop_empty(profile, &CONFIGKEYS[i]);
	}
	return STATUS_OK;
}

/* ---- the profile ---- */

/* All values are zero, which is "not set" for each kind. */
struct profile *profile_new(const char *name)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	if (profile)
		memcpy(profile->name, name, strlen(name) + 1);
	return profile;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < KEY_COUNT; i++)
		clear_value(profile, &CONFIGKEYS[i]);
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

const char *profile_endpoint(const struct profile *profile)
{
	return profile->token_url ? profile->token_url : profile->issuer;
}

const char *profile_identity(const struct profile *profile)
{
	if (authmethod_is_tls(profile->auth_method))
		return profile->client_certificate_file;
	if (profile->auth_method != AUTHMETHOD_CLIENT_ASSERTION)
		return NULL;
	return profile->client_assertion_file ? profile->client_assertion_file
					      : profile->client_assertion_command;
}

const char *profile_certificate(const struct profile *profile)
{
	if (profile->auth_method == AUTHMETHOD_PRIVATE_KEY_JWT)
		return profile->private_key_certificate;
	if (!authmethod_is_tls(profile->auth_method) || !profile->private_key_file ||
		strcmp(profile->private_key_file, profile->client_certificate_file) == 0)
		return NULL;
	return profile->client_certificate_file;
}
