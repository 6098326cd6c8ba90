/*
 * Runs the fuzzer of calls on programs made at random:  random [--torture] STEPS [SEED]
 *
 * With --torture, each program runs with the plugin as often as it allocates memory, and each time
 * another allocation fails: then too no token goes astray, and nothing that is to have one is sent
 * without.
 * A program that breaks a promise is left in the file named by CALLS_FOUND, if that is set.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz.h"
#include "app.h"
#include "memory.h"

enum { STEPS_MIN = 4, STEPS_MOST = 60, STEPS_TORTURED = 16 };

static uint8_t program[1 + STEPS_MOST * APP_STEP_BYTES];
static size_t length;
static uint64_t state;

/* xorshift64*: the same everywhere for the same seed */
static unsigned draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (unsigned)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33);
}

static void keep(int signal)
{
	const char *path = getenv("CALLS_FOUND");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd >= 0 && write(fd, program, length) == (ssize_t)length)
		close(fd);
	_exit(128 + signal);
}

static void make_program(size_t steps)
{
	length = 1 + steps * APP_STEP_BYTES;
	for (size_t i = 0; i < length; i++)
		program[i] = (uint8_t)draw();
}

static void torture(void)
{
	unsigned long allocations;

	*program &= (uint8_t)~APP_PASS;
	memory_begin(0);
	app_run(program, length, true);
	allocations = memory_count();
	for (unsigned long chosen = 1; chosen <= allocations; chosen++) {
		memory_begin(chosen);
		app_run(program, length, true);
	}
}

int main(int argc, char **argv)
{
	bool tortured = argc > 1 && strcmp(argv[1], "--torture") == 0;
	char **numbers = argv + 1 + tortured;
	size_t most = tortured ? STEPS_TORTURED : STEPS_MOST;
	unsigned long steps, taken = 0;

	if (argc < 2 + tortured)
		return 2;
	steps = strtoul(numbers[0], NULL, 10);
	state = numbers[1] ? strtoull(numbers[1], NULL, 10) * 2 + 1 : 1;
	signal(SIGABRT, keep);
	while (taken < steps) {
		size_t count = STEPS_MIN + draw() % (most - STEPS_MIN);

		make_program(count);
		if (tortured)
			torture();
		else
			LLVMFuzzerTestOneInput(program, length);
		taken += count;
	}
	fprintf(stderr, "%lu steps\n", taken);
	return 0;
}
