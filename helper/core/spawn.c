#include "core/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/escape.h"
#include "core/watcher.h"

/*
 * The caller's side. watcher.h has the other one.
 *
 * The caller relies on reports and never waits for an end of file: if another thread of the host
 * forks meanwhile, its child keeps our descriptors open for any length of time. The program's stdin
 * is a socket for the same reason: shutdown() ends it in all processes that hold it.
 */
enum {
	CHUNK_BYTES = 16384,
	STACK_BYTES = 16384,
	STOP_GRACE_MS = 1000,
};

/* Lies in one mapping with the two stacks. */
struct launch {
	const struct spawn *spawn;
	struct watcher watcher;
	size_t area_bytes;
	int channels[WATCHER_CHANNELS]; /* our ends; -1: none */
	size_t fed_bytes;
	long long deadline_ms;
	bool started;
	bool ended;
	bool reaped;
	int wait_status;
	struct watcher_report trouble; /* the last WATCHER_NO_*, if value is not 0 */
	enum status status;            /* why the program was stopped, if it was */
	char chunk[CHUNK_BYTES];
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* The deadline starts anew: for the watcher to report the end of what it kills. */
static void stop_program(struct launch *launch, enum status status)
{
	launch->status = status;
	launch->deadline_ms = now_ms() + STOP_GRACE_MS;
	watcher_stop(&launch->watcher);
}

/* A report is shorter than PIPE_BUF, so it arrives whole or not at all. */
static void read_report(struct launch *launch)
{
	struct watcher_report report;

	if (read(launch->channels[WATCHER_REPORT], &report, sizeof(report)) != sizeof(report))
		return;
	switch (report.event) {
	case WATCHER_STARTED:
		launch->started = true;
		break;
	case WATCHER_NO_PROCESS:
	case WATCHER_NO_STREAMS:
	case WATCHER_NO_PROGRAM:
		launch->trouble = report;
		break;
	case WATCHER_ENDED:
		launch->ended = true;
		launch->wait_status = report.value;
		break;
	}
}

/* A program need not read its input. If it closes stdin, send() fails, and that is no failure. */
static void write_input(struct launch *launch)
{
	const struct spawn *spawn = launch->spawn;
	int *input = &launch->channels[STDIN_FILENO];
	ssize_t sent = send(*input, spawn->input + launch->fed_bytes,
		spawn->input_length - launch->fed_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent > 0)
		launch->fed_bytes += (size_t)sent;
	if (launch->fed_bytes < spawn->input_length)
		return;
	shutdown(*input, SHUT_WR);
	close(*input);
	*input = -1;
}

/* False: there is nothing to read now, or the program is being stopped. */
static bool read_output(struct launch *launch, int stream)
{
	struct buffer *buffer =
		stream == STDOUT_FILENO ? launch->spawn->output : launch->spawn->errors;
	int fd = launch->channels[stream];
	ssize_t length = fd < 0 ? 0 : read(fd, launch->chunk, sizeof(launch->chunk));
	enum status status;

	if (length <= 0 || launch->status)
		return false;
	status = buffer_append(buffer, launch->chunk, (size_t)length);
	if (status)
		stop_program(launch, status);
	return status == STATUS_OK;
}

/* Wait for one event and handle it. False: the deadline has passed. */
static bool handle_event(struct launch *launch)
{
	bool talking = launch->started && !launch->status;
	long long left_ms = launch->deadline_ms - now_ms();
	struct pollfd polled[WATCHER_CHANNELS];

	if (left_ms <= 0)
		return false;
	for (int i = 0; i < WATCHER_CHANNELS; i++) {
		polled[i].fd = talking || i == WATCHER_REPORT ? launch->channels[i] : -1;
		polled[i].events = i == STDIN_FILENO ? POLLOUT : POLLIN;
	}
	if (poll(polled, WATCHER_CHANNELS, left_ms < INT_MAX ? (int)left_ms : INT_MAX) <= 0)
		return true;

	if (polled[WATCHER_REPORT].revents)
		read_report(launch);
	if (polled[STDIN_FILENO].revents)
		write_input(launch);
	if (polled[STDOUT_FILENO].revents)
		read_output(launch, STDOUT_FILENO);
	if (polled[STDERR_FILENO].revents)
		read_output(launch, STDERR_FILENO);
	return true;
}

/* Bare system calls: sigprocmask(3) leaves the C library's own signals unblocked. */
static void block_signals(unsigned long previous[8])
{
	unsigned long all[8];

	memset(all, 0xff, sizeof(all));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, previous, WATCHER_SIGSET_BYTES);
}

static void restore_signals(const unsigned long previous[8])
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, previous, NULL, WATCHER_SIGSET_BYTES);
}

/* Until WATCHER_STARTED a signal handler of the host could run on data that two processes use. */
static bool start_watcher(struct launch *launch)
{
	unsigned long mask[8];
	bool started;

	block_signals(mask);
	started = watcher_start(&launch->watcher);
	while (started && !launch->started && handle_event(launch))
		;
	restore_signals(mask);
	return started;
}

static void await_end(struct launch *launch)
{
	while (!launch->ended) {
		if (handle_event(launch))
			continue;
		if (launch->status)
			break; /* the program sleeps in the kernel, where no signal reaches it */
		stop_program(launch, STATUS_TIMEOUT);
	}

	/* The program's whole output is in the pipes now. */
	while (read_output(launch, STDOUT_FILENO))
		;
	while (read_output(launch, STDERR_FILENO))
		;
}

/* Only a process in the foreground can give the terminal to another. */
static int open_terminal(const struct spawn *spawn)
{
	int terminal = spawn->asks ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;

	if (terminal >= 0 && tcgetpgrp(terminal) != getpgrp()) {
		close(terminal);
		terminal = -1;
	}
	return terminal;
}

static void reap_watcher(struct launch *launch)
{
	unsigned long mask[8];

	block_signals(mask);
	watcher_reap(&launch->watcher, launch->ended);
	launch->reaped = true;
	restore_signals(mask);
}

static enum status judge_end(const struct launch *launch, int *exit_code, struct failure *failure)
{
	static const char *const troubles[] = {
		[WATCHER_NO_PROCESS] = "no process for",
		[WATCHER_NO_STREAMS] = "no standard streams for",
		[WATCHER_NO_PROGRAM] = "cannot run",
	};
	const char *path = launch->spawn->path;
	int status = launch->wait_status;

	if (launch->trouble.value)
		return status_fail(failure, STATUS_SYSTEM, "%s %s: %s",
			troubles[launch->trouble.event], path, strerror(launch->trouble.value));
	if (launch->status == STATUS_TIMEOUT)
		return status_fail(failure, STATUS_TIMEOUT, "%s did not end within %ld ms", path,
			launch->spawn->timeout_ms);
	if (launch->status)
		return status_fail(failure, launch->status, "%s printed too much", path);
	*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return STATUS_OK;
}

/* Move fd above the numbers that place_streams() replaces. */
static bool raise_descriptor(int *fd)
{
	int raised;

	if (*fd > WATCHER_REPORT)
		return true;
	raised = fcntl(*fd, F_DUPFD_CLOEXEC, WATCHER_REPORT + 1);
	close(*fd);
	*fd = raised;
	return raised >= 0;
}

static bool open_channel(int number, int *ours, int *theirs)
{
	int pair[2];

	if (number == STDIN_FILENO ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)
				   : pipe2(pair, O_CLOEXEC))
		return false;
	*ours = pair[0];
	*theirs = pair[1];
	if (!raise_descriptor(ours) || !raise_descriptor(theirs))
		return false;
	/* read_output() reads until nothing is left, which a blocking pipe would not tell */
	return number == STDIN_FILENO || fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

/* Descriptors 0 to 3 of the program; all of them close on exec, should another thread run one. */
static bool open_channels(struct launch *launch)
{
	const struct spawn *spawn = launch->spawn;
	const bool wanted[WATCHER_CHANNELS] = {spawn->input, spawn->output, spawn->errors, true};

	for (int i = 0; i < WATCHER_CHANNELS; i++)
		if (wanted[i] &&
			!open_channel(i, &launch->channels[i], &launch->watcher.descriptors[i]))
			return false;
	return true;
}

static void close_channels(struct launch *launch)
{
	for (int i = 0; i < WATCHER_CHANNELS; i++) {
		if (launch->channels[i] >= 0)
			close(launch->channels[i]);
		if (launch->watcher.descriptors[i] >= 0)
			close(launch->watcher.descriptors[i]);
	}
}

/* launch, guard page, watcher's stack, guard page, program's stack */
static struct launch *launch_new(const struct spawn *spawn)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t head = (sizeof(struct launch) + page - 1) / page * page;
	size_t stack = (STACK_BYTES + page - 1) / page * page;
	size_t bytes = head + 2 * (page + stack);
	char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	struct launch *launch;

	if (area == MAP_FAILED)
		return NULL;
	launch = (struct launch *)area;
	launch->spawn = spawn;
	launch->area_bytes = bytes;
	launch->watcher = (struct watcher){
		.path = spawn->path,
		.argv = spawn->argv,
		.envp = spawn->envp,
		.asks = spawn->asks,
		.descriptors = {-1, -1, -1, -1},
		.terminal = open_terminal(spawn),
		.stack = area + head + page + stack,
		.program_stack = area + bytes,
		.caller = getpid(),
	};
	mprotect(area + head, page, PROT_NONE);
	mprotect(launch->watcher.stack, page, PROT_NONE);
	for (int i = 0; i < WATCHER_CHANNELS; i++)
		launch->channels[i] = -1;
	launch->deadline_ms = now_ms() + spawn->timeout_ms;
	return launch;
}

/* Until exec succeeds the program runs on its stack in here. If it hangs there, keep the memory. */
static void launch_free(struct launch *launch)
{
	close_channels(launch);
	if (launch->watcher.terminal >= 0)
		close(launch->watcher.terminal);
	/* the output may be a token or a secret */
	explicit_bzero(launch->chunk, sizeof(launch->chunk));
	if (launch->watcher.pid == 0 || launch->started)
		munmap(launch, launch->area_bytes);
}

/* A signal handler jumps out of spawn_run(): leave no process and no descriptor behind. */
static void abandon_launch(void *argument)
{
	struct launch *launch = argument;

	if (launch->watcher.pid > 0 && !launch->reaped) {
		stop_program(launch, STATUS_TIMEOUT);
		while (!launch->ended && handle_event(launch))
			;
		reap_watcher(launch);
	}
	launch_free(launch);
}

static enum status run_program(const struct spawn *spawn, int *exit_code, struct failure *failure)
{
	struct launch *launch = launch_new(spawn);
	struct escape escape;
	enum status status;

	if (!launch)
		return status_fail(failure, STATUS_NO_MEMORY, "no memory to run %s", spawn->path);
	/* from here on a signal handler of the host that jumps away leaves nothing behind */
	escape_watch(&escape, abandon_launch, launch);
	if (!open_channels(launch)) {
		status = status_fail(failure, STATUS_SYSTEM, "no descriptors to run %s: %s",
			spawn->path, strerror(errno));
	} else if (!start_watcher(launch)) {
		status = status_fail(failure, STATUS_SYSTEM, "no process to run %s: %s",
			spawn->path, strerror(errno));
	} else {
		await_end(launch);
		reap_watcher(launch);
		status = judge_end(launch, exit_code, failure);
	}
	escape_unwatch(&escape);
	launch_free(launch);
	return status;
}

enum status spawn_run(const struct spawn *spawn, int *exit_code, struct failure *failure)
{
	int saved_errno = errno;
	int cancel_state;
	enum status status;

	*exit_code = -1;
	/* poll() and read() are cancellation points, and a cancelled thread would not clean up */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	status = run_program(spawn, exit_code, failure);
	pthread_setcancelstate(cancel_state, NULL);
	errno = saved_errno;
	return status;
}
