#include "git.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../attributes.h"
#include "../profile.h"
#include "../secret.h"
#include "../vault.h"

#define STATE_CACHED "sypht:cached:"

/* What the caller described: the attributes, and the place they mean. */
struct description {
	struct attributes attributes;
	struct origin origin;
	bool has_origin; /* false: a place that no token could be for */
	char *protocol;
	char *host;
	char *username; /* NULL: any */
};

static void forget_place(struct description *description)
{
	buffer_free_text(description->protocol);
	buffer_free_text(description->host);
	buffer_free_text(description->username);
	description->protocol = description->host = description->username = NULL;
}

static void description_release(struct description *description)
{
	attributes_release(&description->attributes);
	forget_place(description);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* As git does it: a "%" that begins no escape stands for itself, and so does "%00". */
static void percent_decode(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		int high = *in == '%' ? hex_digit(in[1]) : -1;
		int low = high >= 0 ? hex_digit(in[2]) : -1;
		bool escape = low >= 0 && high + low > 0;

		*out++ = escape ? (char)(high << 4 | low) : *in;
		in += escape ? 2 : 0;
	}
	*out = '\0';
}

/*
 * "url" stands for protocol, host and username at once, and wipes what came before it. What lies
 * between "://" and the next "/", "?" or "#" is "host" or "username[:password]@host".
 */
static enum status take_url(struct description *description, const char *url)
{
	const char *separator = strstr(url, "://");
	const char *authority;
	const char *at;
	size_t length;

	forget_place(description);
	if (!separator)
		return STATUS_MALFORMED;
	authority = separator + 3;
	length = strcspn(authority, "/?#");
	at = memchr(authority, '@', length);
	if (at) {
		description->username = strndup(authority, strcspn(authority, ":@"));
		if (!description->username)
			return STATUS_NO_MEMORY;
		percent_decode(description->username);
		length -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	description->protocol = strndup(url, (size_t)(separator - url));
	description->host = strndup(authority, length);
	return description->protocol && description->host ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status take_field(char **field, const char *value)
{
	buffer_free_text(*field);
	*field = buffer_duplicate(value);
	return *field ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status take_place(struct description *description)
{
	const struct attributes *attributes = &description->attributes;
	enum status status = STATUS_OK;
	const char *value;

	for (const char *key = NULL; !status && (key = attributes_each(attributes, key, &value));) {
		if (strcmp(key, "url") == 0)
			status = take_url(description, value);
		else if (strcmp(key, "protocol") == 0)
			status = take_field(&description->protocol, value);
		else if (strcmp(key, "host") == 0)
			status = take_field(&description->host, value);
		else if (strcmp(key, "username") == 0)
			status = take_field(&description->username, value);
	}
	return status;
}

/* A description without protocol or host would match everything (CVE-2020-11008). */
static enum status description_read(struct description *description, struct failure *failure)
{
	enum status status;

	*description = (struct description){.attributes = ATTRIBUTES_INIT};
	status = attributes_read(&description->attributes, STDIN_FILENO, failure);
	if (status)
		return status;
	status = take_place(description);
	if (status == STATUS_MALFORMED)
		return status_fail(failure, status, "input: url has no scheme");
	if (status)
		return status_fail(failure, status, "out of memory");
	if (!description->protocol || !description->host)
		return status_fail(
			failure, STATUS_MALFORMED, "input names no protocol, or no host");
	description->has_origin = origin_from_protocol(&description->origin, description->protocol,
					  description->host) &&
				  origin_may_carry(&description->origin);
	return STATUS_OK;
}

static bool has_capability(const struct description *description, const char *capability)
{
	return attributes_contains(&description->attributes, "capability[]", capability);
}

/* A user name in the description is a wish: for that user, or for none. */
static bool is_wanted_user(const struct description *description, const struct profile *profile)
{
	const char *username = description->username;

	return !username || *username == '\0' ||
	       (profile->basic_username && strcmp(username, profile->basic_username) == 0) ||
	       (profile->client_id && strcmp(username, profile->client_id) == 0);
}

/* ---- get ---- */

/* The fingerprint that our own state carries back, or NULL. */
static const char *returned_state(const struct description *description)
{
	const struct attributes *attributes = &description->attributes;

	for (const char *v = NULL; (v = attributes_next(attributes, "state[]", v));) {
		if (strncmp(v, STATE_CACHED, strlen(STATE_CACHED)) == 0)
			return v + strlen(STATE_CACHED);
	}
	return NULL;
}

/* RFC 6750, 3.1: the server saw a token and did not like it. */
static bool says_invalid_token(const struct description *description)
{
	const struct attributes *attributes = &description->attributes;

	for (const char *v = NULL; (v = attributes_next(attributes, "wwwauth[]", v));) {
		if (strncasecmp(v, "bearer", strlen("bearer")) == 0 &&
			strstr(v, "error=\"invalid_token\""))
			return true;
	}
	return false;
}

static enum status write_bearer(const struct call *call, bool with_state)
{
	bool healable = with_state && call->token.cached;
	char state[sizeof(STATE_CACHED) + TOKEN_FINGERPRINT_BYTES] = STATE_CACHED;
	const struct {
		const char *key;
		const char *value;
	} rows[] = {
		{"capability[]", "authtype"},
		{"capability[]", with_state ? "state" : NULL},
		{"authtype", "Bearer"},
		{"credential", call->token.value},
		{"ephemeral", "1"},
		{"state[]", healable ? state : NULL},
		{"continue", healable ? "1" : NULL},
	};
	enum status status = STATUS_OK;

	token_fingerprint(call->token.value, state + strlen(STATE_CACHED));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !status; i++)
		status = attributes_add(call->reply, rows[i].key, rows[i].value);
	return status;
}

static enum status write_password(const struct call *call)
{
	enum status status = attributes_add(call->reply, "username", call->profile->basic_username);

	return status ? status : attributes_add(call->reply, "password", call->token.value);
}

static enum status answer_get(
	struct call *call, const struct description *description, struct failure *failure)
{
	bool bearer = has_capability(description, "authtype");
	const char *rejected = returned_state(description);
	enum status status = call_find_profile(call, &description->origin, failure);

	if (status || !call->profile || !is_wanted_user(description, call->profile))
		return status;
	if (!bearer && !call->profile->basic_username)
		return STATUS_OK;
	if (!rejected && says_invalid_token(description))
		call_erase(call, call->profile, NULL);

	status = call_supply(call, rejected, failure);
	if (status)
		return status;
	status = bearer ? write_bearer(call, has_capability(description, "state"))
			: write_password(call);
	if (!status)
		status = attributes_add_number(call->reply, "password_expiry_utc",
			(long long)token_usable_until(&call->token));
	return status ? status_fail(failure, status, "the answer cannot be written") : STATUS_OK;
}

enum status git_get(struct call *call, struct failure *failure)
{
	struct description description;
	enum status status = description_read(&description, failure);

	if (!status && description.has_origin)
		status = answer_get(call, &description, failure);
	description_release(&description);
	return status;
}

/* ---- store and erase ---- */

/* What store and erase do to one profile. */
struct change {
	struct call *call;
	const struct description *description;
	enum status (*at_origin)(const struct change *change, const struct profile *profile);
	enum status (*at_endpoint)(const struct change *change, const struct profile *profile);
	struct failure *failure;
	enum status status;
};

static bool is_endpoint_of(const struct profile *profile, const struct origin *origin)
{
	struct origin endpoint;

	return profile->token_url && origin_from_url(&endpoint, profile->token_url) &&
	       origin_equal(&endpoint, origin);
}

static bool apply(struct profile *profile, void *context)
{
	struct change *change = context;
	const struct origin *origin = &change->description->origin;

	if (profile_covers(profile, origin))
		change->status = change->at_origin(change, profile);
	else if (is_endpoint_of(profile, origin))
		change->status = change->at_endpoint(change, profile);
	profile_free(profile);
	return change->status == STATUS_OK;
}

static enum status change_all(struct change change)
{
	struct description description;
	struct call *call = change.call;
	enum status status = description_read(&description, change.failure);

	change.description = &description;
	if (!status && description.has_origin)
		status = profile_each(
			call->settings, call->profile_name, apply, &change, change.failure);
	description_release(&description);
	return status ? status : change.status;
}

/* The token comes from us and is in the cache already. */
static enum status store_at_origin(const struct change *change, const struct profile *profile)
{
	(void)change;
	(void)profile;
	return STATUS_OK;
}

static enum status store_at_endpoint(const struct change *change, const struct profile *profile)
{
	const char *password = attributes_get(&change->description->attributes, "password");
	struct secret secret = SECRET_INIT;
	enum status status;

	if (!change->description->username || !password || *password == '\0')
		return STATUS_OK;
	secret.client_id = buffer_duplicate(change->description->username);
	secret.client_secret = buffer_duplicate(password);
	if (!secret.client_id || !secret.client_secret)
		status = status_fail(change->failure, STATUS_NO_MEMORY, "out of memory");
	else
		status = vault_put(change->call->settings, profile, &secret, change->failure);
	if (!status)
		call_erase(change->call, profile, NULL);
	secret_release(&secret);
	return status;
}

enum status git_store(struct call *call, struct failure *failure)
{
	struct change change = {
		.call = call,
		.at_origin = store_at_origin,
		.at_endpoint = store_at_endpoint,
		.failure = failure,
	};

	return change_all(change);
}

/* With a credential only that token goes; a rejected one must not take its successor along. */
static enum status erase_at_origin(const struct change *change, const struct profile *profile)
{
	const struct attributes *attributes = &change->description->attributes;
	const char *value = attributes_get(attributes, "credential");

	if (!value)
		value = attributes_get(attributes, "password");
	if (is_wanted_user(change->description, profile))
		call_erase(change->call, profile, value);
	return STATUS_OK;
}

/* Every field that is given must be equal to what is kept; those not given match all. */
static bool is_kept(const struct change *change, const struct profile *profile)
{
	const char *username = change->description->username;
	const char *password = attributes_get(&change->description->attributes, "password");
	struct secret secret = SECRET_INIT;
	bool matches = false;

	if (vault_get(change->call->settings, profile, &secret, NULL) == STATUS_OK &&
		secret.client_secret)
		matches = (!username || strcmp(username, secret.client_id) == 0) &&
			  (!password || strcmp(password, secret.client_secret) == 0);
	secret_release(&secret);
	return matches;
}

static enum status erase_at_endpoint(const struct change *change, const struct profile *profile)
{
	if (is_kept(change, profile)) {
		vault_erase(change->call->settings, profile);
		call_erase(change->call, profile, NULL);
	}
	return STATUS_OK;
}

enum status git_erase(struct call *call, struct failure *failure)
{
	struct change change = {
		.call = call,
		.at_origin = erase_at_origin,
		.at_endpoint = erase_at_endpoint,
		.failure = failure,
	};

	return change_all(change);
}

enum status git_capability(struct call *call, struct failure *failure)
{
	if (buffer_append_text(call->reply, "version 0\ncapability authtype\ncapability state\n"))
		return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	return STATUS_OK;
}
