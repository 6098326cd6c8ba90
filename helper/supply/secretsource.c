#include "supply/secretsource.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/profile.h"
#include "core/secretfile.h"
#include "core/settings.h"
#include "core/source.h"
#include "supply/credentialfile.h"
#include "supply/external.h"
#include "supply/secret.h"

enum { SECRET_MAX_BYTES = 16 * 1024, CERTIFICATE_MAX_BYTES = 64 * 1024 };

/* What a source needs to know to find the secret. */
struct question {
	const struct settings *settings;
	const struct profile *profile;
	const char *text; /* the variable's value, the path, the command */
	long timeout_ms;
};

typedef enum status source_asker(
	const struct question *question, struct secret *secret, struct failure *failure);

/* ---- client id and secret from the text of a source ---- */

/* "id:secret", with the colon at text[id_length]. The secret may hold more colons. */
static enum status set_from_pair(
	struct secret *secret, const char *text, size_t id_length, struct failure *failure)
{
	char *id = strndup(text, id_length);
	enum status status = id ? secret_set(secret, id, text + id_length + 1, failure)
				: status_no_memory(failure);

	free(id);
	return status;
}

/* A control character is a mistake, such as a second line in the file. No endpoint takes one. */
static bool has_control(const char *text)
{
	while (*text != '\0' && (unsigned char)*text >= 0x20 && *text != 0x7f)
		text++;
	return *text != '\0';
}

/*
 * If the client id is configured, text is the secret, and a colon is part of it. Otherwise text is
 * "id:secret". source is the name for reasons.
 */
static enum status set_from_text(const struct question *question, const char *text,
	const char *source, struct secret *secret, struct failure *failure)
{
	const char *known_id = question->profile->client_id;
	size_t id_length = strcspn(text, ":");

	if (has_control(text))
		return status_fail(failure, STATUS_NO_SECRET,
			"%s: holds more than one line, or a control character", source);
	if (known_id && *text != '\0')
		return secret_set(secret, known_id, text, failure);
	if (*text == '\0')
		return status_fail(failure, STATUS_NO_SECRET, "%s: the secret is empty", source);
	if (id_length == 0 || text[id_length] == '\0' || text[id_length + 1] == '\0')
		return status_fail(failure, STATUS_NO_SECRET,
			"%s: expected client_id:client_secret, as no client_id is configured",
			source);
	return set_from_pair(secret, text, id_length, failure);
}

/* Drop one line end, as editors and echo add it. A NUL byte would cut the text. */
static enum status trim_line_end(struct buffer *bytes, const char *source, struct failure *failure)
{
	size_t length = bytes->length;

	if (length > 0 && memchr(bytes->data, '\0', length))
		return status_fail(failure, STATUS_NO_SECRET, "%s: holds a NUL byte", source);
	if (length > 0 && bytes->data[length - 1] == '\n')
		bytes->data[--length] = '\0';
	if (length > 0 && bytes->data[length - 1] == '\r')
		bytes->data[--length] = '\0';
	return STATUS_OK;
}

static enum status set_from_bytes(const struct question *question, struct buffer *bytes,
	const char *source, struct secret *secret, struct failure *failure)
{
	enum status status = trim_line_end(bytes, source, failure);

	return status ? status
		      : set_from_text(question, buffer_text(bytes), source, secret, failure);
}

/* ---- the environment ---- */

static enum status ask_variable(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	if (!question->profile->client_id)
		return status_fail(failure, STATUS_NO_SECRET,
			"SYPHT_CLIENT_SECRET is set, but there is no client id; set "
			"SYPHT_CLIENT_ID");
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
	if (has_control(question->text))
		return status_fail(failure, STATUS_NO_SECRET,
			"SYPHT_API_KEY: holds more than one line, or a control character");
	return set_from_pair(secret, question->text, id_length, failure);
}

/* The client id of a client that has no secret. */
static enum status set_client_id(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	secret->client_id = buffer_duplicate(question->profile->client_id);
	return secret->client_id ? STATUS_OK : status_no_memory(failure);
}

/* ---- a file, a program ---- */

static enum status ask_file(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(SECRET_MAX_BYTES);
	enum status status = secretfile_read(
		question->settings, question->text, "client secret", &content, failure);

	if (!status)
		status = set_from_bytes(question, &content, question->text, secret, failure);
	buffer_release(&content);
	return status;
}

static enum status ask_command(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer output = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	enum status status = external_run(question->profile, "client_secret_command",
		question->text, NULL, &output, question->timeout_ms, failure);

	if (!status)
		status =
			set_from_bytes(question, &output, "client_secret_command", secret, failure);
	buffer_release(&output);
	return status;
}

static enum status ask_helper(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	return external_get(question->profile, question->timeout_ms, secret, failure);
}

/* ---- a private key ---- */

/* Text of what a file holds: as it is, or "hex:" and its digits where it is binary (PKCS#12). */
static enum status copy_key(const struct buffer *content, char **out, struct failure *failure)
{
	struct buffer text = BUFFER_INIT(sizeof("hex:") + (size_t)2 * SECRET_MAX_BYTES);
	bool binary = content->length > 0 && memchr(content->data, '\0', content->length);
	enum status status = buffer_append_text(&text, binary ? "hex:" : buffer_text(content));

	for (size_t i = 0; binary && i < content->length && !status; i++)
		status = buffer_printf(&text, "%02x", (unsigned char)content->data[i]);
	*out = status ? NULL : buffer_duplicate(buffer_text(&text));
	buffer_release(&text);
	return *out ? STATUS_OK : status_no_memory(failure);
}

static enum status read_key(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(SECRET_MAX_BYTES);
	enum status status;

	if (authmethod_key_is_uri(question->text))
		status = buffer_append_text(&content, question->text);
	else
		status = secretfile_read(
			question->settings, question->text, "private key", &content, failure);
	if (!status)
		status = copy_key(&content, &secret->private_key, failure);
	buffer_release(&content);
	return status;
}

static enum status read_key_password(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	const char *path = question->profile->private_key_password_file;
	struct buffer content = BUFFER_INIT(SECRET_MAX_BYTES);
	enum status status = STATUS_OK;

	if (!path)
		return STATUS_OK;
	status = secretfile_read(
		question->settings, path, "private key password", &content, failure);
	if (!status)
		status = trim_line_end(&content, path, failure);
	if (!status && has_control(buffer_text(&content)))
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: holds more than one line, or a control character", path);
	if (!status && !(secret->key_password = buffer_duplicate(buffer_text(&content))))
		status = status_no_memory(failure);
	buffer_release(&content);
	return status;
}

static enum status read_certificate(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	const char *path = profile_certificate(question->profile);
	const char *name = authmethod_is_tls(question->profile->auth_method)
				   ? "client_certificate_file"
				   : "private_key_certificate";
	struct buffer content = BUFFER_INIT(CERTIFICATE_MAX_BYTES);
	char *expanded;
	enum status status;

	if (!path)
		return STATUS_OK;
	expanded = secretfile_path(question->settings, path);
	status = secretfile_read_public(question->settings, path, "certificate", &content, NULL);
	if (status)
		status_fail(failure, status, "%s: %s cannot be read; is it a file, and readable?",
			name, expanded ? expanded : path);
	else if (memchr(buffer_text(&content), '\0', content.length))
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: %s is not a certificate in PEM", name, expanded ? expanded : path);
	if (!status && !(secret->certificate = buffer_duplicate(buffer_text(&content))))
		status = status_no_memory(failure);
	buffer_free_text(expanded);
	buffer_release(&content);
	return status;
}

/* The private key stands in for a secret. It is never sent. */
static enum status ask_key_file(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	enum status status = set_client_id(question, secret, failure);

	if (!status)
		status = read_key(question, secret, failure);
	if (!status)
		status = read_key_password(question, secret, failure);
	return status ? status : read_certificate(question, secret, failure);
}

/* ---- an assertion of somebody else ---- */

/* sypht-mint, which can read JSON, judges what the assertion says. */
static enum status set_assertion(const struct question *question, struct buffer *bytes,
	const char *source, struct secret *secret, struct failure *failure)
{
	enum status status = trim_line_end(bytes, source, failure);

	if (!status && bytes->length == 0)
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: is empty; expected a client assertion", source);
	if (!status && has_control(bytes->data))
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: holds more than one line; expected a client assertion", source);
	if (!status)
		status = set_client_id(question, secret, failure);
	if (!status && !(secret->assertion = buffer_duplicate(bytes->data)))
		status = status_no_memory(failure);
	return status;
}

static enum status ask_assertion_file(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(SECRET_MAX_BYTES);
	enum status status = secretfile_read(
		question->settings, question->text, "client assertion", &content, failure);

	if (!status)
		status = set_assertion(question, &content, question->text, secret, failure);
	buffer_release(&content);
	return status;
}

static enum status ask_assertion_command(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	struct buffer output = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	enum status status = external_run(question->profile, "client_assertion_command",
		question->text, NULL, &output, question->timeout_ms, failure);

	if (!status)
		status = set_assertion(
			question, &output, "client_assertion_command", secret, failure);
	buffer_release(&output);
	return status;
}

/* ---- what login stored ---- */

static enum status ask_login(
	const struct question *question, struct secret *secret, struct failure *failure)
{
	const struct profile *profile = question->profile;
	enum status status = credentialfile_get(question->settings, profile, secret, failure);

	if (status)
		return status;
	if (secret->client_secret && profile->client_id &&
		strcmp(secret->client_id, profile->client_id) != 0)
		return status_fail(failure, STATUS_NO_SECRET,
			"profile '%s' is for client %.40s, the stored credentials are for %.40s",
			profile->name, profile->client_id, secret->client_id);
	if (secret->client_secret)
		return STATUS_OK;
	if (strcmp(profile->name, PROFILE_BUILT_IN) == 0)
		return status_fail(failure, STATUS_NO_SECRET,
			"no client credentials for profile 'sypht': set "
			"SYPHT_API_KEY=client_id:client_secret, or run: sypht-credential login");
	return status_fail(failure, STATUS_NO_SECRET,
		"no client credentials for profile '%s': set client_secret_file, or run: "
		"sypht-credential login --profile %s",
		profile->name, profile->name);
}

/* ---- the source that counts ---- */

/* By source_choose(). */
static source_asker *const ASKERS[] = {
	[SOURCE_KEY_FILE] = ask_key_file,
	[SOURCE_ASSERTION_FILE] = ask_assertion_file,
	[SOURCE_ASSERTION_COMMAND] = ask_assertion_command,
	[SOURCE_VARIABLE] = ask_variable,
	[SOURCE_VARIABLE_FILE] = ask_file,
	[SOURCE_API_KEY] = ask_api_key,
	[SOURCE_FILE] = ask_file,
	[SOURCE_COMMAND] = ask_command,
	[SOURCE_HELPER] = ask_helper,
	[SOURCE_LOGIN] = ask_login,
};

enum status secretsource_ask(const struct settings *settings, const struct profile *profile,
	long timeout_ms, struct secret *secret, struct failure *failure)
{
	struct source source = source_choose(settings, profile);
	struct question question = {
		.settings = settings,
		.profile = profile,
		.text = source.text,
		.timeout_ms = timeout_ms,
	};
	enum status status;

	*secret = (struct secret)SECRET_INIT;
	status = ASKERS[source.kind](&question, secret, failure);
	if (status)
		secret_release(secret);
	return status;
}
