#include "core/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/settings.h"
#include "core/text.h"

/*
 * Open path if it is a regular file of ours. A host may have closed descriptors 0 to 2. If the
 * trace took one of them, what the host prints would go into it.
 */
static int open_file(const char *path)
{
	/* O_NONBLOCK: a FIFO without a reader must not stop the host */
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	struct stat status;
	int low = open(path, flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
	int fd = -1;

	if (low < 0)
		return -1;
	if (fstat(low, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid())
		fd = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	close(low);
	return fd;
}

void trace_open(struct trace *trace, const char *name, const struct settings *settings)
{
	int saved_errno = errno;

	trace->fd = -1;
	trace->name = name;
	if (!settings->trace)
		return;
	if (strcmp(settings->trace, "1") == 0)
		trace->fd = STDERR_FILENO;
	else if (settings->trace[0] == '/')
		trace->fd = open_file(settings->trace);
	errno = saved_errno;
}

void trace_close(struct trace *trace)
{
	if (trace->fd > STDERR_FILENO)
		close(trace->fd);
	trace->fd = -1;
}

/* Discard a SIGPIPE or SIGXFSZ that this write() raises, but not one that was pending before. */
static void write_quietly(int fd, const char *line, size_t length)
{
	static const struct timespec at_once;
	sigset_t raised;
	sigset_t pending;
	sigset_t mask;

	sigemptyset(&raised);
	sigaddset(&raised, SIGPIPE); /* the reader has gone away */
	sigaddset(&raised, SIGXFSZ); /* the file has reached the process's limit */
	pthread_sigmask(SIG_BLOCK, &raised, &mask);
	sigpending(&pending);
	if (write(fd, line, length) < 0) {
		if (sigismember(&pending, SIGPIPE))
			sigdelset(&raised, SIGPIPE);
		if (sigismember(&pending, SIGXFSZ))
			sigdelset(&raised, SIGXFSZ);
		sigtimedwait(&raised, NULL, &at_once);
	}
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static size_t clamp_length(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

void trace_say(const struct trace *trace, const char *format, ...)
{
	int saved_errno = errno;
	char line[TRACE_LINE_MAX];
	struct timespec now;
	size_t length;
	va_list arguments;

	if (trace->fd < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	length = clamp_length(
		snprintf(line, sizeof(line), "%s[%ld] %02d:%02d:%02d.%03d ", trace->name,
			(long)getpid(), (int)(now.tv_sec / 3600 % 24), (int)(now.tv_sec / 60 % 60),
			(int)(now.tv_sec % 60), (int)(now.tv_nsec / 1000000)),
		sizeof(line));
	va_start(arguments, format);
	vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);

	/* one write() with O_APPEND, so that the lines of several processes do not mix */
	text_clean(line);
	length = strlen(line);
	line[length++] = '\n';
	write_quietly(trace->fd, line, length);
	errno = saved_errno;
}
