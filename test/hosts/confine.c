/*
 * Executes a program that the kernel refuses some system calls:
 *
 *	confine [kill] [no-new-code] [CALL...] -- COMMAND [ARGUMENT...]
 *
 * Each CALL, a name in the table below or a number, fails with EPERM, as a container's filter has
 * it; after "kill" it ends its process instead. no-new-code is systemd's MemoryDenyWriteExecute:
 * memory that was writable cannot become executable. no_new_privs is always set.
 */
#include <ctype.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 }; /* PR_SET_MDWE, which older headers lack */
enum { CALLS_MAX = 64 };

#define CALL(name) \
	{ \
#name, SYS_##name \
	}
static const struct {
	const char *name;
	unsigned number;
} CALLS[] = {
	CALL(clone),
	CALL(clone3),
	CALL(close_range),
	CALL(copy_file_range),
	CALL(faccessat2),
	CALL(fchmod),
	CALL(fchown),
	CALL(fdatasync),
	CALL(flock),
	CALL(fsync),
	CALL(getrandom),
	CALL(io_uring_setup),
	CALL(kcmp),
	CALL(madvise),
	CALL(membarrier),
	CALL(memfd_create),
	CALL(mlock),
	CALL(openat2),
	CALL(personality),
	CALL(pidfd_open),
	CALL(pidfd_send_signal),
	CALL(pipe2),
	CALL(prctl),
	CALL(prlimit64),
	CALL(ptrace),
	CALL(renameat2),
	CALL(rseq),
	CALL(setpgid),
	CALL(setpriority),
	CALL(setrlimit),
	CALL(setsid),
	CALL(socketpair),
	CALL(statx),
	CALL(userfaultfd),
	CALL(utimensat),
	CALL(waitid),
};

static int number_of(const char *name, unsigned *number)
{
	if (isdigit((unsigned char)*name)) {
		*number = (unsigned)strtoul(name, NULL, 10);
		return 0;
	}
	for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
		if (strcmp(name, CALLS[i].name) == 0) {
			*number = CALLS[i].number;
			return 0;
		}
	}
	fprintf(stderr, "confine: no such call in the table: %s\n", name);
	return -1;
}

static int install(const unsigned *numbers, size_t count, unsigned verdict)
{
	struct sock_filter filter[2 * CALLS_MAX + 2] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog program = {.filter = filter, .len = 1};

	for (size_t i = 0; i < count; i++) {
		filter[program.len++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], 0, 1);
		filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict);
	}
	filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	unsigned numbers[CALLS_MAX], verdict = SECCOMP_RET_ERRNO | EPERM;
	size_t count = 0;
	int at;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 125;
	for (at = 1; at < argc && strcmp(argv[at], "--") != 0; at++) {
		if (strcmp(argv[at], "kill") == 0)
			verdict = SECCOMP_RET_KILL_PROCESS;
		else if (strcmp(argv[at], "no-new-code") == 0) {
			if (prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0)
				return 125;
		} else if (count == CALLS_MAX || number_of(argv[at], &numbers[count++]) != 0)
			return 125;
	}
	if (at + 1 >= argc || (count > 0 && install(numbers, count, verdict) != 0))
		return 125;
	execvp(argv[at + 1], argv + at + 1);
	return 127;
}
