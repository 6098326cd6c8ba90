#ifndef WATCHER_H
#define WATCHER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * The process that stands between the caller of spawn_run() and the program: it starts the program,
 * kills it if it must, and reaps it. It shares the caller's memory, has no exit signal and never
 * execs, so its end raises no SIGCHLD, and a plain wait() of the host does not see it.
 *
 *	caller ---- clone ----> watcher ---- vfork ----> program
 *	  ^                        |  kills and reaps       |
 *	  |<------- report --------+                        |
 *	  |<------- stdout, stderr -------------------------+
 *
 * The watcher and, until exec, the program use the thread-local data of the calling thread, errno
 * included. So the caller blocks all signals and makes no call that fails until WATCHER_STARTED
 * arrives. After that it does not read errno until the watcher is gone.
 */
enum watcher_event {
	WATCHER_STARTED,    /* the program runs, or failed to start */
	WATCHER_NO_PROCESS, /* value is errno; so it is in the next two */
	WATCHER_NO_STREAMS,
	WATCHER_NO_PROGRAM,
	WATCHER_ENDED, /* value is the wait status */
};

struct watcher_report {
	enum watcher_event event;
	int value;
};

/* What the kernel takes for the size of a signal set. */
enum { WATCHER_SIGSET_BYTES = _NSIG / 8 };

/* The program's stdin, stdout and stderr have their numbers. */
enum { WATCHER_REPORT = 3, WATCHER_CHANNELS };

/* Memory that both use. It must stay there until the watcher has been reaped. */
struct watcher {
	const char *path; /* the program, as in struct spawn */
	char *const *argv;
	char *const *envp;
	bool asks;
	int descriptors[WATCHER_CHANNELS]; /* the far ends of the caller's; -1: none */
	int terminal;                      /* the program gets its foreground; -1: none */
	char *stack;                       /* the upper ends of two stacks */
	char *program_stack;
	pid_t caller;
	pid_t pid;     /* as the caller sees it; 0: it was not started */
	pid_t own_pid; /* as it sees itself, maybe in another pid namespace */
	bool forked;   /* it does not share our memory */
};

/* False: errno says why. The caller has blocked all signals. */
bool watcher_start(struct watcher *watcher);

/* Kill the program with its process group. WATCHER_ENDED follows. */
void watcher_stop(const struct watcher *watcher);

/*
 * Take the terminal back, and wait until the watcher is gone. ended: WATCHER_ENDED has arrived; if
 * it has not, kill the watcher, and leave the program to the kernel. The caller has blocked all
 * signals, so that the wait does not fail with EINTR and SIGTTOU does not stop us.
 */
void watcher_reap(const struct watcher *watcher, bool ended);

#endif
