/*
 * Runs the fuzzer of calls on programs made at random:  random STEPS [SEED]
 *
 * A program that breaks a promise is left in the file named by CALLS_FOUND, if that is set.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../fuzz.h"
#include "app.h"

enum { STEPS_MIN = 4, STEPS_MOST = 60 };

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

int main(int argc, char **argv)
{
	unsigned long steps = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, taken = 0;

	state = argc > 2 ? strtoull(argv[2], NULL, 10) * 2 + 1 : 1;
	signal(SIGABRT, keep);
	while (taken < steps) {
		size_t count = STEPS_MIN + draw() % (STEPS_MOST - STEPS_MIN);

		length = 1 + count * APP_STEP_BYTES;
		for (size_t i = 0; i < length; i++)
			program[i] = (uint8_t)draw();
		LLVMFuzzerTestOneInput(program, length);
		taken += count;
	}
	fprintf(stderr, "%lu steps\n", taken);
	return 0;
}
