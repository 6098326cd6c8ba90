#include "secretfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"

/* For free(); NULL where memory is short. */
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

static enum status check(int fd, const char *path, bool from_systemd, struct failure *failure)
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
			"others can read this secret; run: chmod 600 '%s'", path);
	return STATUS_OK;
}

enum status secretfile_read(const struct settings *settings, const char *path, const char *what,
	struct buffer *content, struct failure *failure)
{
	bool from_systemd;
	char *expanded = expand(settings, path, &from_systemd);
	enum status status;
	int fd;

	if (!expanded)
		return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	fd = open(expanded, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		status = status_fail(failure, STATUS_NO_SECRET, "%s file %s: %s", what, expanded,
			strerror(errno));
	else
		status = check(fd, expanded, from_systemd, failure);
	if (!status && buffer_read(content, fd))
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: too long for a secret, or unreadable", expanded);
	if (fd >= 0)
		close(fd);
	free(expanded);
	return status;
}

bool secretfile_changed(const struct settings *settings, const char *path, struct timespec *changed)
{
	bool from_systemd;
	char *expanded = expand(settings, path, &from_systemd);
	struct stat found;
	bool there = expanded && stat(expanded, &found) == 0;

	if (there)
		*changed = found.st_mtim;
	free(expanded);
	return there;
}
