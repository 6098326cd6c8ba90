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

static struct judgement judge(const struct settings *settings, const char *path, int fd)
{
	struct judgement judgement = {.given = false};
	struct mountpoint mountpoint;

	if (find_mountpoint(fd, &mountpoint)) {
		judgement.fixed = mountpoint.read_only;
		/* a file on "/" comes from the image, or was written in the container */
		judgement.given = path == settings->client_secret_file && in_container(settings) &&
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

static enum status check(const struct settings *settings, int fd, const char *path,
	const char *expanded, bool from_systemd, struct failure *failure)
{
	struct stat found;
	struct judgement judgement;
	mode_t forbidden = S_IRWXG | S_IRWXO;

	if (fstat(fd, &found) != 0)
		return status_fail(failure, STATUS_SYSTEM, "%s: %s", expanded, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return status_fail(failure, STATUS_NO_SECRET, "%s: not a regular file", expanded);
	if (found.st_uid != geteuid() && found.st_uid != 0)
		return status_fail(failure, STATUS_UNSAFE, "%s: belongs to another user", expanded);
	if (from_systemd || found.st_uid != geteuid())
		forbidden = S_IWGRP | S_IRWXO;
	if (!(found.st_mode & forbidden))
		return STATUS_OK;
	judgement = judge(settings, path, fd);
	if (judgement.given && !(found.st_mode & (S_IWGRP | S_IWOTH)))
		return STATUS_OK;
	return refuse_mode(&found, expanded, judgement.fixed, failure);
}

enum status secretfile_read(const struct settings *settings, const char *path, const char *what,
	struct buffer *content, struct failure *failure)
{
	bool from_systemd;
	char *expanded = expand(settings, path, &from_systemd);
	enum status status;
	int fd;

	if (!expanded)
		return status_no_memory(failure);
	fd = open(expanded, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		status = status_fail(failure, STATUS_NO_SECRET, "%s file %s: %s", what, expanded,
			strerror(errno));
	else
		status = check(settings, fd, path, expanded, from_systemd, failure);
	if (!status && buffer_read(content, fd))
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: too long for a secret, or cannot be read", expanded);
	if (fd >= 0)
		close(fd);
	free(expanded);
	return status;
}

char *secretfile_path(const struct settings *settings, const char *path)
{
	bool from_systemd;

	return expand(settings, path, &from_systemd);
}
