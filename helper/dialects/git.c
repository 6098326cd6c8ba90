#include "dialects/git.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/profile.h"
#include "core/text.h"
#include "dialects/challenge.h"
#include "dialects/credentials.h"

/* The caller's attributes, and the place that they describe. */
struct description {
	struct attributes attributes;
	struct origin origin;
	bool has_origin; /* false: no token may be sent there, such as to http or ssh */
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

/* As git's url_decode(): a "%" that begins no escape stands for itself, and so does "%00". */
static void percent_decode(char *text)
{
	char *out = text;

	for (const char *in = text; *in != '\0'; in++) {
		int byte = *in == '%' ? text_hex_byte(in + 1) : -1;

		*out++ = (char)(byte > 0 ? byte : *in);
		in += byte > 0 ? 2 : 0;
	}
	*out = '\0';
}

/*
 * git-credential(1): "url" sets protocol, host and username at once, and clears what earlier lines
 * set. From "://" to the next "/", "?" or "#" it is "host" or "username[:password]@host".
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

/* The lines in order of arrival: each one replaces what an earlier one set. */
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
static enum status description_read(
	struct call *call, struct description *description, struct failure *failure)
{
	enum status status;

	*description = (struct description){.attributes = {.text = call->input, .crlf = true}};
	call->input = (struct buffer)BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	status = attributes_read(&description->attributes, STDIN_FILENO, failure);
	if (status)
		return status;
	status = take_place(description);
	if (status == STATUS_MALFORMED)
		return status_fail(failure, status, "input: url has no scheme");
	if (status)
		return status_no_memory(failure);
	if (!description->protocol || !description->host)
		return status_fail(failure, STATUS_MALFORMED,
			"input names no protocol, or no host: expected lines such as "
			"protocol=https and host=NAME");
	description->has_origin = origin_from_protocol(&description->origin, description->protocol,
					  description->host) &&
				  origin_may_carry(&description->origin);
	return STATUS_OK;
}

static bool has_capability(const struct description *description, const char *capability)
{
	return attributes_contains(&description->attributes, "capability[]", capability);
}

/* ---- get ---- */

/*
 * The state in an answer with a cached token says by which scheme the token was sent, and has its
 * fingerprint. git sends the state back if the server answered 401.
 */
enum scheme { SCHEME_BEARER, SCHEME_PASSWORD, SCHEME_NONE };

static const char *const STATES[] = {
	[SCHEME_BEARER] = "sypht:cached:",
	[SCHEME_PASSWORD] = "sypht:password:",
};

enum { STATE_MAX_BYTES = sizeof("sypht:password:") + TOKEN_FINGERPRINT_BYTES };

/* How to answer this time, and what is known about the answer before. */
struct answer {
	enum scheme scheme;
	enum scheme before;   /* SCHEME_NONE: no state of ours came back */
	const char *rejected; /* the fingerprint of a token that the server refused, or NULL */
	bool may_return;      /* git may ask once more if the server refuses a cached token */
};

/* Other helpers' states arrive too. Ours are the ones with our prefix. */
static void read_state(const struct description *description, struct answer *answer)
{
	const struct attributes *attributes = &description->attributes;

	answer->before = SCHEME_NONE;
	for (const char *v = NULL; (v = attributes_next(attributes, "state[]", v));) {
		for (int scheme = 0; scheme < SCHEME_NONE; scheme++) {
			size_t length = strlen(STATES[scheme]);

			if (strncmp(v, STATES[scheme], length) != 0)
				continue;
			answer->before = scheme;
			answer->rejected = v + length;
		}
	}
}

/*
 * Send the token as a password if the caller knows nothing else, or if the server accepts no bearer
 * token. git 2.46 and newer have capability authtype whatever the server offers, so the challenges
 * decide.
 */
static enum scheme choose_scheme(
	const struct description *description, const struct challenges *challenges)
{
	if (!has_capability(description, "authtype"))
		return SCHEME_PASSWORD;
	return challenges->basic && !challenges->bearer ? SCHEME_PASSWORD : SCHEME_BEARER;
}

/*
 * If the server did not accept the scheme, the token was not refused: send it again by the other
 * scheme. Only an answer with a cached token lets git ask again, and at most two of them follow
 * each other (a bearer token, then the same one as a password). Otherwise a server that refuses
 * everything would make git ask for ever.
 */
static struct answer plan_answer(
	const struct description *description, const struct challenges *challenges)
{
	struct answer answer = {.scheme = choose_scheme(description, challenges)};
	bool scheme_was_wrong;

	read_state(description, &answer);
	scheme_was_wrong = answer.before != SCHEME_NONE && answer.before != answer.scheme &&
			   !challenges->invalid_token;
	if (scheme_was_wrong)
		answer.rejected = NULL;
	answer.may_return = has_capability(description, "state") &&
			    (answer.before == SCHEME_NONE ||
				    (scheme_was_wrong && answer.scheme == SCHEME_PASSWORD));
	return answer;
}

static void read_challenges(const struct description *description, struct challenges *challenges)
{
	const struct attributes *attributes = &description->attributes;

	*challenges = (struct challenges)CHALLENGES_INIT;
	for (const char *v = NULL; (v = attributes_next(attributes, "wwwauth[]", v));)
		challenges_add(challenges, v);
}

/*
 * Whether a challenge is about a token that was sent. Some servers say invalid_token although they
 * got none. git repeats the authtype after it has sent a token; callers without capability state
 * cannot tell, so there the server is believed.
 */
static bool token_was_refused(
	const struct description *description, const struct challenges *challenges)
{
	return challenges->invalid_token &&
	       (!has_capability(description, "state") ||
		       attributes_get(&description->attributes, "authtype"));
}

static enum status write_answer(
	const struct call *call, const struct description *description, const struct answer *answer)
{
	bool bearer = answer->scheme == SCHEME_BEARER;
	bool healable = answer->may_return && call->token.cached;
	bool with_state = has_capability(description, "state") && (bearer || healable);
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	char state[STATE_MAX_BYTES];
	const struct attributes_row rows[] = {
		{"capability[]", bearer ? "authtype" : NULL, 0},
		{"capability[]", with_state ? "state" : NULL, 0},
		{"authtype", bearer ? "Bearer" : NULL, 0},
		{"credential", bearer ? call->token.value : NULL, 0},
		{"ephemeral", bearer ? "1" : NULL, 0},
		{"username", bearer ? NULL : call->profile->basic_username, 0},
		{"password", bearer ? NULL : call->token.value, 0},
		{"state[]", healable ? state : NULL, 0},
		{"continue", healable ? "1" : NULL, 0},
		{"password_expiry_utc", NULL, (long long)token_usable_until(&call->token)},
		{0},
	};

	token_fingerprint(call->token.value, fingerprint);
	snprintf(state, sizeof(state), "%s%s", STATES[answer->scheme], fingerprint);
	return attributes_add_rows(call->reply, rows);
}

static enum status answer_get(
	struct call *call, const struct description *description, struct failure *failure)
{
	struct challenges challenges;
	struct answer answer;
	enum status status = call_find_profile(call, &description->origin, failure);

	if (status || !call->profile || !call_accepts_user(call->profile, description->username))
		return status;
	read_challenges(description, &challenges);
	answer = plan_answer(description, &challenges);
	if (answer.scheme == SCHEME_PASSWORD && !call->profile->basic_username)
		return STATUS_OK;
	if (answer.before == SCHEME_NONE && token_was_refused(description, &challenges))
		status = call_refuse(call, failure);
	if (!status)
		status = call_supply(call, answer.rejected, failure);
	if (!status && write_answer(call, description, &answer))
		status = status_fail(failure, STATUS_MALFORMED, "the answer cannot be written");
	return status;
}

enum status git_get(struct call *call, struct failure *failure)
{
	struct description description;
	enum status status = description_read(call, &description, failure);

	if (!status && description.has_origin)
		status = answer_get(call, &description, failure);
	description_release(&description);
	return status;
}

/* ---- store and erase ---- */

/* A token is the "credential", or the "password" for callers without capability authtype. */
static enum status make_change(
	struct call *call, credentials_changer *make, bool by_credential, struct failure *failure)
{
	struct description description;
	enum status status = description_read(call, &description, failure);

	if (!status && description.has_origin) {
		const struct attributes *attributes = &description.attributes;
		struct credentials_change change = {
			.origin = description.origin,
			.username = description.username,
			.password = by_credential ? attributes_get(attributes, "credential") : NULL,
			.token = attributes_get(attributes, "credential"),
		};

		if (!change.password)
			change.password = attributes_get(attributes, "password");
		if (!change.token)
			change.token = change.password;
		status = make(call, &change, failure);
	}
	description_release(&description);
	return status;
}

enum status git_store(struct call *call, struct failure *failure)
{
	return make_change(call, credentials_store, false, failure);
}

enum status git_erase(struct call *call, struct failure *failure)
{
	return make_change(call, credentials_erase, true, failure);
}

enum status git_capability(struct call *call, struct failure *failure)
{
	if (buffer_append_text(call->reply, "version 0\ncapability authtype\ncapability state\n"))
		return status_no_memory(failure);
	return STATUS_OK;
}
