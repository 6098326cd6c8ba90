/*
 * spawn MILLISECONDS BYTES PROGRAM [ARGUMENT…]: run it on our stdin, with that much time and room,
 *	and print what came of it.
 * spawn HOST: call spawn_run() in an awkward host, and say what the host noticed.
 */
#include "core/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 20, THREADS = 8, THREAD_CALLS = 50, BYSTANDER_ERRNO = 4711 };

static atomic_int complaints;

static void complain(const char *what, const char *detail)
{
	complaints++;
	fprintf(stderr, "%s: %s\n", what, detail);
}

static void expect(bool fine, const char *what)
{
	if (!fine)
		complain(what, "no");
}

/* The program sees three descriptors (and the one its glob reads with), and signals as in a shell.
 */
static void call(void)
{
	static char script[] = "cat; echo /proc/self/fd/*; echo oops >&2;"
			       "grep -cE '^Sig(Blk|Ign):\t0{16}$' /proc/self/status; exit 7";
	char *argv[] = {"sh", "-c", script, NULL};
	char *envp[] = {"PATH=/usr/bin:/bin", NULL};
	struct buffer output = BUFFER_INIT(1000);
	struct buffer errors = BUFFER_INIT(1000);
	struct spawn spawn = {.path = "/bin/sh",
		.argv = argv,
		.envp = envp,
		.input = "in\n",
		.input_length = 3,
		.output = &output,
		.errors = &errors,
		.timeout_ms = 20000};
	struct failure failure = {.reason = ""};
	sigset_t before;
	sigset_t after;
	int code = 0;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	errno = BYSTANDER_ERRNO;
	if (spawn_run(&spawn, &code, &failure))
		complain("spawn_run", failure.reason);
	expect(errno == BYSTANDER_ERRNO, "errno is kept");
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int signal = 1; signal < NSIG; signal++)
		expect(sigismember(&before, signal) == sigismember(&after, signal),
			"the signal mask is kept");
	expect(code == 7, "the exit code is 7");
	if (strcmp(buffer_text(&output),
		    "in\n/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3\n2\n"))
		complain("unexpected output", buffer_text(&output));
	if (strcmp(buffer_text(&errors), "oops\n"))
		complain("unexpected errors", buffer_text(&errors));
	buffer_release(&output);
	buffer_release(&errors);
}

static void calls(void)
{
	for (int i = 0; i < CALLS; i++)
		call();
}

static int open_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void expect_no_child(void)
{
	expect(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD, "no child is left");
}

/* Hosts ------------------------------------------------------------------------------------- */

static atomic_int seen;

static void on_signal(int signal)
{
	(void)signal;
	seen++;
}

static void on_child(int signal)
{
	(void)signal;
	seen++;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void handle(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(signal, &action, NULL);
}

static void host_plain(void)
{
	calls();
}

static void host_reaper(void)
{
	handle(SIGCHLD, on_child);
	calls();
	expect(seen == 0, "no SIGCHLD was raised");
}

static void host_ignorant(void)
{
	handle(SIGCHLD, SIG_IGN);
	calls();
}

static void *wait_for_anything(void *argument)
{
	pid_t *ended = argument;

	*ended = wait(NULL);
	return NULL;
}

static void host_waiter(void)
{
	pid_t ended = 0;
	pthread_t waiter;
	pid_t own = fork();

	if (own == 0) {
		pause();
		_exit(0);
	}
	pthread_create(&waiter, NULL, wait_for_anything, &ended);
	calls();
	kill(own, SIGKILL);
	pthread_join(waiter, NULL);
	expect(ended == own, "wait() sees the host's own child only");
}

static void host_subreaper(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	calls();
}

static void host_closed(void)
{
	int saved[3];

	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		close(fd);
	}
	calls();
	for (int fd = 0; fd < 3; fd++) {
		expect(fcntl(fd, F_GETFD) == -1, "what was closed stays so");
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
}

static void *call_once(void *argument)
{
	(void)argument;
	call();
	return NULL;
}

static void host_small(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	for (int i = 0; i < CALLS; i++) {
		pthread_create(&thread, &attributes, call_once, NULL);
		pthread_join(thread, NULL);
	}
	pthread_attr_destroy(&attributes);
}

/* Three GiB, of which every page that is touched would have to be copied by a fork. */
static void host_large(void)
{
	const size_t size = (size_t)3 << (sizeof(void *) > 4 ? 30 : 28);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	expect(memory != MAP_FAILED, "there is memory");
	for (size_t i = 0; i < size / 16; i += 4096)
		memory[i] = 1;
	calls();
	munmap(memory, size);
}

static void *call_often(void *argument)
{
	(void)argument;
	for (int i = 0; i < THREAD_CALLS; i++)
		call();
	return NULL;
}

static void host_threads(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, call_often, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

/* Forks, all the while, children that hold whatever is open just then. */
static void *fork_often(void *argument)
{
	atomic_bool *enough = argument;
	pid_t children[200];
	int count = 0;

	for (; !*enough && count < 200; count++) {
		children[count] = fork();
		if (children[count] == 0) {
			pause();
			_exit(0);
		}
	}
	while (!*enough)
		usleep(1000);
	while (count-- > 0) {
		kill(children[count], SIGKILL);
		waitpid(children[count], NULL, 0);
	}
	return NULL;
}

static void host_forker(void)
{
	atomic_bool enough = false;
	pthread_t forker;

	pthread_create(&forker, NULL, fork_often, &enough);
	calls();
	enough = true;
	pthread_join(forker, NULL);
}

/* Descriptors run out: a plain refusal, and as soon as there are some again, it works. */
static void host_exhausted(void)
{
	char *argv[] = {"true", NULL};
	struct buffer output = BUFFER_INIT(10);
	struct spawn spawn = {.path = "/bin/true",
		.argv = argv,
		.envp = argv + 1,
		.input = "",
		.output = &output};
	struct rlimit limit = {.rlim_cur = 100, .rlim_max = 100};
	struct failure failure = {.reason = ""};
	int fds[100];
	int count = 0;
	int code = 0;

	spawn.errors = &output;
	spawn.timeout_ms = 5000;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (count < 100 && (fds[count] = open("/dev/null", O_RDONLY)) >= 0)
		count++;
	for (int room = 0; room < 8; room++) {
		expect(spawn_run(&spawn, &code, &failure) == STATUS_SYSTEM, "refused");
		expect(strstr(failure.reason, strerror(EMFILE)), "the reason is told");
		close(fds[--count]);
	}
	call();
	while (count > 0)
		close(fds[--count]);
}

/* Signals that interrupt every call there is, every millisecond. */
static void host_alarmed(void)
{
	struct itimerval every = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000};
	struct itimerval never = {.it_interval.tv_usec = 0};

	handle(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &every, NULL);
	calls();
	setitimer(ITIMER_REAL, &never, NULL);
	expect(seen > 0, "the host's handler ran");
}

static void host_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	handle(SIGPIPE, SIG_IGN);
	handle(SIGALRM, SIG_IGN);
	calls();
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
}

static void *call_until_cancelled(void *argument)
{
	atomic_int *progress = argument;

	*progress = 1;
	while (*progress == 1)
		;
	calls();
	*progress = 3;
	pthread_testcancel();
	*progress = 4;
	return NULL;
}

static void host_cancelled(void)
{
	atomic_int progress = 0;
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, call_until_cancelled, &progress);
	while (progress == 0)
		;
	pthread_cancel(thread);
	progress = 2;
	pthread_join(thread, &result);
	expect(progress == 3 && result == PTHREAD_CANCELED,
		"a cancelled thread ends, but not inside");
}

static void filter_calls(struct sock_filter *rules, unsigned short count)
{
	struct sock_fprog program = {.len = count, .filter = rules};

	expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no new privileges");
	expect(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "a filter");
}

/* An old kernel, or a sandbox: no close_range, no clone3. */
static void host_filtered(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef SYS_close_range
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 1, 0),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435, 0, 1), /* clone3 */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	int inheritable = open("/dev/null", O_RDONLY);

	filter_calls(rules, sizeof(rules) / sizeof(rules[0]));
	calls();
	close(inheritable);
}

/* An emulator, to which memory in common means a thread or a vfork. */
static void host_emulated(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_VM, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD | CLONE_VFORK, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter_calls(rules, sizeof(rules) / sizeof(rules[0]));
	calls();
}

static const struct {
	const char *name;
	void (*run)(void);
} hosts[] = {
	{"plain", host_plain},
	{"reaper", host_reaper},
	{"ignorant", host_ignorant},
	{"waiter", host_waiter},
	{"subreaper", host_subreaper},
	{"closed", host_closed},
	{"small", host_small},
	{"large", host_large},
	{"threads", host_threads},
	{"forker", host_forker},
	{"exhausted", host_exhausted},
	{"alarmed", host_alarmed},
	{"blocked", host_blocked},
	{"cancelled", host_cancelled},
	{"filtered", host_filtered},
	{"emulated", host_emulated},
};

static int play_host(const char *name)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		int before = open_descriptors();

		if (strcmp(hosts[i].name, name) != 0)
			continue;
		hosts[i].run();
		expect(open_descriptors() == before, "no descriptor is left");
		expect_no_child();
		if (!complaints)
			puts("nothing noticed");
		return complaints > 0;
	}
	return 2;
}

/* Run a program ------------------------------------------------------------------------------ */

static int run_program(char **argv)
{
	struct buffer input = BUFFER_INIT(1 << 24);
	struct buffer output = BUFFER_INIT(strtoul(argv[1], NULL, 10));
	struct buffer errors = BUFFER_INIT(strtoul(argv[1], NULL, 10));
	char *envp[] = {"PATH=/usr/bin:/bin", "ONLY=this", NULL};
	struct failure failure = {.reason = ""};
	enum status status;
	int code = 0;

	if (buffer_read(&input, STDIN_FILENO))
		return 2;
	status = spawn_run(&(struct spawn){.path = argv[2],
				   .argv = argv + 2,
				   .envp = envp,
				   .input = input.data,
				   .input_length = input.length,
				   .output = &output,
				   .errors = &errors,
				   .timeout_ms = strtol(argv[0], NULL, 10)},
		&code, &failure);
	printf("status %d, exit %d, reason [%s]\n", (int)status, code, failure.reason);
	printf("stdout %zu [%.300s]\n", output.length, buffer_text(&output));
	printf("stderr %zu [%.300s]\n", errors.length, buffer_text(&errors));
	buffer_release(&input);
	buffer_release(&output);
	buffer_release(&errors);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return play_host(argv[1]);
	return argc > 3 ? run_program(argv + 1) : 2;
}
