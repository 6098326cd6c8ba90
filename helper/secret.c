#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attributes.h"
#include "origin.h"
#include "process.h"
#include "profile.h"
#include "settings.h"
#include "spawn.h"
#include "vault.h"

enum { SECRET_MAX_BYTES = 16 * 1024 };

/* Who is asked for the secret, and what a source needs to answer. */
struct question {
	const struct settings *settings;
	const struct profile *profile;
	const char *text; /* the variable's value, the path, the command */
	long timeout_ms;
};

typedef enum status source_asker(
	const struct question *question, struct secret *secret, struct failure *failure);

/* ---- what a source said, taken apart ---- */

void secret_release(struct secret *secret)
{
	buffer_free_text(secret->client_id);
	buffer_free_text(secret->client_secret);
	*secret = (struct secret)SECRET_INIT;
}

static enum status set(struct secret *secret, const char *id, size_t id_length, const char *value,
	struct failure *failure)
{
	secret->client_id = strndup(id, id_length);
	secret->client_secret = buffer_duplicate(value);
	if (secret->client_id && secret->client_secret)
		return STATUS_OK;
	return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
}

/* Text is the secret where the client id is known, else "id:secret". source names it in reasons. */
static enum status set_from_text(const struct question *question, const char *text,
	const char *source, struct secret *secret, struct failure *failure)
{
	const char *known_id = question->profile->client_id;
	size_t id_length = strcspn(text, ":");

	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return status_fail(failure, STATUS_NO_SECRET,
				"%s: holds more than one line, or a control character", source);
	}
	if (known_id && *text != '\0')
		return set(secret, known_id, strlen(known_id), text, failure);
	if (*text == '\0')
		return status_fail(failure, STATUS_NO_SECRET, "%s: is empty", source);
	if (id_length == 0 || text[id_length] == '\0' || text[id_length + 1] == '\0')
		return status_fail(failure, STATUS_NO_SECRET,
			"%s: expected client_id:client_secret, as no client_id is configured",
			source);
	return set(secret, text, id_length, text + id_length + 1, failure);
}

/* Bytes that end in one line end, as editors and echo leave them. */
static enum status set_from_bytes(const struct question *question, struct buffer *bytes,
	const char *source, struct secret *secret, struct failure *failure)
{
	size_t length = bytes->length;

	if (length > 0 && memchr(bytes->data, '\0', length))
		return status_fail(failure, STATUS_NO_SECRET, "%s: holds a NUL byte", source);
	if (length > 0 && bytes->data[length - 1] == '\n')
		bytes->data[--length] = '\0';
	if (length > 0 && bytes->data[length - 1] == '\r')
		bytes->data[--length] = '\0';
	return set_from_text(question, buffer_text(bytes), source, secret, failure);
}

/* ---- the environment ---- */

static enum status ask_variable(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	if (!question->profile->client_id)
		return status_fail(failure, STATUS_NO_SECRET,
			"SYPHT_CLIENT_SECRET is set, but neither SYPHT_CLIENT_ID nor client_id is");
	return set_from_text(question, question->text, "SYPHT_CLIENT_SECRET", secret, failure);
}

static enum status ask_api_key(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	size_t id_length = strcspn(question->text, ":");

	if (id_length == 0 || question->text[id_length] == '\0' ||
		question->text[id_length + 1] == '\0')
		return status_fail(failure, STATUS_NO_SECRET,
			"SYPHT_API_KEY: expected client_id:client_secret, with a colon between");
	return set(secret, question->text, id_length, question->text + id_length + 1, failure);
}

/* ---- a file ---- */

/*
 * "~/x" is of the home directory. A name without "/" may be a credential that systemd hands to its
 * unit (systemd.exec(5), LoadCredential=). For free(); NULL where memory is short.
 */
static char *expand_path(const struct settings *settings, const char *path, bool *from_systemd)
{
	char *expanded = NULL;

	*from_systemd = false;
	if (strncmp(path, "~/", 2) == 0 && settings->home)
		return asprintf(&expanded, "%s%s", settings->home, path + 1) < 0 ? NULL : expanded;
	if (!strchr(path, '/') && settings->credentials_dir) {
		if (asprintf(&expanded, "%s/%s", settings->credentials_dir, path) < 0)
			return NULL;
		*from_systemd = access(expanded, F_OK) == 0;
		if (*from_systemd)
			return expanded;
		free(expanded);
	}
	return buffer_duplicate(path);
}

/* Ours and private, or root's and readable by a group of ours at most, as systemd mounts them. */
static enum status check_file(int fd, const char *path, bool from_systemd, struct failure *failure)
{
	struct stat found;
	mode_t forbidden = S_IRWXG | S_IRWXO;

	if (fstat(fd, &found) != 0)
		return status_fail(failure, STATUS_SYSTEM, "%s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return status_fail(failure, STATUS_NO_SECRET, "%s: not a regular file", path);
	if (found.st_uid != geteuid() && found.st_uid != 0)
		return status_fail(failure, STATUS_UNSAFE, "%s: belongs to another user", path);
	if (from_systemd || found.st_uid != geteuid())
		forbidden = S_IWGRP | S_IRWXO;
	if (found.st_mode & forbidden)
		return status_fail(failure, STATUS_UNSAFE,
			"%s: others can read this secret; run: chmod 600 '%s'", path, path);
	return STATUS_OK;
}

static enum status ask_file(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(SECRET_MAX_BYTES);
	bool from_systemd;
	char *path = expand_path(question->settings, question->text, &from_systemd);
	enum status status;
	int fd;

	if (!path)
		return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0) {
		status = status_fail(failure, STATUS_NO_SECRET, "client secret file %s: %s", path,
			strerror(errno));
		goto done;
	}
	status = check_file(fd, path, from_systemd, failure);
	if (status)
		goto done;
	if (buffer_read(&content, fd)) {
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: too long for a secret, or unreadable", path);
		goto done;
	}
	status = set_from_bytes(question, &content, path, secret, failure);
done:
	if (fd >= 0)
		close(fd);
	buffer_release(&content);
	free(path);
	return status;
}

/* ---- a program ---- */

/* Run command by the shell; its stdin is input, its stderr stays the user's. */
static enum status run_shell(const struct question *question, char *command,
	const struct buffer *input, struct buffer *output, struct failure *failure)
{
	char shell[] = "sh";
	char option[] = "-c";
	char *argv[] = {shell, option, command, NULL};
	char **environment = process_clean_environment();
	struct spawn spawn = {
		.path = "/bin/sh",
		.argv = argv,
		.envp = environment,
		.input = input ? input->data : NULL,
		.input_length = input ? input->length : 0,
		.output = output,
		.timeout_ms = question->timeout_ms,
	};
	int exit_code = 0;
	enum status status;

	if (!environment)
		return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	status = spawn_run(&spawn, &exit_code, failure);
	free(environment);
	if (status == STATUS_TIMEOUT)
		return status_fail(failure, status,
			"the command for the client secret of profile "
			"'%s' did not end in time",
			question->profile->name);
	if (!status && exit_code != 0)
		status = status_fail(failure, STATUS_NO_SECRET,
			"the command for the client secret of profile '%s' ended with status %d",
			question->profile->name, exit_code);
	return status;
}

static enum status ask_command(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer output = BUFFER_INIT(SECRET_MAX_BYTES);
	char *command = buffer_duplicate(question->text);
	enum status status;

	if (!command)
		return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	status = run_shell(question, command, NULL, &output, failure);
	if (!status)
		status =
			set_from_bytes(question, &output, "client_secret_command", secret, failure);
	buffer_release(&output);
	free(command);
	return status;
}

/* The description that git gives its helpers, for the host of the token endpoint. */
static enum status describe_endpoint(const struct profile *profile, struct buffer *out)
{
	const char *url = profile->token_url ? profile->token_url : profile->issuer;
	const char *host = strstr(url, "://") + 3;

	if (buffer_printf(out, "protocol=%.*s\nhost=%.*s\n", (int)(host - 3 - url), url,
		    (int)strcspn(host, "/?#"), host))
		return STATUS_NO_MEMORY;
	if (attributes_add(out, "username", profile->client_id))
		return STATUS_NO_MEMORY;
	return buffer_append_text(out, "\n");
}

/* "!snippet", an absolute path, or NAME for "git credential-NAME": git's credential.helper. */
static char *helper_command(const char *helper)
{
	char *command = NULL;
	const char *start = helper[0] == '!' || helper[0] == '/' ? "" : "git credential-";

	return asprintf(&command, "%s%s get", start, helper + (helper[0] == '!')) < 0 ? NULL
										      : command;
}

static enum status ask_helper(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(SECRET_MAX_BYTES);
	struct buffer output = BUFFER_INIT(SECRET_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	char *command = helper_command(question->text);
	const char *id = question->profile->client_id;
	const char *value;
	enum status status = STATUS_NO_MEMORY;

	if (!command || describe_endpoint(question->profile, &input)) {
		status_fail(failure, status, "out of memory");
		goto done;
	}
	status = run_shell(question, command, &input, &output, failure);
	if (!status)
		status = attributes_parse(&answer, output.data, output.length, failure);
	if (status)
		goto done;

	value = attributes_get(&answer, "password");
	id = id ? id : attributes_get(&answer, "username");
	if (id && value && *value != '\0')
		status = set(secret, id, strlen(id), value, failure);
	else
		status = status_fail(failure, STATUS_NO_SECRET,
			"credential helper '%s' knows no client credentials for %s", question->text,
			question->profile->token_url);
done:
	attributes_release(&answer);
	buffer_release(&output);
	buffer_release(&input);
	free(command);
	return status;
}

/* ---- what login stored ---- */

static enum status ask_vault(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	const struct profile *profile = question->profile;
	enum status status = vault_get(question->settings, profile, secret, failure);

	if (status || secret->client_secret)
		return status;
	return status_fail(failure, STATUS_NO_SECRET, "no client credentials for profile '%s': %s",
		profile->name,
		strcmp(profile->name, "sypht") == 0
			? "set SYPHT_API_KEY=client_id:client_secret, or run: sypht-credential "
			  "login"
			: "give it client_secret_file, or run: sypht-credential login --profile");
}

/* ---- which of them ---- */

struct source {
	const char *name;
	const char *text;
	source_asker *ask;
};

static struct source choose(const struct settings *settings, const struct profile *profile)
{
	bool ours = strcmp(profile->name, "sypht") == 0;
	const char *file =
		settings->client_id || !settings->api_key ? settings->client_secret_file : NULL;
	const struct source sources[] = {
		{"SYPHT_CLIENT_SECRET", ours ? settings->client_secret : NULL, ask_variable},
		{"SYPHT_CLIENT_SECRET_FILE", ours ? file : NULL, ask_file},
		{"SYPHT_API_KEY", ours ? settings->api_key : NULL, ask_api_key},
		{"client_secret_file", profile->client_secret_file, ask_file},
		{"client_secret_command", profile->client_secret_command, ask_command},
		{"client_secret_helper", profile->client_secret_helper, ask_helper},
		{"login", "", ask_vault},
	};
	size_t i = 0;

	while (!sources[i].text)
		i++;
	return sources[i];
}

enum status secret_find(const struct settings *settings, const struct profile *profile,
	long timeout_ms, struct secret *secret, struct failure *failure)
{
	struct source source = choose(settings, profile);
	struct question question = {
		.settings = settings,
		.profile = profile,
		.text = source.text,
		.timeout_ms = timeout_ms,
	};
	enum status status;

	*secret = (struct secret)SECRET_INIT;
	if (profile->auth_method == PROFILE_AUTH_PRIVATE_KEY_JWT) {
		secret->client_id = buffer_duplicate(profile->client_id);
		if (secret->client_id)
			return STATUS_OK;
		return status_fail(failure, STATUS_CONFIG,
			"profile '%s': private_key_jwt needs client_id", profile->name);
	}
	status = source.ask(&question, secret, failure);
	if (status)
		secret_release(secret);
	return status;
}

const char *secret_source(const struct settings *settings, const struct profile *profile)
{
	if (profile->auth_method == PROFILE_AUTH_PRIVATE_KEY_JWT)
		return "private_key_file";
	return choose(settings, profile).name;
}

static void take_newer(struct timespec *newest, const struct timespec *other)
{
	if (newest->tv_sec < other->tv_sec ||
		(newest->tv_sec == other->tv_sec && newest->tv_nsec < other->tv_nsec))
		*newest = *other;
}

struct timespec secret_changed(const struct settings *settings, const struct profile *profile)
{
	struct source source = choose(settings, profile);
	struct timespec newest = {0};
	struct timespec stored;
	struct stat found;
	bool from_systemd;
	char *config = settings_config_path(settings);
	char *file =
		source.ask == ask_file ? expand_path(settings, source.text, &from_systemd) : NULL;

	if (config && stat(config, &found) == 0)
		take_newer(&newest, &found.st_mtim);
	if (file && stat(file, &found) == 0)
		take_newer(&newest, &found.st_mtim);
	if (source.ask == ask_vault && vault_changed(settings, profile, &stored))
		take_newer(&newest, &stored);
	free(config);
	free(file);
	return newest;
}
