/*
 * Starts many processes of one command at once: herd NUMBER COMMAND…
 *
 * Prints, separated by tabs: milliseconds until all had ended, and how many failed. stdin comes
 * from the file that is stdin here, for each from its beginning; stdout goes to /dev/null.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t files;
	long number = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	double start = now_ms();
	int failures = 0;
	int status;
	pid_t pid;

	if (number < 1) {
		fprintf(stderr, "usage: herd NUMBER COMMAND…\n");
		return 2;
	}
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/stdin", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (long i = 0; i < number; i++)
		failures += posix_spawnp(&pid, argv[2], &files, NULL, argv + 2, environ) != 0;
	while (wait(&status) > 0)
		failures += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	printf("%.1f\t%d\n", now_ms() - start, failures);
	return 0;
}
