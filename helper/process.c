#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Where our programs may be, relative to the directory of this one. */
static const char *const PLACES[] = {
	"",
	"../lib/sypht/",
	"../lib64/sypht/",
#ifdef SYPHT_MULTIARCH
	"../lib/" SYPHT_MULTIARCH "/sypht/",
#endif
	NULL,
};

/* Names, or beginnings of names where a * follows. */
static const char *const WITHHELD[] = {
	"SYPHT_API_KEY", "SYPHT_CLIENT_SECRET", "SYPHT_CLIENT_SECRET_FILE", "LD_*", NULL};

static void open_standard_descriptors(void)
{
	struct pollfd standard[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

	if (poll(standard, 3, 0) <= 0)
		return;
	for (int fd = 0; fd < 3; fd++) {
		/*
		 * open() returns the lowest free number, which is fd: those below it are open by
		 * now. stdout cannot be written, so that writing an answer there fails: nobody
		 * would get it.
		 */
		int flags = fd == STDOUT_FILENO ? O_RDONLY : O_RDWR;

		if (standard[fd].revents & POLLNVAL && open("/dev/null", flags) != fd)
			_exit(1);
	}
}

void process_harden(void)
{
	open_standard_descriptors();
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks must trace this process */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	umask(077);
	signal(SIGXFSZ, SIG_IGN);
}

static void close_range_of(unsigned first, unsigned last)
{
	long limit = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
#endif
	for (unsigned fd = first; fd <= last && (long)fd < limit; fd++)
		close((int)fd);
}

static void leave_descriptors(const int *kept, size_t count)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned first = STDERR_FILENO + 1;
	unsigned next;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(nothing, fd);
	do {
		next = UINT_MAX;
		for (size_t i = 0; i < count; i++) {
			if (kept[i] >= (int)first && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		}
		close_range_of(first, next - 1);
		first = next + 1;
	} while (next != UINT_MAX);
}

/*
 * When PID 1 of a container ends, the kernel kills all other processes. Its child must not fork
 * either: the background process would become a zombie under PID 1, which may be any program, and
 * need not reap processes that it did not start.
 */
static bool must_not_fork(void)
{
	return getpid() == 1 || getppid() == 1;
}

bool process_go_on(const int *kept, size_t count)
{
	if (must_not_fork()) {
		leave_descriptors(kept, count);
		return true;
	}
	/* before the fork: the terminal may hang up before the child has called setsid() */
	void (*hang_up)(int) = signal(SIGHUP, SIG_IGN);
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN);
	bool child = fork() == 0;

	if (child) {
		setsid();
		leave_descriptors(kept, count);
	} else {
		signal(SIGHUP, hang_up);
		signal(SIGINT, interrupt);
	}
	return child;
}

enum status process_find_part(const char *name, struct buffer *path, struct failure *failure)
{
	/* not argv[0], which the caller chooses */
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
	char *slash;

	if (length < 0 || length == sizeof(self))
		return status_fail(failure, STATUS_SYSTEM, "cannot find %s: /proc/self/exe: %s",
			name, strerror(errno));
	self[length] = '\0';
	slash = strrchr(self, '/');
	slash[1] = '\0';
	for (size_t i = 0; PLACES[i]; i++) {
		buffer_clear(path);
		if (buffer_printf(path, "%s%s%s", self, PLACES[i], name))
			return status_no_memory(failure);
		if (access(path->data, X_OK) == 0)
			return STATUS_OK;
	}
	return status_fail(failure, STATUS_SYSTEM,
		"%s is missing beside this program and in ../lib/sypht; install again", name);
}

/* A memfd takes input of any length. A pipe would block when it is full, as nobody reads yet. */
static enum status put_on_stdin(const struct buffer *input, struct failure *failure)
{
	int fd = memfd_create("stdin", MFD_CLOEXEC);
	bool done = fd >= 0 && buffer_write(input, fd) == STATUS_OK &&
		    lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO;

	if (!done)
		status_fail(failure, STATUS_SYSTEM, "cannot pass stdin on: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return done ? STATUS_OK : STATUS_SYSTEM;
}

enum status process_become(
	const char *name, char *const *argv, const struct buffer *input, struct failure *failure)
{
	struct buffer path = BUFFER_INIT(PATH_MAX);
	enum status status = process_find_part(name, &path, failure);

	if (!status && input->length > 0)
		status = put_on_stdin(input, failure);
	if (!status) {
		execv(path.data, argv);
		status = status_fail(
			failure, STATUS_SYSTEM, "cannot run %s: %s", path.data, strerror(errno));
	}
	buffer_release(&path);
	return status;
}

long long process_milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether "NAME=value" is of a variable in names. */
static bool is_among(const char *entry, const char *const *names)
{
	size_t length = strcspn(entry, "=");

	for (; *names; names++) {
		size_t fixed = strcspn(*names, "*");

		if (strncmp(entry, *names, fixed) == 0 &&
			((*names)[fixed] == '*' || fixed == length))
			return true;
	}
	return false;
}

static char **copy_environment(const char *const *names, bool keep)
{
	size_t count = 0;
	size_t kept = 0;
	char **copy;

	while (environ && environ[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < count; i++) {
		if (is_among(environ[i], names) == keep)
			copy[kept++] = environ[i];
	}
	return copy;
}

char **process_clean_environment(void)
{
	return copy_environment(WITHHELD, false);
}

char **process_select_environment(const char *const *names)
{
	return copy_environment(names, true);
}
