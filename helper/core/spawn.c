#include "core/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/escape.h"

/*
 * Three processes take part: the caller; the watcher, which shares the caller's memory; and the
 * program, the watcher's child. The watcher has no exit signal and never execs, so its end raises
 * no SIGCHLD, and a plain wait() of the host does not see it.
 *
 *	caller ---- clone ----> watcher ---- vfork ----> program
 *	  ^                        |  kills and reaps       |
 *	  |<------- report --------+                        |
 *	  |<------- stdout, stderr -------------------------+
 *
 * The caller relies on reports and never waits for an end of file: if another thread of the host
 * forks meanwhile, its child keeps our descriptors open for any length of time. The program's stdin
 * is a socket for the same reason: shutdown() ends it in all processes that hold it.
 *
 * The watcher and, until exec, the program use the thread-local data of the calling thread, errno
 * included, and make bare system calls only. Until EVENT_STARTED arrives, the caller blocks signals
 * and makes no call that fails. After that it does not read errno until the watcher is gone.
 */
enum {
	STREAMS = 3,      /* stdin, stdout, stderr, by their numbers */
	REPORT = STREAMS, /* the watcher's reports */
	CHANNELS,
	CHUNK_BYTES = 16384,
	STACK_BYTES = 16384,
	DESCRIPTORS_MAX = 1 << 20,
	STOP_GRACE_MS = 1000,
	STOP_SIGNAL = SIGALRM, /* a signal that nobody sends to a process group */
	UNKNOWN_WAIT_STATUS = 255 << 8,
	OTHER_PID_NAMESPACE = 0, /* what getppid() returns if the parent is in another one */
	KERNEL_SIGSET_BYTES = _NSIG / 8,
};

enum event {
	EVENT_STARTED,    /* the program runs, or failed to start */
	EVENT_NO_PROCESS, /* value is errno; so it is in the next two */
	EVENT_NO_STREAMS,
	EVENT_NO_PROGRAM,
	EVENT_ENDED, /* value is the wait status */
};

struct report {
	enum event event;
	int value;
};

struct channel {
	int ours;
	int theirs; /* the program's; open here until the end */
};

/* Lies in one mapping with the two stacks. */
struct launch {
	const struct spawn *spawn;
	size_t area_bytes;
	char *watcher_stack; /* the upper ends of the stacks */
	char *program_stack;
	struct channel channels[CHANNELS];
	size_t fed_bytes;
	long long deadline_ms;
	pid_t caller;
	pid_t watcher;  /* as the caller sees it */
	pid_t guardian; /* as it sees itself, maybe in another pid namespace */
	int terminal;   /* on which the program gets the foreground; -1: none */
	bool forked;    /* the watcher does not share our memory */
	bool started;
	bool ended;
	bool reaped;
	int wait_status;
	struct report trouble; /* the last EVENT_NO_*, if value is not 0 */
	enum status status;    /* why the program was stopped, if it was */
	char chunk[CHUNK_BYTES];
};

/*
 * glibc's other name for clone(), which no sanitizer intercepts: TSan's own clone() crashes a child
 * that shares memory. It is NULL if musl has loaded the plugin.
 */
#ifdef __GLIBC__
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the C library's name */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
	__attribute__((weak));
#define clone (*(__clone ? __clone : clone))
#endif

/*
 * For code that runs beside the caller on its thread-local data: it would corrupt the sanitizers'
 * bookkeeping there. They do not intercept syscall().
 */
#define BESIDE_CALLER __attribute__((no_sanitize("address", "thread")))

BESIDE_CALLER static void report(int fd, enum event event, int value)
{
	struct report report = {.event = event, .value = value};

	syscall(SYS_write, fd, &report, sizeof(report));
}

/* Close every descriptor from first on, even if the kernel or a filter has no close_range(). */
BESIDE_CALLER static void close_from(unsigned first)
{
	uint64_t limit[2] = {0}; /* soft, hard */

#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, limit);
	if (limit[0] > DESCRIPTORS_MAX)
		limit[0] = DESCRIPTORS_MAX;
	for (unsigned fd = first; fd < limit[0]; fd++)
		syscall(SYS_close, fd);
}

/* Place the program's descriptors: 0, 1, 2, and the report on 3 until exec succeeds. */
BESIDE_CALLER static bool place_streams(const struct launch *launch)
{
	for (int i = CHANNELS - 1; i >= 0; i--) {
		int fd = launch->channels[i].theirs;

		if (fd >= 0 && syscall(SYS_dup3, fd, i, i == REPORT ? O_CLOEXEC : 0) < 0)
			return false;
	}
	close_from(CHANNELS);

	for (int stream = 0; stream < STREAMS; stream++) {
		if (launch->channels[stream].theirs >= 0)
			continue;
		if (stream == STDERR_FILENO && syscall(SYS_fcntl, stream, F_SETFD, 0) == 0)
			continue;
		syscall(SYS_close, stream);
		if (syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR) != stream)
			return false;
	}
	return true;
}

/* Reset the handlers before the mask: an unblocked handler would run on the host's memory. */
BESIDE_CALLER static void reset_signals(void)
{
	static const unsigned long all_default[8]; /* a struct sigaction for any kernel */
	static const unsigned long none_blocked[8];

	for (int signal = 1; signal < _NSIG; signal++)
		syscall(SYS_rt_sigaction, signal, all_default, NULL, KERNEL_SIGSET_BYTES);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none_blocked, NULL, KERNEL_SIGSET_BYTES);
}

/* In the background TIOCSPGRP raises SIGTTOU, which would stop us. Callers block it. */
BESIDE_CALLER static void take_terminal(int terminal, pid_t group)
{
	if (terminal >= 0)
		syscall(SYS_ioctl, terminal, TIOCSPGRP, &group);
}

/* Ignore SIGTTIN: a read from the background then fails at once and does not stop the program. */
BESIDE_CALLER static void refuse_terminal(void)
{
	static const unsigned long ignored[8] = {(unsigned long)SIG_IGN};

	syscall(SYS_rt_sigaction, SIGTTIN, ignored, NULL, KERNEL_SIGSET_BYTES);
}

BESIDE_CALLER static int become_program(void *argument)
{
	const struct launch *launch = argument;
	const struct spawn *spawn = launch->spawn;

	syscall(SYS_setpgid, 0, 0);
	take_terminal(launch->terminal, (pid_t)syscall(SYS_getpid));
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (syscall(SYS_getppid) == launch->guardian) {
		reset_signals();
		if (launch->spawn->asks && launch->terminal < 0)
			refuse_terminal();
		if (place_streams(launch)) {
			syscall(SYS_execve, spawn->path, spawn->argv, spawn->envp);
			report(REPORT, EVENT_NO_PROGRAM, errno);
		} else {
			report(REPORT, EVENT_NO_STREAMS, errno);
		}
	}
	syscall(SYS_exit_group, 127);
	return 127;
}

/* Wait until the program has ended. On STOP_SIGNAL, kill it and its process group. */
BESIDE_CALLER static int watch(pid_t program)
{
	unsigned long watched[8] = {1UL << (SIGCHLD - 1) | 1UL << (STOP_SIGNAL - 1)};
	int status = UNKNOWN_WAIT_STATUS;

	while (syscall(SYS_wait4, program, &status, WNOHANG, NULL) == 0) {
		if (syscall(SYS_rt_sigtimedwait, watched, NULL, NULL, KERNEL_SIGSET_BYTES) !=
			STOP_SIGNAL)
			continue;
		syscall(SYS_kill, -program, SIGKILL);
		syscall(SYS_kill, program, SIGKILL);
	}
	return status;
}

/* start() has blocked every signal before the clone. */
BESIDE_CALLER static void guard(struct launch *launch)
{
	static const unsigned long all_default[8];
	int fd = launch->channels[REPORT].theirs;
	int status = 0;
	pid_t program;
	pid_t parent;

	launch->guardian = (pid_t)syscall(SYS_getpid);
	syscall(SYS_rt_sigaction, SIGCHLD, all_default, NULL, KERNEL_SIGSET_BYTES);
	syscall(SYS_prctl, PR_SET_PDEATHSIG, STOP_SIGNAL, 0, 0, 0);
	parent = (pid_t)syscall(SYS_getppid);
	if (parent != launch->caller && parent != OTHER_PID_NAMESPACE)
		return;

	program = clone(
		become_program, launch->program_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, launch);
	if (program < 0)
		report(fd, EVENT_NO_PROCESS, errno);
	report(fd, EVENT_STARTED, 0);
	if (program > 0)
		status = watch(program);
	report(fd, EVENT_ENDED, status);
}

/*
 * After a fork, an emulator takes a return for the end of a thread, and may wait for another that
 * the fork has lost. Without a fork, valgrind takes exit_group() for the end of the host.
 */
BESIDE_CALLER static int watcher_main(void *argument)
{
	struct launch *launch = argument;

	guard(launch);
	if (launch->forked)
		syscall(SYS_exit_group, 0);
	return 0;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void stop(struct launch *launch, enum status status)
{
	launch->status = status;
	launch->deadline_ms = now_ms() + STOP_GRACE_MS;
	kill(launch->watcher, STOP_SIGNAL);
}

static void hear(struct launch *launch)
{
	struct report report;

	if (read(launch->channels[REPORT].ours, &report, sizeof(report)) != sizeof(report))
		return;
	switch (report.event) {
	case EVENT_STARTED:
		launch->started = true;
		break;
	case EVENT_NO_PROCESS:
	case EVENT_NO_STREAMS:
	case EVENT_NO_PROGRAM:
		launch->trouble = report;
		break;
	case EVENT_ENDED:
		launch->ended = true;
		launch->wait_status = report.value;
		break;
	}
}

static void feed(struct launch *launch)
{
	const struct spawn *spawn = launch->spawn;
	struct channel *channel = &launch->channels[STDIN_FILENO];
	ssize_t sent = send(channel->ours, spawn->input + launch->fed_bytes,
		spawn->input_length - launch->fed_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent > 0)
		launch->fed_bytes += (size_t)sent;
	if (launch->fed_bytes < spawn->input_length)
		return;
	shutdown(channel->ours, SHUT_WR);
	close(channel->ours);
	channel->ours = -1;
}

/* False: there is nothing to read now, or the program is being stopped. */
static bool collect(struct launch *launch, int stream)
{
	struct buffer *buffer =
		stream == STDOUT_FILENO ? launch->spawn->output : launch->spawn->errors;
	int fd = launch->channels[stream].ours;
	ssize_t length = fd < 0 ? 0 : read(fd, launch->chunk, sizeof(launch->chunk));
	enum status status;

	if (length <= 0 || launch->status)
		return false;
	status = buffer_append(buffer, launch->chunk, (size_t)length);
	if (status)
		stop(launch, status);
	return status == STATUS_OK;
}

/* Wait for one event and handle it. False: the deadline has passed. */
static bool exchange(struct launch *launch)
{
	bool talking = launch->started && !launch->status;
	long long left_ms = launch->deadline_ms - now_ms();
	struct pollfd polled[CHANNELS];

	if (left_ms <= 0)
		return false;
	for (int i = 0; i < CHANNELS; i++) {
		polled[i].fd = talking || i == REPORT ? launch->channels[i].ours : -1;
		polled[i].events = i == STDIN_FILENO ? POLLOUT : POLLIN;
	}
	if (poll(polled, CHANNELS, left_ms < INT_MAX ? (int)left_ms : INT_MAX) <= 0)
		return true;

	if (polled[REPORT].revents)
		hear(launch);
	if (polled[STDIN_FILENO].revents)
		feed(launch);
	if (polled[STDOUT_FILENO].revents)
		collect(launch, STDOUT_FILENO);
	if (polled[STDERR_FILENO].revents)
		collect(launch, STDERR_FILENO);
	return true;
}

static void block_signals(unsigned long previous[8])
{
	unsigned long all[8];

	memset(all, 0xff, sizeof(all));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, previous, KERNEL_SIGSET_BYTES);
}

static void restore_signals(const unsigned long previous[8])
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, previous, NULL, KERNEL_SIGSET_BYTES);
}

static bool start(struct launch *launch)
{
	/* The second way, visible to a host, is for emulators that know only threads and fork. */
	static const int ways[] = {CLONE_VM | CLONE_FS | CLONE_FILES, SIGCHLD};
	unsigned long mask[8];
	pid_t pid = -1;

	block_signals(mask);
	for (size_t i = 0; pid < 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		launch->forked = !(ways[i] & CLONE_VM);
		pid = clone(watcher_main, launch->watcher_stack, ways[i], launch);
	}
	if (pid > 0) {
		launch->watcher = pid;
		while (!launch->started && exchange(launch))
			;
	}
	restore_signals(mask);
	return pid > 0;
}

static void converse(struct launch *launch)
{
	while (!launch->ended) {
		if (exchange(launch))
			continue;
		if (launch->status)
			break; /* the program sleeps in the kernel, where no signal reaches it */
		stop(launch, STATUS_TIMEOUT);
	}

	/* The program's whole output is in the pipes now. */
	while (collect(launch, STDOUT_FILENO))
		;
	while (collect(launch, STDERR_FILENO))
		;
}

/* Only a process in the foreground can pass it on. */
static int open_terminal(const struct spawn *spawn)
{
	int terminal = spawn->asks ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;

	if (terminal >= 0 && tcgetpgrp(terminal) != getpgrp()) {
		close(terminal);
		terminal = -1;
	}
	return terminal;
}

/* Block signals so that the wait does not fail with EINTR and SIGTTOU does not stop us. */
static void reap(struct launch *launch)
{
	unsigned long mask[8];

	block_signals(mask);
	take_terminal(launch->terminal, getpgrp());
	if (!launch->ended)
		kill(launch->watcher, SIGKILL);
	waitpid(launch->watcher, NULL, __WALL);
	launch->reaped = true;
	restore_signals(mask);
}

static enum status verdict(const struct launch *launch, int *exit_code, struct failure *failure)
{
	static const char *const troubles[] = {
		[EVENT_NO_PROCESS] = "no process for",
		[EVENT_NO_STREAMS] = "no standard streams for",
		[EVENT_NO_PROGRAM] = "cannot run",
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
		return status_fail(failure, launch->status, "%s said more than can be held", path);
	*exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return STATUS_OK;
}

/* Move fd above the numbers that place_streams() replaces. */
static bool raise_descriptor(int *fd)
{
	int raised;

	if (*fd > REPORT)
		return true;
	raised = fcntl(*fd, F_DUPFD_CLOEXEC, REPORT + 1);
	close(*fd);
	*fd = raised;
	return raised >= 0;
}

static bool open_channel(struct channel *channel, int number)
{
	int pair[2];

	if (number == STDIN_FILENO ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)
				   : pipe2(pair, O_CLOEXEC))
		return false;
	channel->ours = pair[0];
	channel->theirs = pair[1];
	if (!raise_descriptor(&channel->ours) || !raise_descriptor(&channel->theirs))
		return false;
	return number == STDIN_FILENO || fcntl(channel->ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_channels(struct launch *launch)
{
	const struct spawn *spawn = launch->spawn;
	const bool wanted[CHANNELS] = {spawn->input, spawn->output, spawn->errors, true};

	for (int i = 0; i < CHANNELS; i++)
		if (wanted[i] && !open_channel(&launch->channels[i], i))
			return false;
	return true;
}

static void close_channels(struct launch *launch)
{
	for (int i = 0; i < CHANNELS; i++) {
		if (launch->channels[i].ours >= 0)
			close(launch->channels[i].ours);
		if (launch->channels[i].theirs >= 0)
			close(launch->channels[i].theirs);
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
	launch->watcher_stack = area + head + page + stack;
	launch->program_stack = area + bytes;
	mprotect(area + head, page, PROT_NONE);
	mprotect(launch->watcher_stack, page, PROT_NONE);
	for (int i = 0; i < CHANNELS; i++)
		launch->channels[i] = (struct channel){.ours = -1, .theirs = -1};
	launch->terminal = open_terminal(spawn);
	launch->deadline_ms = now_ms() + spawn->timeout_ms;
	launch->caller = getpid();
	return launch;
}

/* Until exec succeeds the program runs on its stack in here. If it hangs there, keep the memory. */
static void launch_free(struct launch *launch)
{
	close_channels(launch);
	if (launch->terminal >= 0)
		close(launch->terminal);
	explicit_bzero(launch->chunk, sizeof(launch->chunk));
	if (launch->watcher == 0 || launch->started)
		munmap(launch, launch->area_bytes);
}

/* A signal handler jumps out of spawn_run(): leave no process and no descriptor behind. */
static void abandon(void *argument)
{
	struct launch *launch = argument;

	if (launch->watcher && !launch->reaped) {
		stop(launch, STATUS_TIMEOUT);
		while (!launch->ended && exchange(launch))
			;
		reap(launch);
	}
	launch_free(launch);
}

static enum status run(const struct spawn *spawn, int *exit_code, struct failure *failure)
{
	struct launch *launch = launch_new(spawn);
	struct escape escape;
	enum status status;

	if (!launch)
		return status_fail(failure, STATUS_NO_MEMORY, "no memory to run %s", spawn->path);
	escape_watch(&escape, abandon, launch);
	if (!open_channels(launch)) {
		status = status_fail(failure, STATUS_SYSTEM, "no descriptors to run %s: %s",
			spawn->path, strerror(errno));
	} else if (!start(launch)) {
		status = status_fail(failure, STATUS_SYSTEM, "no process to run %s: %s",
			spawn->path, strerror(errno));
	} else {
		converse(launch);
		reap(launch);
		status = verdict(launch, exit_code, failure);
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
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	status = run(spawn, exit_code, failure);
	pthread_setcancelstate(cancel_state, NULL);
	errno = saved_errno;
	return status;
}
