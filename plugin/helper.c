#include "helper.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/origin.h"
#include "core/settings.h"
#include "core/spawn.h"
#include "core/token.h"
#include "core/trace.h"
#include "sharedobject.h"

enum {
	PATH_MAX_BYTES = 4096,
	COMPLAINT_MAX_BYTES = 64 * 1024,
	GRACE_S = 2, /* added to the helper's own deadline, so that its reason arrives */
};

static const char COMPLAINS[] = "sypht-credential: ";

/* Where the helper is, relative to the directory of this library: in the tree, and installed. */
static const char *const places[] = {
	"sypht-credential",
	"../bin/sypht-credential",
	"../../bin/sypht-credential",
	"../../../bin/sypht-credential",
};

extern char **environ;

static char **environment;

/* LD_PRELOAD would load this library into the helper, LD_LIBRARY_PATH libraries of the host. */
static bool is_inherited(const char *variable)
{
	return strncmp(variable, "LD_", 3) != 0;
}

static void free_all(char **copy)
{
	for (size_t i = 0; copy && copy[i]; i++)
		buffer_free_text(copy[i]);
	free(copy);
}

/*
 * Copy the environment once: later, another thread may change it with setenv() while it is read.
 */
bool helper_prepare(void)
{
	size_t count = 0, kept = 0;
	char **copy;

	while (environ && environ[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		if (!is_inherited(environ[i]))
			continue;
		copy[kept] = buffer_duplicate(environ[i]);
		if (!copy[kept++]) {
			free_all(copy);
			return false;
		}
	}
	free_all(environment);
	environment = copy;
	return copy != NULL;
}

/* The directory of this library, with the slash. */
static enum status append_directory(struct buffer *path)
{
	struct sharedobject ours;
	const char *slash;
	char *absolute;
	enum status status = STATUS_SYSTEM;

	if (!sharedobject_ours(&ours))
		return status;
	absolute = *ours.name == '/' ? buffer_duplicate(ours.name) : realpath(ours.name, NULL);
	if (!absolute && errno == ENOMEM)
		return STATUS_NO_MEMORY;
	slash = absolute ? strrchr(absolute, '/') : NULL;
	if (slash)
		status = buffer_append(path, absolute, (size_t)(slash + 1 - absolute));
	free(absolute);
	return status;
}

/* A relative path would depend on the directory in which the host happens to be. */
static enum status find_helper(
	const struct settings *settings, struct buffer *path, struct failure *failure)
{
	enum status status;

	if (settings->credential) {
		if (*settings->credential != '/')
			return status_fail(failure, STATUS_USAGE,
				"SYPHT_CREDENTIAL: '%s' is not an absolute path",
				settings->credential);
		return buffer_append_text(path, settings->credential);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		buffer_clear(path);
		status = append_directory(path);
		if (!status)
			status = buffer_append_text(path, places[i]);
		if (status)
			return status_fail(failure, status,
				status == STATUS_NO_MEMORY ? "out of memory"
							   : "sypht-credential cannot be located");
		if (access(path->data, X_OK) == 0)
			return STATUS_OK;
	}
	return status_fail(failure, STATUS_SYSTEM,
		"sypht-credential is not where it was installed; install again, or set "
		"SYPHT_CREDENTIAL");
}

/* The first complaint is the reason. Other lines are the helper's trace: pass them on. */
static void read_complaints(
	const struct settings *settings, const char *text, struct failure *failure)
{
	struct trace trace;
	const char *line, *end;
	bool told = false;

	trace_open(&trace, "sypht-preload", settings);
	for (line = text; *line; line = *end ? end + 1 : end) {
		int length;

		end = line + strcspn(line, "\n");
		length = (int)(end - line);
		if (strncmp(line, COMPLAINS, sizeof(COMPLAINS) - 1) == 0) {
			if (!told)
				status_fail(failure, STATUS_OK, "%.*s",
					length - (int)sizeof(COMPLAINS) + 1,
					line + sizeof(COMPLAINS) - 1);
			told = true;
		} else if (trace.fd == STDERR_FILENO) {
			dprintf(trace.fd, "%.*s\n", length, line);
		}
	}
	trace_close(&trace);
}

/* Release what was read in any case: a helper that fails has still written its trace. */
static enum status run(const struct settings *settings, const char *verb, long min_valid_s,
	const struct buffer *question, struct buffer *answer, struct failure *failure)
{
	struct buffer path = BUFFER_INIT(PATH_MAX_BYTES);
	struct buffer complaints = BUFFER_INIT(COMPLAINT_MAX_BYTES);
	char name[] = "sypht-credential", argument[12], min_valid[40];
	char *argv[] = {name, argument, min_valid_s ? min_valid : NULL, NULL};
	struct spawn spawn = {
		.argv = argv,
		.envp = environment,
		.input = question->data,
		.input_length = question->length,
		.output = answer,
		.errors = &complaints,
		.timeout_ms = (settings_timeout_s(settings) + GRACE_S) * 1000,
	};
	int exit_code = 0;
	enum status status;

	snprintf(argument, sizeof(argument), "%s", verb);
	snprintf(min_valid, sizeof(min_valid), "--min-valid=%ld", min_valid_s);
	status = find_helper(settings, &path, failure);
	if (!status) {
		spawn.path = path.data;
		status = spawn_run(&spawn, &exit_code, failure);
	}
	if (!status && exit_code)
		status = status_fail(failure, STATUS_REFUSED, "%s ended with exit code %d",
			path.data, exit_code);
	read_complaints(settings, buffer_text(&complaints), status ? failure : NULL);
	buffer_release(&complaints);
	buffer_release(&path);
	return status;
}

/* Name the port always: an origin is a scheme, a host and a port. */
static enum status ask(struct buffer *question, const struct origin *origin, const char *credential)
{
	char host[ORIGIN_HOST_MAX + sizeof(":65535")];
	enum status status;

	snprintf(host, sizeof(host), "%s:%u", origin->host, origin->port);
	status = attributes_add(question, "capability[]", "authtype");
	if (!status)
		status = attributes_add(question, "protocol", origin->secure ? "https" : "http");
	if (!status)
		status = attributes_add(question, "host", host);
	if (!status && credential)
		status = attributes_add(question, "authtype", "Bearer");
	if (!status && credential)
		status = attributes_add(question, "credential", credential);
	if (!status)
		status = buffer_append_text(question, "\n");
	return status;
}

/* Without an expiry, or with one that has passed, use the token for this request only. */
static enum status read_answer(
	const struct attributes *answer, time_t now, struct token *token, struct failure *failure)
{
	const char *value = attributes_get(answer, "credential");
	const char *expiry = attributes_get(answer, "password_expiry_utc");
	char *end = NULL;

	if (!value)
		return status_fail(failure, STATUS_REFUSED, "sypht-credential has no token for it");
	if (!token_is_b64token(value))
		return status_fail(
			failure, STATUS_MALFORMED, "sypht-credential printed no valid token");
	*token = (struct token){.obtained = now, .value = buffer_duplicate(value)};
	if (!token->value)
		return STATUS_NO_MEMORY;
	token->expires = expiry ? (time_t)strtoll(expiry, &end, 10) : 0;
	if (!end || *end || token->expires < now)
		token->expires = now;
	return STATUS_OK;
}

enum status helper_get(const struct settings *settings, const struct origin *origin, time_t now,
	long min_valid_s, struct token *token, struct failure *failure)
{
	struct buffer question = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct buffer answer = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes attributes = ATTRIBUTES_INIT;
	enum status status;

	*token = (struct token)TOKEN_INIT;
	status = ask(&question, origin, NULL);
	if (!status)
		status = run(settings, "get", min_valid_s, &question, &answer, failure);
	if (!status)
		status =
			attributes_parse(&attributes, buffer_text(&answer), answer.length, failure);
	if (!status)
		status = read_answer(&attributes, now, token, failure);
	attributes_release(&attributes);
	buffer_release(&answer);
	buffer_release(&question);
	return status;
}

/* Tell the helper about a token. If that fails, the next request shows it. */
static void tell(const struct settings *settings, const char *verb, const struct origin *origin,
	const char *value)
{
	struct buffer question = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct buffer answer = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct failure failure;

	if (!ask(&question, origin, value) && run(settings, verb, 0, &question, &answer, &failure))
		buffer_clear(&answer);
	buffer_release(&answer);
	buffer_release(&question);
}

void helper_erase(const struct settings *settings, const struct origin *origin, const char *value)
{
	tell(settings, "erase", origin, value);
}

void helper_approve(const struct settings *settings, const struct origin *origin, const char *value)
{
	tell(settings, "store", origin, value);
}
