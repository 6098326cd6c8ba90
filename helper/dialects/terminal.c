#include "dialects/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The signals that could end or stop the program while the terminal does not echo. */
static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM};

enum { SIGNAL_COUNT = sizeof(SIGNALS) / sizeof(SIGNALS[0]) };

static volatile sig_atomic_t caught;

/* Only note it: the mode of the terminal must be restored before the signal may end the program. */
static void note_signal(int signal_number)
{
	caught = signal_number;
}

static void catch_signals(struct sigaction before[SIGNAL_COUNT])
{
	const struct sigaction interrupt = {.sa_handler = note_signal};

	caught = 0;
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		sigaction(SIGNALS[i], NULL, &before[i]);
		/* nohup(1) ignores SIGHUP, and that must stay so */
		if (before[i].sa_handler != SIG_IGN)
			sigaction(SIGNALS[i], &interrupt, NULL);
	}
}

static void release_signals(const struct sigaction before[SIGNAL_COUNT])
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(SIGNALS[i], &before[i], NULL);
}

/* Single bytes are fast enough for what people type. No SA_RESTART: a signal must end read(). */
static enum status read_line(struct buffer *answer, struct failure *failure)
{
	enum status status = STATUS_OK;
	char byte = '\0';
	ssize_t got = 0;

	while (!status && !caught && (got = read(STDIN_FILENO, &byte, 1)) == 1 && byte != '\n')
		status = buffer_append(answer, &byte, 1);
	explicit_bzero(&byte, sizeof(byte));
	if (status)
		return status_fail(failure, status, "the answer is too long");
	if (got < 0 && !caught)
		return status_fail(
			failure, STATUS_SYSTEM, "cannot read the answer: %s", strerror(errno));
	if (got <= 0)
		return status_fail(failure, STATUS_USAGE, "no answer was given");
	return STATUS_OK;
}

enum status terminal_ask(
	const char *prompt, bool hidden, struct buffer *answer, struct failure *failure)
{
	struct sigaction before[SIGNAL_COUNT];
	struct termios shown;
	struct termios silent;
	enum status status;

	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return status_fail(failure, STATUS_SYSTEM,
			"no terminal to prompt on: %s; write the credentials to stdin",
			strerror(errno));
	silent = shown;
	if (hidden) {
		/* ECHONL: the line end that the person types still moves the cursor */
		silent.c_lflag &= ~(tcflag_t)ECHO;
		silent.c_lflag |= ECHONL;
	}
	catch_signals(before);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	if (dprintf(STDERR_FILENO, "%s", prompt) < 0)
		status = status_fail(failure, STATUS_SYSTEM, "cannot prompt: %s", strerror(errno));
	else
		status = read_line(answer, failure);
	/* TCSAFLUSH drops what was typed too early, or too much: it might be part of a secret */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	release_signals(before);
	/* now the signal may do what it would have done: end the program, or stop it */
	if (caught) {
		buffer_clear(answer);
		raise(caught);
	}
	return status;
}
