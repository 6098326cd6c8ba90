#include "supply/credentialfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/directory.h"
#include "core/origin.h"
#include "core/profile.h"
#include "core/settings.h"
#include "supply/secret.h"

enum { FILE_MAX_BYTES = 2 * ATTRIBUTES_LINE_MAX };

/*
 * The origin of the endpoint that may get the secret. A config is easier to change than this file,
 * so a changed token_url must not be enough to send the secret elsewhere.
 */
static enum status write_endpoint(const struct profile *profile, struct buffer *out)
{
	struct origin origin;

	if (!origin_from_url(&origin, profile_endpoint(profile)))
		return STATUS_MALFORMED;
	return origin_write(&origin, out);
}

static bool is_for(const struct attributes *entry, const struct profile *profile)
{
	struct buffer endpoint = BUFFER_INIT(ATTRIBUTES_LINE_MAX);
	const char *kept = attributes_get(entry, "endpoint");
	bool same = write_endpoint(profile, &endpoint) == STATUS_OK && kept &&
		    strcmp(kept, endpoint.data) == 0;

	buffer_release(&endpoint);
	return same;
}

/* The same checks as for the cache: a folder that others can write could hold a forged secret. */
static enum status open_folder(
	const struct settings *settings, bool create, int *directory, struct failure *failure)
{
	char *path = settings_credentials_path(settings);
	enum status status;

	*directory = -1;
	if (!path)
		return status_fail(failure, STATUS_SYSTEM,
			"no place for credentials: neither XDG_CONFIG_HOME nor HOME is set");
	status = directory_open(directory, path, create, "credentials", failure);
	buffer_free_text(path);
	return status;
}

enum status credentialfile_get(const struct settings *settings, const struct profile *profile,
	struct secret *secret, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	struct attributes entry = ATTRIBUTES_INIT;
	int directory;
	const char *client_id;
	const char *client_secret;
	enum status status = open_folder(settings, false, &directory, failure);

	*secret = (struct secret)SECRET_INIT;
	/* an unsafe directory is a failure, a missing one only means that nothing is kept */
	if (status == STATUS_SYSTEM && errno == ENOENT)
		return STATUS_OK;
	if (status)
		return status;
	if (directory_read(directory, profile->name, &content) &&
		attributes_parse(&entry, content.data, content.length, NULL) == STATUS_OK &&
		entry.closed && is_for(&entry, profile)) {
		/* the keys of git's protocol, as its store command hands them over */
		client_id = attributes_get(&entry, "username");
		client_secret = attributes_get(&entry, "password");
		if (client_id && client_secret)
			status = secret_set(secret, client_id, client_secret, failure);
	}
	if (status)
		secret_release(secret);
	attributes_release(&entry);
	buffer_release(&content);
	close(directory);
	return status;
}

enum status credentialfile_put(const struct settings *settings, const struct profile *profile,
	const struct secret *secret, struct failure *failure)
{
	/* the same grammar as on git's pipes, which refuses a line break in a value */
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	int directory;
	enum status status = open_folder(settings, true, &directory, failure);

	if (status)
		return status;
	if (buffer_append_text(&content, "endpoint=") || write_endpoint(profile, &content) ||
		buffer_append_text(&content, "\n") ||
		attributes_add(&content, "username", secret->client_id) ||
		attributes_add(&content, "password", secret->client_secret) ||
		buffer_append_text(&content, "\n"))
		status = status_fail(failure, STATUS_MALFORMED,
			"the credentials hold a line break, or are too long");
	else if (flock(directory, LOCK_EX) != 0) /* directory_write() takes one writer at a time */
		status = status_fail(
			failure, STATUS_SYSTEM, "cannot lock the credentials: %s", strerror(errno));
	else
		status = directory_write(directory, profile->name, &content, failure);
	buffer_release(&content);
	close(directory);
	return status;
}

enum status credentialfile_erase(const struct settings *settings, const struct profile *profile,
	bool *erased, struct failure *failure)
{
	int directory;
	enum status status = open_folder(settings, false, &directory, failure);

	*erased = false;
	if (status == STATUS_SYSTEM && errno == ENOENT)
		return STATUS_OK;
	if (status)
		return status;
	status = directory_remove(directory, profile->name, erased, failure);
	close(directory);
	return status;
}

bool credentialfile_has(const struct settings *settings, const struct profile *profile)
{
	int directory;
	bool there;

	if (open_folder(settings, false, &directory, NULL))
		return false;
	there = faccessat(directory, profile->name, F_OK, 0) == 0;
	close(directory);
	return there;
}
