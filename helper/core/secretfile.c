#include "core/secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mountpoint.h"
#include "core/settings.h"

/* The result is for free(). NULL: no memory. */
static char *expand(const struct settings *settings, const char *path, bool *from_systemd)
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

/* ---- secrets mounted into a container ---- */

/*
 * Docker, Podman and systemd-nspawn mark a container with a file, and most pods have the file of a
 * service account. Only root can create these. Other pods have only the variable that Kubernetes
 * sets; only our own caller could forge it.
 */
static bool in_container(const struct settings *settings)
{
	static const char *const MARKS[] = {"/.dockerenv", "/run/.containerenv",
		"/run/systemd/container", "/run/secrets/kubernetes.io/serviceaccount"};

	for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++) {
		struct stat found;

		if (lstat(MARKS[i], &found) == 0 && found.st_uid == 0)
			return true;
	}
	return settings->kubernetes != NULL;
}

/* Find the mount of an open file by its real path. False: /proc does not tell. */
static bool find_mountpoint(int fd, struct mountpoint *mountpoint)
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	char path[PATH_MAX];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return mountpoint_find(path, mountpoint);
}

/* place is a mount, which only root can make. A path alone would prove nothing about the file. */
static bool is_place_for_secrets(const struct settings *settings, const char *place)
{
	char *credentials =
		settings->credentials_dir ? realpath(settings->credentials_dir, NULL) : NULL;
	bool is_place = mountpoint_is_below(place, "/run/secrets") ||
			mountpoint_is_below(place, "/var/run/secrets") ||
			(credentials && mountpoint_is_below(place, credentials));

	free(credentials);
	return is_place;
}

struct judgement {
	bool given; /* mounted for this container or unit: its own users may read it */
	bool fixed; /* the mount is read-only, so chmod fails */
};

/* Whether a variable names the file, and not the config. */
static bool is_from_environment(const struct settings *settings, const char *path)
{
	const char *token = settings->azure_federated_token_file;

	return path == settings->client_secret_file || (token && strcmp(path, token) == 0);
}

static struct judgement judge(const struct settings *settings, const char *path, int fd)
{
	struct judgement judgement = {.given = false};
	struct mountpoint mountpoint;

	if (find_mountpoint(fd, &mountpoint)) {
		judgement.fixed = mountpoint.read_only;
		/* a file on "/" comes from the image, or was written in the container */
		judgement.given = is_from_environment(settings, path) && in_container(settings) &&
				  strcmp(mountpoint.place, "/") != 0;
		if ((mountpoint.read_only || mountpoint.in_memory) &&
			is_place_for_secrets(settings, mountpoint.place))
			judgement.given = true;
	}
	return judgement;
}

/* ---- who else can access it ---- */

static enum status refuse_mode(
	const struct stat *found, const char *path, bool fixed, struct failure *failure)
{
	const char *what = found->st_mode & (S_IWGRP | S_IWOTH) ? "write" : "read";

	if (fixed)
		return status_fail(failure, STATUS_UNSAFE,
			"others can %s this secret, and its mount is read-only; mount it with mode "
			"0400, or below /run/secrets: %s",
			what, path);
	return status_fail(failure, STATUS_UNSAFE, "others can %s this secret; run: chmod %s '%s'",
		what, found->st_uid == geteuid() ? "600" : "640", path);
}

/* A file to read, while it is open. */
struct subject {
	const struct settings *settings;
	const char *path; /* as it was named */
	const char *what; /* its purpose, for reasons */
	char *expanded;
	bool from_systemd;
	int fd;
	struct stat found;
};

static enum status check(const struct subject *subject, struct failure *failure)
{
	const struct stat *found = &subject->found;
	struct judgement judgement;
	mode_t forbidden = S_IRWXG | S_IRWXO;

	if (found->st_uid != geteuid() && found->st_uid != 0)
		return status_fail(
			failure, STATUS_UNSAFE, "%s: belongs to another user", subject->expanded);
	if (subject->from_systemd || found->st_uid != geteuid())
		forbidden = S_IWGRP | S_IRWXO;
	if (!(found->st_mode & forbidden))
		return STATUS_OK;
	judgement = judge(subject->settings, subject->path, subject->fd);
	if (judgement.given && !(found->st_mode & (S_IWGRP | S_IWOTH)))
		return STATUS_OK;
	return refuse_mode(found, subject->expanded, judgement.fixed, failure);
}

static enum status open_file(struct subject *subject, struct failure *failure)
{
	subject->expanded = expand(subject->settings, subject->path, &subject->from_systemd);
	if (!subject->expanded)
		return status_no_memory(failure);
	subject->fd = open(subject->expanded, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (subject->fd < 0 || fstat(subject->fd, &subject->found) != 0)
		return status_fail(failure, STATUS_NO_SECRET, "%s file %s: %s", subject->what,
			subject->expanded, strerror(errno));
	if (!S_ISREG(subject->found.st_mode))
		return status_fail(
			failure, STATUS_NO_SECRET, "%s: not a regular file", subject->expanded);
	return STATUS_OK;
}

static enum status read_file(
	const struct subject *subject, struct buffer *content, struct failure *failure)
{
	enum status status = buffer_read(content, subject->fd);

	if (status == STATUS_TOO_LONG)
		return status_fail(failure, STATUS_NO_SECRET,
			"%s: longer than %zu bytes, so not a %s", subject->expanded, content->limit,
			subject->what);
	if (status)
		return status_fail(failure, STATUS_NO_SECRET, "%s file %s: %s", subject->what,
			subject->expanded, strerror(errno));
	return STATUS_OK;
}

static enum status read_subject(
	struct subject *subject, bool secret, struct buffer *content, struct failure *failure)
{
	enum status status = open_file(subject, failure);

	if (!status && secret)
		status = check(subject, failure);
	if (!status)
		status = read_file(subject, content, failure);
	if (subject->fd >= 0)
		close(subject->fd);
	free(subject->expanded);
	return status;
}

enum status secretfile_read(const struct settings *settings, const char *path, const char *what,
	struct buffer *content, struct failure *failure)
{
	struct subject subject = {.settings = settings, .path = path, .what = what, .fd = -1};

	return read_subject(&subject, true, content, failure);
}

enum status secretfile_read_public(const struct settings *settings, const char *path,
	const char *what, struct buffer *content, struct failure *failure)
{
	struct subject subject = {.settings = settings, .path = path, .what = what, .fd = -1};

	return read_subject(&subject, false, content, failure);
}

char *secretfile_path(const struct settings *settings, const char *path)
{
	bool from_systemd;

	return expand(settings, path, &from_systemd);
}
