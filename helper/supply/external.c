#include "supply/external.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/attributes.h"
#include "core/profile.h"
#include "core/spawn.h"
#include "process.h"
#include "supply/secret.h"

enum status external_run(const struct profile *profile, const char *key, const char *command,
	const struct buffer *input, struct buffer *output, long timeout_ms, struct failure *failure)
{
	char shell[] = "sh";
	char option[] = "-c";
	char *script = buffer_duplicate(command);
	char *argv[] = {shell, option, script, NULL};
	/* the command may read its own secrets from there, but must not see ours */
	char **environment = process_clean_environment();
	struct spawn spawn = {
		.path = "/bin/sh",
		.argv = argv,
		.envp = environment,
		.input = input ? input->data : NULL,
		.input_length = input ? input->length : 0,
		.output = output,
		.asks = true, /* a password manager may want to be unlocked */
		.timeout_ms = timeout_ms,
	};
	int exit_code = 0;
	enum status status = STATUS_NO_MEMORY;

	if (environment && script)
		status = spawn_run(&spawn, &exit_code, failure);
	else
		status_no_memory(failure);
	free(environment);
	free(script);
	/* name the profile, not the command: it may hold a password */
	if (status == STATUS_TOO_LONG)
		return status_fail(failure, STATUS_NO_SECRET,
			"%s of profile '%s' printed too much; run it by hand", key, profile->name);
	if (status == STATUS_TIMEOUT)
		return status_fail(failure, status,
			"%s of profile '%s' did not end in time; run it by hand, or raise "
			"SYPHT_TIMEOUT",
			key, profile->name);
	/* its stderr is ours, so the user has seen its own reason already */
	if (!status && exit_code != 0)
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s of profile '%s' ended with exit status %d; run it by hand", key,
			profile->name, exit_code);
	return status;
}

/* The lines that git writes to a credential helper, gitcredentials(7). */
static enum status describe_endpoint(const struct profile *profile, const char *username,
	const char *password, struct buffer *out)
{
	const char *url = profile_endpoint(profile);
	const char *host = strstr(url, "://") + 3;

	if (buffer_printf(out, "protocol=%.*s\nhost=%.*s\n", (int)(host - 3 - url), url,
		    (int)strcspn(host, "/?#"), host))
		return STATUS_NO_MEMORY;
	if (attributes_add(out, "username", username) || attributes_add(out, "password", password))
		return STATUS_MALFORMED;
	return buffer_append_text(out, "\n");
}

/* As git reads credential.helper: "!snippet" and "/path" are commands, all else is a suffix. */
/* The name comes from the config, which only its owner or root can write: no quoting. */
static char *helper_command(const char *helper, const char *operation)
{
	char *command = NULL;
	const char *start = helper[0] == '!' || helper[0] == '/' ? "" : "git credential-";
	int length = asprintf(&command, "%s%s %s", start, helper + (helper[0] == '!'), operation);

	return length < 0 ? NULL : command;
}

static enum status ask_helper(const struct profile *profile, const char *operation,
	const char *username, const char *password, struct buffer *output, long timeout_ms,
	struct failure *failure)
{
	struct buffer input = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	char *command = helper_command(profile->client_secret_helper, operation);
	enum status status = command ? STATUS_OK : STATUS_NO_MEMORY;

	if (!status)
		status = describe_endpoint(profile, username, password, &input);
	if (status)
		status_fail(failure, status,
			"client_secret_helper of profile '%s' cannot be asked: %s", profile->name,
			command ? "the credentials hold a line break, or are too long"
				: "out of memory");
	else
		status = external_run(profile, "client_secret_helper", command, &input, output,
			timeout_ms, failure);
	buffer_release(&input);
	free(command);
	return status;
}

static enum status read_answer(const struct profile *profile, const struct attributes *answer,
	struct secret *secret, struct failure *failure)
{
	const char *password = attributes_get(answer, "password");
	const char *id = profile->client_id;

	/* the helper was asked for this client id; some answer with another user all the same */
	if (!id)
		id = attributes_get(answer, "username");
	if (!id || !password || *password == '\0')
		return status_fail(failure, STATUS_NO_SECRET,
			"client_secret_helper of profile '%s' has no client credentials for %s",
			profile->name, profile_endpoint(profile));
	return secret_set(secret, id, password, failure);
}

enum status external_get(const struct profile *profile, long timeout_ms, struct secret *secret,
	struct failure *failure)
{
	struct buffer output = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	enum status status =
		ask_helper(profile, "get", profile->client_id, NULL, &output, timeout_ms, failure);

	if (!status)
		status = attributes_parse(&answer, output.data, output.length, NULL);
	if (status == STATUS_MALFORMED)
		status = status_fail(failure, STATUS_NO_SECRET,
			"client_secret_helper of profile '%s' printed something else than "
			"key=value lines",
			profile->name);
	if (!status)
		status = read_answer(profile, &answer, secret, failure);
	attributes_release(&answer);
	buffer_release(&output);
	return status;
}

enum status external_store(const struct profile *profile, const struct secret *secret,
	long timeout_ms, struct failure *failure)
{
	return ask_helper(profile, "store", secret->client_id, secret->client_secret, NULL,
		timeout_ms, failure);
}

/* A field that is left out matches any, as gitcredentials(7) says of erase. */
enum status external_erase(const struct profile *profile, const char *username,
	const char *password, long timeout_ms, struct failure *failure)
{
	return ask_helper(profile, "erase", username, password, NULL, timeout_ms, failure);
}
