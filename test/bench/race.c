/*
 * Times commands side by side: round by round each runs once, so that whatever else the machine
 * does falls on all of them alike.
 *
 *	race ROUNDS NAME [VARIABLE=VALUE…] [<FILE] COMMAND… [:: NAME …]
 *
 * stdin comes from FILE or /dev/null, stdout goes to /dev/null. For each command one line, fields
 * separated by tabs: name, runs that ended well, median, first and third quartile, minimum and
 * maximum in microseconds, the median over all rounds of its time by that of the first command in
 * the same round, peak memory in KiB (the least seen, as a child also counts what its
 *launcher had before exec; that is why this is a small static program).
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNNERS_MAX = 16, VARIABLES_MAX = 512 };

struct runner {
	const char *name;
	const char *input;
	char **argv;
	char *environment[VARIABLES_MAX];
	long *microseconds; /* by round, 0 where it failed */
	long memory_kib;
};

extern char **environ;

static void refuse(const char *why)
{
	fprintf(stderr, "race: %s\n", why);
	exit(2);
}

/* ---- who runs ---- */

/* The variables of this process with one more or another; of two by one name the first counts. */
static size_t copy_environment(struct runner *runner, size_t count)
{
	for (char **variable = environ; *variable && count + 1 < VARIABLES_MAX; variable++) {
		size_t name = strcspn(*variable, "=") + 1;
		bool replaced = false;

		for (size_t i = 0; i < count && !replaced; i++)
			replaced = strncmp(runner->environment[i], *variable, name) == 0;
		if (!replaced)
			runner->environment[count++] = *variable;
	}
	return count;
}

static void read_runner(struct runner *runner, char **words, size_t rounds)
{
	size_t variables = 0;

	*runner = (struct runner){.name = *words++, .input = "/dev/null"};
	for (; *words && (strchr(*words, '=') || **words == '<'); words++) {
		if (**words == '<')
			runner->input = *words + 1;
		else
			runner->environment[variables++] = *words;
	}
	if (!*words)
		refuse("a command is missing");
	runner->argv = words;
	runner->environment[copy_environment(runner, variables)] = NULL;
	runner->microseconds = calloc(rounds, sizeof(*runner->microseconds));
	if (!runner->microseconds)
		refuse("out of memory");
}

static size_t read_runners(struct runner *runners, char **words, size_t rounds)
{
	size_t count = 0;

	while (*words) {
		char **end = words;

		while (*end && strcmp(*end, "::") != 0)
			end++;
		char **next = *end ? end + 1 : end;
		*end = NULL;
		if (count == RUNNERS_MAX)
			refuse("too many commands");
		read_runner(&runners[count++], words, rounds);
		words = next;
	}
	return count;
}

/* ---- one run ---- */

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void run(struct runner *runner, size_t round)
{
	posix_spawn_file_actions_t files;
	struct rusage usage;
	long long start;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, runner->input, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	start = now_ns();
	if (posix_spawnp(&pid, runner->argv[0], &files, NULL, runner->argv, runner->environment) ||
		wait4(pid, &status, 0, &usage) != pid)
		refuse("a command cannot be run");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		runner->microseconds[round] = (long)((now_ns() - start) / 1000) + 1;
		if (runner->memory_kib == 0 || usage.ru_maxrss < runner->memory_kib)
			runner->memory_kib = usage.ru_maxrss;
	}
	posix_spawn_file_actions_destroy(&files);
}

/* ---- all of them ---- */

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

/* At its place in order: 0 is the least, 1 the most. 0 where there is none. */
static double quantile(double *values, size_t count, double place)
{
	qsort(values, count, sizeof(*values), compare);
	return count > 0 ? values[(size_t)(place * (double)(count - 1))] : 0;
}

static void report(const struct runner *runner, const struct runner *first, size_t rounds)
{
	double *times = calloc(rounds, sizeof(*times));
	double *ratios = calloc(rounds, sizeof(*ratios));
	size_t count = 0;
	size_t pairs = 0;

	if (!times || !ratios)
		refuse("out of memory");
	for (size_t round = 0; round < rounds; round++) {
		double own = (double)runner->microseconds[round];
		double other = (double)first->microseconds[round];

		if (own > 0)
			times[count++] = own;
		if (own > 0 && other > 0)
			ratios[pairs++] = own / other;
	}
	printf("%s\t%zu", runner->name, count);
	for (size_t i = 0; i < 5; i++)
		printf("\t%.0f", quantile(times, count, (const double[]){.5, .25, .75, 0, 1}[i]));
	printf("\t%.4f\t%ld\n", quantile(ratios, pairs, .5), runner->memory_kib);
	free(times);
	free(ratios);
}

int main(int argc, char **argv)
{
	static struct runner runners[RUNNERS_MAX];
	long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	size_t count;

	if (rounds < 1)
		refuse("usage: race ROUNDS NAME [VARIABLE=VALUE…] [<FILE] COMMAND… [:: NAME …]");
	count = read_runners(runners, argv + 2, (size_t)rounds);

	/* nobody is always the first, or always behind the same one's mess */
	for (size_t round = 0; round < (size_t)rounds; round++) {
		for (size_t i = 0; i < count; i++)
			run(&runners[(round + i) % count], round);
	}
	for (size_t i = 0; i < count; i++)
		report(&runners[i], &runners[0], (size_t)rounds);
	return 0;
}
