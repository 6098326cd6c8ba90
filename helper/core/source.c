#include "core/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buffer.h"
#include "core/profile.h"
#include "core/secretfile.h"
#include "core/settings.h"

struct source source_choose(const struct settings *settings, const struct profile *profile)
{
	/* the variables are for one client: that of profile sypht */
	bool ours = strcmp(profile->name, PROFILE_BUILT_IN) == 0;
	/* SYPHT_CLIENT_SECRET_FILE without an id gives way to SYPHT_API_KEY, which has both */
	const char *file =
		settings->client_id || !settings->api_key ? settings->client_secret_file : NULL;
	bool by_tls = authmethod_is_tls(profile->auth_method);
	bool by_key = by_tls || profile->auth_method == AUTHMETHOD_PRIVATE_KEY_JWT;
	bool by_assertion = profile->auth_method == AUTHMETHOD_CLIENT_ASSERTION;
	const struct source sources[] = {
		{SOURCE_KEY_FILE, "private_key_file", by_key ? profile->private_key_file : NULL},
		{SOURCE_KEY_FILE, "client_certificate_file",
			by_tls ? profile->client_certificate_file : NULL},
		{SOURCE_ASSERTION_FILE, "client_assertion_file",
			by_assertion ? profile->client_assertion_file : NULL},
		{SOURCE_ASSERTION_COMMAND, "client_assertion_command",
			by_assertion ? profile->client_assertion_command : NULL},
		{SOURCE_VARIABLE, "SYPHT_CLIENT_SECRET", ours ? settings->client_secret : NULL},
		{SOURCE_VARIABLE_FILE, "SYPHT_CLIENT_SECRET_FILE", ours ? file : NULL},
		{SOURCE_API_KEY, "SYPHT_API_KEY", ours ? settings->api_key : NULL},
		{SOURCE_FILE, "client_secret_file", profile->client_secret_file},
		{SOURCE_COMMAND, "client_secret_command", profile->client_secret_command},
		{SOURCE_HELPER, "client_secret_helper", profile->client_secret_helper},
		{SOURCE_LOGIN, "login", ""},
	};
	size_t i = 0;

	while (!sources[i].text)
		i++;
	return sources[i];
}

/* Include the status change time (ctime): unlike the modification time, no tool can set it. */
static void mark_file(const char *path, char out[SOURCE_MARK_BYTES])
{
	struct stat found;

	if (!path || stat(path, &found) != 0)
		snprintf(out, SOURCE_MARK_BYTES, "-");
	else
		snprintf(out, SOURCE_MARK_BYTES, "%llx.%llx.%llx.%llx.%llx.%llx",
			(unsigned long long)found.st_mtim.tv_sec,
			(unsigned long long)found.st_mtim.tv_nsec,
			(unsigned long long)found.st_ctim.tv_sec,
			(unsigned long long)found.st_ctim.tv_nsec,
			(unsigned long long)found.st_size, (unsigned long long)found.st_ino);
}

/* What login stored is a file too. Free it with buffer_free_text(). NULL: the source is no file. */
static char *find_path(const struct settings *settings, const struct profile *profile)
{
	struct source source = source_choose(settings, profile);
	char *directory;
	char *path = NULL;

	switch (source.kind) {
	case SOURCE_KEY_FILE:
	case SOURCE_ASSERTION_FILE:
	case SOURCE_VARIABLE_FILE:
	case SOURCE_FILE:
		return secretfile_path(settings, source.text);
	case SOURCE_LOGIN:
		directory = settings_credentials_path(settings);
		if (directory && asprintf(&path, "%s/%s", directory, profile->name) < 0)
			path = NULL;
		buffer_free_text(directory);
		return path;
	default:
		return NULL;
	}
}

static void mark_config(const struct settings *settings, char out[SOURCE_MARK_BYTES])
{
	char *path = settings_config_path(settings);

	mark_file(path, out);
	buffer_free_text(path);
}

static void mark_secret(
	const struct settings *settings, const struct profile *profile, char out[SOURCE_MARK_BYTES])
{
	char *path = find_path(settings, profile);

	mark_file(path, out);
	buffer_free_text(path);
}

static void mark_certificate(
	const struct settings *settings, const struct profile *profile, char out[SOURCE_MARK_BYTES])
{
	const char *certificate = profile_certificate(profile);
	char *path = certificate ? secretfile_path(settings, certificate) : NULL;

	mark_file(path, out);
	buffer_free_text(path);
}

void source_mark_client(
	const struct settings *settings, const struct profile *profile, char out[SOURCE_MARK_BYTES])
{
	enum source_kind kind;

	out[0] = '\0';
	if (profile->client_id)
		return;
	/* a program's answer has no file of its own; the config names the program */
	kind = source_choose(settings, profile).kind;
	if (kind == SOURCE_COMMAND || kind == SOURCE_HELPER)
		mark_config(settings, out);
	else
		mark_secret(settings, profile, out);
}

void source_mark_all(const struct settings *settings, const struct profile *profile,
	char out[SOURCE_MARKS_BYTES])
{
	char config[SOURCE_MARK_BYTES];
	char secret[SOURCE_MARK_BYTES];
	char certificate[SOURCE_MARK_BYTES];
	char authorities[SOURCE_MARK_BYTES];

	/* a failure that one of these files caused is forgotten when that file changes */
	mark_config(settings, config);
	mark_secret(settings, profile, secret);
	mark_certificate(settings, profile, certificate);
	mark_file(settings->cainfo, authorities);
	snprintf(out, SOURCE_MARKS_BYTES, "%s %s %s %s", config, secret, certificate, authorities);
}
