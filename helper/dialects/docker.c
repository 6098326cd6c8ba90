#include "dialects/docker.h"

#include <string.h>
#include <unistd.h>

#include "core/profile.h"
#include "core/profiles.h"
#include "dialects/credentials.h"
#include "json.h"

#define NAME  "docker-credential-sypht"
#define USAGE "Usage: " NAME " <store|get|erase|list|version>\n"

enum { INPUT_MAX_BYTES = 256 * 1024 };

/* docker compares the first three literally, so they must not change. */
#define NOT_FOUND     "credentials not found in native keychain"
#define NO_SERVER_URL "no credentials server URL"
#define NO_USERNAME   "no credentials username"
#define NOT_OURS      NAME " keeps nothing for a registry that no profile covers"

/* docker reads an error from stdout, so it is an answer, with exit status 1. */
static enum status say_sentence(struct call *call, const char *sentence)
{
	call->exit_code = 1;
	buffer_clear(call->reply); /* half an answer before the sentence would not parse */
	return buffer_printf(call->reply, "%s\n", sentence);
}

/* If not even the reason can be written, cli_main() reports the failure on stderr. */
static enum status say_failure(struct call *call, enum status status, struct failure *failure)
{
	if (status && say_sentence(call, failure->reason) == STATUS_OK)
		return STATUS_OK;
	return status;
}

static enum status read_input(struct buffer *input, struct failure *failure)
{
	enum status status = buffer_read(input, STDIN_FILENO);

	/* a NUL would end the text early for us, and not for docker */
	if (status || memchr(buffer_text(input), '\0', input->length))
		return status_fail(failure, STATUS_MALFORMED,
			"stdin is too long, holds a NUL, or cannot be read");
	return STATUS_OK;
}

/* docker writes the URL without a line end, people and other tools with one. */
static enum status read_server(struct buffer *input, const char **server, struct failure *failure)
{
	static const char blanks[] = " \t\r\n";
	enum status status = read_input(input, failure);
	size_t length = input->length;

	if (status)
		return status;
	while (length > 0 && strchr(blanks, input->data[length - 1]))
		input->data[--length] = '\0';
	*server = buffer_text(input) + strspn(buffer_text(input), blanks);
	return STATUS_OK;
}

/* ---- get ---- */

static enum status write_credentials(const struct call *call, const char *server)
{
	return json_printf(call->reply, "{\"ServerURL\":%s,\"Username\":%s,\"Secret\":%s}\n",
		server, call->profile->basic_username, call->token.value);
}

static enum status answer_get(struct call *call, const char *server, struct failure *failure)
{
	enum status status;

	if (*server == '\0')
		return say_sentence(call, NO_SERVER_URL);
	status = call_find_server(call, server, failure);
	/* docker knows only user and password, so the profile must name a user for the token */
	if (!status && (!call->profile || !call->profile->basic_username))
		return say_sentence(call, NOT_FOUND);
	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && write_credentials(call, server))
		status = status_no_memory(failure);
	return status;
}

enum status docker_get(struct call *call, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(INPUT_MAX_BYTES);
	const char *server = NULL;
	enum status status = read_server(&input, &server, failure);

	if (!status)
		status = answer_get(call, server, failure);
	buffer_release(&input);
	return say_failure(call, status, failure);
}

/* ---- store and erase ---- */

static enum status store_credentials(
	struct call *call, const struct json *credentials, struct failure *failure)
{
	const char *server = json_text(json_member(credentials, "ServerURL"));
	struct credentials_change change = {
		.username = json_text(json_member(credentials, "Username")),
		.password = json_text(json_member(credentials, "Secret")),
	};
	enum status status = STATUS_OK;

	if (!server || *server == '\0')
		return say_sentence(call, NO_SERVER_URL);
	if (!change.username || *change.username == '\0')
		return say_sentence(call, NO_USERNAME);
	if (call_origin_of_server(&change.origin, server))
		status = credentials_store(call, &change, failure);
	return (status || change.matched) ? status : say_sentence(call, NOT_OURS);
}

enum status docker_store(struct call *call, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(INPUT_MAX_BYTES);
	struct json *credentials = NULL;
	enum status status = read_input(&input, failure);

	if (!status) {
		credentials = json_read(buffer_text(&input), input.length);
		status = store_credentials(call, credentials, failure);
	}
	json_free(credentials);
	buffer_release(&input);
	return say_failure(call, status, failure);
}

/* docker logout erases several spellings of one server, so no match is no failure. */
enum status docker_erase(struct call *call, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(INPUT_MAX_BYTES);
	struct credentials_change change = {.username = NULL};
	const char *server = NULL;
	enum status status = read_server(&input, &server, failure);

	if (!status && *server == '\0')
		status = say_sentence(call, NO_SERVER_URL);
	else if (!status && call_origin_of_server(&change.origin, server))
		status = credentials_erase(call, &change, failure);
	buffer_release(&input);
	return say_failure(call, status, failure);
}

/* ---- list, version, usage ---- */

struct listing {
	struct buffer *reply;
	enum status status;
};

static bool list_profile(struct profile *profile, void *context)
{
	struct listing *listing = context;

	/* docker lists a user for each server, so a profile without one has nothing to list */
	for (size_t i = 0; profile->basic_username && i < profile->origin.count; i++) {
		if (!listing->status)
			listing->status = json_printf(listing->reply,
				listing->reply->length > 0 ? ",%s:%s" : "{%s:%s",
				profile->origin.items[i], profile->basic_username);
	}
	profile_free(profile);
	return listing->status == STATUS_OK;
}

enum status docker_list(struct call *call, struct failure *failure)
{
	struct listing listing = {.reply = call->reply};
	enum status status =
		profiles_each(call->settings, call->profile_name, list_profile, &listing, failure);
	const char *end = call->reply->length > 0 ? "}\n" : "{}\n";

	if (!status && (listing.status || buffer_append_text(call->reply, end)))
		status = status_no_memory(failure);
	return say_failure(call, status, failure);
}

enum status docker_version(struct call *call, struct failure *failure)
{
	(void)failure;
	return buffer_append_text(call->reply, NAME " (sypht-credential) " SYPHT_VERSION "\n");
}

enum status docker_help(struct call *call, struct failure *failure)
{
	(void)failure;
	return buffer_append_text(call->reply, USAGE);
}

enum status docker_usage(struct call *call, struct failure *failure)
{
	call->exit_code = 1;
	return docker_help(call, failure);
}
