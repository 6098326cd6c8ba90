#include "core/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 64 };

#define OPEN_TO_OTHERS (S_IRWXG | S_IRWXO)

/* 0, or why there is no directory. One that exists is no error, even where none can be made. */
static int make_directory(const char *path)
{
	int error = mkdir(path, 0700) == 0 ? 0 : errno;

	return error == EEXIST || access(path, F_OK) == 0 ? 0 : error;
}

/* Like mkdir -p, but each new directory is private. 0, or the first error. */
static int make_directories(const char *path)
{
	char *copy = buffer_duplicate(path);
	int error = copy ? 0 : ENOMEM;

	if (!copy)
		return error;
	for (char *slash = strchr(copy + 1, '/'); slash && !error; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		error = make_directory(copy);
		*slash = '/';
	}
	if (!error)
		error = make_directory(copy);
	free(copy);
	return error;
}

static enum status check_private(
	int directory, const char *path, const char *what, struct failure *failure)
{
	struct stat found;

	if (fstat(directory, &found) != 0)
		return status_fail(
			failure, STATUS_SYSTEM, "%s directory %s: %s", what, path, strerror(errno));
	if (found.st_uid != geteuid())
		return status_fail(failure, STATUS_UNSAFE,
			"%s directory %s belongs to another user", what, path);
	if (found.st_mode & OPEN_TO_OTHERS)
		return status_fail(failure, STATUS_UNSAFE,
			"%s directory is open to others; run: chmod 700 '%s'", what, path);
	return STATUS_OK;
}

enum status directory_open(
	int *directory, const char *path, bool create, const char *what, struct failure *failure)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	enum status status;
	int fd = open(path, flags);

	*directory = -1;
	if (fd < 0 && errno == ENOENT && create) { /* only then, as mkdir() costs system calls */
		int error = make_directories(path);

		fd = open(path, flags);
		if (fd < 0 && error)
			errno = error;
	}
	/* O_NOFOLLOW with O_DIRECTORY: a link is ELOOP or ENOTDIR, depending on the kernel */
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return status_fail(failure, STATUS_UNSAFE,
			"%s directory %s is a symbolic link, or not a directory", what, path);
	if (fd < 0)
		return status_fail(
			failure, STATUS_SYSTEM, "%s directory %s: %s", what, path, strerror(errno));

	status = check_private(fd, path, what, failure);
	if (status)
		close(fd);
	else
		*directory = fd;
	return status;
}

bool directory_read(int directory, const char *name, struct buffer *content)
{
	struct stat found;
	bool good = false;
	/* judge by fstat(), not by name: the name may lead to another file by then */
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return false;
	if (fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == geteuid() &&
		!(found.st_mode & OPEN_TO_OTHERS))
		good = buffer_read(content, fd) == STATUS_OK;
	close(fd);
	return good;
}

/* Writers of one generation share a name, so that the next one removes what a killed one left. */
static void name_unfinished(const char *name, int generation, char out[NAME_MAX_BYTES])
{
	if (generation == 0)
		snprintf(out, NAME_MAX_BYTES, "%s~", name);
	else
		snprintf(out, NAME_MAX_BYTES, "%s~%d", name, generation);
}

/* The path of an open directory, for a message. */
static const char *path_of(int directory, char path[PATH_MAX])
{
	char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", directory);
	length = readlink(link, path, PATH_MAX - 1);
	path[length > 0 ? length : 0] = '\0';
	return path;
}

static enum status refuse_write(int directory, const char *name, struct failure *failure)
{
	int error = errno;
	char path[PATH_MAX];

	return status_fail(failure, STATUS_SYSTEM, "cannot write %s/%s: %s",
		path_of(directory, path), name, strerror(error));
}

enum status directory_write(
	int directory, const char *name, const struct buffer *content, struct failure *failure)
{
	const struct directory_turn turn = {.next = NULL};

	return directory_write_in_turn(directory, name, &turn, content, failure);
}

void directory_take_over(int directory, const char *name, int generation)
{
	char unfinished[NAME_MAX_BYTES];

	while (generation-- > 0) {
		name_unfinished(name, generation, unfinished);
		unlinkat(directory, unfinished, 0);
	}
}

/*
 * If the writer was stopped before this test, it finds the file next. If it was stopped after the
 * test, the rename fails, because directory_take_over() has removed the unfinished file.
 */
static bool put_in_place(int directory, const char *unfinished, const char *name, const char *next)
{
	if (next && faccessat(directory, next, F_OK, 0) == 0) {
		errno = ESTALE;
		return false;
	}
	return renameat(directory, unfinished, directory, name) == 0;
}

enum status directory_write_in_turn(int directory, const char *name,
	const struct directory_turn *turn, const struct buffer *content, struct failure *failure)
{
	char fresh[NAME_MAX_BYTES];
	bool written;
	int fd;

	name_unfinished(name, turn->generation, fresh);
	unlinkat(
		directory, fresh, 0); /* a killed writer may have left one, and O_EXCL would fail */
	fd = openat(directory, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse_write(directory, name, failure);

	/* fchmod(): the umask of the plugin's host may have taken the owner's own bits away */
	written = fchmod(fd, 0600) == 0 && buffer_write(content, fd) == STATUS_OK;
	if (close(fd) != 0)
		written = false;
	if (!written || !put_in_place(directory, fresh, name, turn->next)) {
		refuse_write(directory, name, failure);
		unlinkat(directory, fresh, 0);
		return STATUS_SYSTEM;
	}
	return STATUS_OK;
}

enum status directory_remove(
	int directory, const char *name, bool *removed, struct failure *failure)
{
	char path[PATH_MAX];
	struct stat found;
	bool done = unlinkat(directory, name, 0) == 0;
	int error = errno;

	if (removed)
		*removed = done;
	/* on a read-only file system unlink() fails with EROFS even if the file does not exist */
	if (done || (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) && errno == ENOENT))
		return STATUS_OK;
	return status_fail(failure, STATUS_SYSTEM, "cannot remove %s/%s: %s",
		path_of(directory, path), name, strerror(error));
}
