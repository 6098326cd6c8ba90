#include "dialects/login.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/source.h"
#include "dialects/credentials.h"
#include "dialects/terminal.h"
#include "supply/external.h"
#include "supply/secret.h"
#include "supply/supply.h"

/* ---- the credentials to keep ---- */

/* People paste "id:secret", as in SYPHT_API_KEY, where only the secret is asked for. */
static const char *skip_id(const char *text, const char *id)
{
	size_t length = strlen(id);

	return strncmp(text, id, length) == 0 && text[length] == ':' ? text + length + 1 : text;
}

static enum status ask_for_secret(const char *id, struct secret *secret, struct failure *failure)
{
	struct buffer prompt = BUFFER_INIT(1024);
	struct buffer value = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	enum status status = buffer_printf(&prompt, "Client secret of '%.200s' (not shown): ", id);

	if (!status)
		status = terminal_ask(prompt.data, true, &value, failure);
	if (!status)
		status = secret_set(secret, id, skip_id(buffer_text(&value), id), failure);
	buffer_release(&prompt);
	buffer_release(&value);
	return status;
}

/* Both may be answered at once by "id:secret", as in SYPHT_API_KEY. */
static enum status ask_for_both(struct secret *secret, struct failure *failure)
{
	struct buffer answer = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	enum status status = terminal_ask("Client id: ", false, &answer, failure);
	const char *id = buffer_text(&answer);
	char *colon = answer.data ? strchr(answer.data, ':') : NULL;

	/* the terminal has shown the secret, but it is accepted all the same */
	if (!status && colon)
		*colon++ = '\0';
	if (!status && colon && *colon != '\0')
		status = secret_set(secret, id, colon, failure);
	else if (!status)
		status = ask_for_secret(id, secret, failure);
	buffer_release(&answer);
	return status;
}

static enum status ask_person(
	const struct profile *profile, struct secret *secret, struct failure *failure)
{
	return profile->client_id ? ask_for_secret(profile->client_id, secret, failure)
				  : ask_for_both(secret, failure);
}

/* Cut the next line off text, without its line end; NULL if there is none. */
static char *next_line(char **text)
{
	char *line = *text;
	size_t length = line ? strcspn(line, "\n") : 0;

	if (!line || *line == '\0')
		return NULL;
	*text = line + length + (line[length] == '\n');
	line[length] = '\0';
	if (length > 0 && line[length - 1] == '\r')
		line[length - 1] = '\0';
	return line;
}

/* One line or two. A third one would show that this is something else, such as a key file. */
static enum status take_lines(const struct profile *profile, char *text, struct secret *secret)
{
	char *first = next_line(&text);
	char *second = next_line(&text);
	char *colon = first && !second ? strchr(first, ':') : NULL;

	if (!first || next_line(&text))
		return STATUS_USAGE;
	if (second)
		return secret_set(secret, first, second, NULL);
	if (profile->client_id)
		return secret_set(
			secret, profile->client_id, skip_id(first, profile->client_id), NULL);
	if (!colon)
		return STATUS_USAGE;
	*colon = '\0';
	return secret_set(secret, first, colon + 1, NULL);
}

static enum status take_attributes(
	const struct profile *profile, const struct buffer *input, struct secret *secret)
{
	struct attributes said = ATTRIBUTES_INIT;
	enum status status = attributes_parse(&said, input->data, input->length, NULL);
	const char *id = attributes_get(&said, "username");
	const char *value = attributes_get(&said, "password");

	if (!id)
		id = profile->client_id;
	if (!status)
		status = id && value ? secret_set(secret, id, value, NULL) : STATUS_USAGE;
	attributes_release(&said);
	return status;
}

/* Whether the input is key=value lines: a secret may well contain "=". */
static bool has_key(const struct buffer *input, const char *key)
{
	size_t length = strlen(key);

	return strncmp(buffer_text(input), key, length) == 0;
}

/* What a program or a redirected file says, in one of three forms; see login.h. */
static enum status read_program(
	const struct profile *profile, struct secret *secret, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	enum status status = buffer_read(&input, STDIN_FILENO);

	if (!status && (input.length == 0 || memchr(input.data, '\0', input.length)))
		status = STATUS_USAGE;
	else if (!status && (has_key(&input, "username=") || has_key(&input, "password=") ||
				    has_key(&input, "protocol=")))
		status = take_attributes(profile, &input, secret);
	else if (!status)
		status = take_lines(profile, input.data, secret);
	buffer_release(&input);
	if (status)
		status_fail(failure, status,
			"login: expected client id and client secret on stdin, on a line each");
	return status;
}

static enum status read_secret(
	const struct profile *profile, struct secret *secret, struct failure *failure)
{
	enum status status = isatty(STDIN_FILENO) ? ask_person(profile, secret, failure)
						  : read_program(profile, secret, failure);

	if (status)
		return status;
	if (*secret->client_id == '\0' || *secret->client_secret == '\0')
		return status_fail(
			failure, STATUS_USAGE, "login: the client id or secret is empty");
	/* a secret of another client would be stored, and then never be used */
	if (profile->client_id && strcmp(profile->client_id, secret->client_id) != 0)
		return status_fail(failure, STATUS_USAGE,
			"login: the client id of profile '%s' is '%s', not '%s'", profile->name,
			profile->client_id, secret->client_id);
	return STATUS_OK;
}

/* ---- where to store them ---- */

/* Stored credentials are not used if the profile names another source. */
static enum status check_use(
	const struct settings *settings, const struct profile *profile, struct failure *failure)
{
	const char *elsewhere = NULL;

	if (profile->auth_method > AUTHMETHOD_POST)
		return status_fail(failure, STATUS_USAGE,
			"login: profile '%s' has %s, so there is no client secret to store",
			profile->name, source_choose(settings, profile).name);
	if (profile->client_secret_file)
		elsewhere = "client_secret_file";
	/* client_secret_helper is no conflict: the credentials are stored there */
	else if (profile->client_secret_command)
		elsewhere = "client_secret_command";
	if (!elsewhere)
		return STATUS_OK;
	return status_fail(failure, STATUS_USAGE,
		"login: profile '%s' has %s, which takes precedence; remove it from the config "
		"first",
		profile->name, elsewhere);
}

static enum status write_place(const struct call *call, const struct profile *profile)
{
	char *path = settings_credentials_path(call->settings);
	enum status status;

	if (profile->client_secret_helper)
		status = buffer_printf(
			call->reply, "with credential helper '%s'", profile->client_secret_helper);
	else
		status = buffer_printf(call->reply, "in %s/%s", path ? path : "", profile->name);
	free(path);
	return status;
}

/*
 * The variable that takes precedence over stored credentials, or NULL. It is only a remark: a
 * variable is often set for one shell, and the stored credentials count in all others.
 */
static const char *find_rival(const struct call *call, const struct profile *profile)
{
	const char *source = source_choose(call->settings, profile).name;

	return strncmp(source, "SYPHT_", strlen("SYPHT_")) == 0 ? source : NULL;
}

/* Say where the secret went: it is the one thing here that the user may have to clean up. */
static enum status write_report(const struct call *call, const struct profile *profile)
{
	const char *rival = find_rival(call, profile);
	enum status status =
		buffer_printf(call->reply, "profile %s: client credentials kept ", profile->name);

	if (!status)
		status = write_place(call, profile);
	if (!status)
		status = buffer_append_text(call->reply, "\n");
	if (!status && rival)
		status = buffer_printf(call->reply,
			"profile %s: but %s is set, and takes precedence\n", profile->name, rival);
	return status;
}

enum status login_keep(struct call *call, struct failure *failure)
{
	struct secret secret = SECRET_INIT;
	enum status status = call_find_profile(call, NULL, failure);

	if (!status)
		status = check_use(call->settings, call->profile, failure);
	if (!status)
		status = read_secret(call->profile, &secret, failure);
	/* a typing error shows now, and not when a program first needs a token */
	if (!status)
		status = call_prove(call, call->profile, &secret, failure);
	if (!status)
		status = credentials_keep(call, call->profile, &secret, failure);
	if (!status)
		credentials_keep_token(call, call->profile);
	if (!status && write_report(call, call->profile))
		status = status_no_memory(failure);
	secret_release(&secret);
	return status;
}

enum status login_drop(struct call *call, struct failure *failure)
{
	bool was_kept = false;
	enum status status = call_find_profile(call, NULL, failure);

	if (!status)
		status = credentials_drop(call, call->profile, &was_kept, failure);
	if (!status && buffer_printf(call->reply, "profile %s: %s, and no token is cached\n",
			       call->profile->name,
			       was_kept ? "client credentials dropped"
					: "no client credentials were stored"))
		status = status_no_memory(failure);
	return status;
}
