#include "core/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DESCRIPTORS_MAX = 1 << 20,
	STOP_SIGNAL = SIGALRM,   /* a signal that nobody sends to a process group */
	OTHER_PID_NAMESPACE = 0, /* what getppid() returns if the parent is in another one */
	UNKNOWN_WAIT_STATUS = 255 << 8,
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

BESIDE_CALLER static void write_report(int fd, enum watcher_event event, int value)
{
	struct watcher_report report = {.event = event, .value = value};

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
BESIDE_CALLER static bool place_streams(const struct watcher *watcher)
{
	for (int i = WATCHER_CHANNELS - 1; i >= 0; i--) {
		int fd = watcher->descriptors[i];

		if (fd >= 0 && syscall(SYS_dup3, fd, i, i == WATCHER_REPORT ? O_CLOEXEC : 0) < 0)
			return false;
	}
	close_from(WATCHER_CHANNELS);

	for (int stream = 0; stream < WATCHER_REPORT; stream++) {
		if (watcher->descriptors[stream] >= 0)
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
		syscall(SYS_rt_sigaction, signal, all_default, NULL, WATCHER_SIGSET_BYTES);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, none_blocked, NULL, WATCHER_SIGSET_BYTES);
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

	syscall(SYS_rt_sigaction, SIGTTIN, ignored, NULL, WATCHER_SIGSET_BYTES);
}

BESIDE_CALLER static int become_program(void *argument)
{
	const struct watcher *watcher = argument;

	syscall(SYS_setpgid, 0, 0); /* so that what the program starts is killed with it */
	take_terminal(watcher->terminal, (pid_t)syscall(SYS_getpid));
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* if the watcher died before prctl(), nobody would ever send the signal */
	if (syscall(SYS_getppid) == watcher->own_pid) {
		reset_signals();
		if (watcher->asks && watcher->terminal < 0)
			refuse_terminal();
		if (place_streams(watcher)) {
			syscall(SYS_execve, watcher->path, watcher->argv, watcher->envp);
			write_report(WATCHER_REPORT, WATCHER_NO_PROGRAM, errno);
		} else {
			write_report(WATCHER_REPORT, WATCHER_NO_STREAMS, errno);
		}
	}
	syscall(SYS_exit_group, 127);
	return 127;
}

/* Wait until the program has ended. On STOP_SIGNAL, kill it and its process group. */
BESIDE_CALLER static int watch_program(pid_t program)
{
	unsigned long watched[8] = {1UL << (SIGCHLD - 1) | 1UL << (STOP_SIGNAL - 1)};
	int status = UNKNOWN_WAIT_STATUS;

	while (syscall(SYS_wait4, program, &status, WNOHANG, NULL) == 0) {
		if (syscall(SYS_rt_sigtimedwait, watched, NULL, NULL, WATCHER_SIGSET_BYTES) !=
			STOP_SIGNAL)
			continue;
		syscall(SYS_kill, -program, SIGKILL);
		syscall(SYS_kill, program, SIGKILL);
	}
	return status;
}

/* Every signal is blocked here, as it was in the caller when the watcher was started. */
BESIDE_CALLER static void guard_program(struct watcher *watcher)
{
	static const unsigned long all_default[8];
	int fd = watcher->descriptors[WATCHER_REPORT];
	int status = 0;
	pid_t program;
	pid_t parent;

	watcher->own_pid = (pid_t)syscall(SYS_getpid);
	syscall(SYS_rt_sigaction, SIGCHLD, all_default, NULL, WATCHER_SIGSET_BYTES);
	syscall(SYS_prctl, PR_SET_PDEATHSIG, STOP_SIGNAL, 0, 0, 0);
	parent = (pid_t)syscall(SYS_getppid);
	if (parent != watcher->caller && parent != OTHER_PID_NAMESPACE)
		return;

	program = clone(
		become_program, watcher->program_stack, CLONE_VM | CLONE_VFORK | SIGCHLD, watcher);
	if (program < 0)
		write_report(fd, WATCHER_NO_PROCESS, errno);
	write_report(fd, WATCHER_STARTED, 0);
	if (program > 0)
		status = watch_program(program);
	write_report(fd, WATCHER_ENDED, status);
}

/*
 * After a fork, an emulator takes a return for the end of a thread, and may wait for another that
 * the fork has lost. Without a fork, valgrind takes exit_group() for the end of the host.
 */
BESIDE_CALLER static int watcher_main(void *argument)
{
	struct watcher *watcher = argument;

	guard_program(watcher);
	if (watcher->forked)
		syscall(SYS_exit_group, 0);
	return 0;
}

bool watcher_start(struct watcher *watcher)
{
	/* The second way, visible to a host, is for emulators that know only threads and fork. */
	static const int ways[] = {CLONE_VM | CLONE_FS | CLONE_FILES, SIGCHLD};
	pid_t pid = -1;

	for (size_t i = 0; pid < 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		watcher->forked = !(ways[i] & CLONE_VM);
		pid = clone(watcher_main, watcher->stack, ways[i], watcher);
	}
	if (pid > 0)
		watcher->pid = pid;
	return pid > 0;
}

void watcher_stop(const struct watcher *watcher)
{
	kill(watcher->pid, STOP_SIGNAL);
}

void watcher_reap(const struct watcher *watcher, bool ended)
{
	take_terminal(watcher->terminal, getpgrp());
	if (!ended)
		kill(watcher->pid, SIGKILL);
	waitpid(watcher->pid, NULL, __WALL);
}
