/*
 * sypht-credential: a token for whoever asks, in the language the caller speaks. This file hardens
 * the process, picks the verb, and turns the outcome into output and exit status; it alone reads
 * the clock and ends the program.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attributes.h"
#include "buffer.h"
#include "dialects/call.h"
#include "dialects/git.h"
#include "dialects/shell.h"
#include "dialects/status.h"
#include "process.h"
#include "settings.h"
#include "trace.h"

#define PROGRAM "sypht-credential"

static const char USAGE[] =
	"usage: sypht-credential [OPTION…] VERB [URL]\n"
	"\n"
	"For git and other callers of credential helpers (key=value lines on stdin):\n"
	"  get                a token for the place that stdin describes\n"
	"  store, erase       keep or drop client credentials; drop cached tokens\n"
	"  capability         what this helper speaks\n"
	"\n"
	"For the shell (URL defaults to the first origin of the profile):\n"
	"  token [URL]        the bare token\n"
	"  header [URL]       an Authorization header, for curl -H @-\n"
	"  curl-config [URL]  an option line, for curl -K -\n"
	"  status             profiles, origins, where the secret is, what is cached\n"
	"\n"
	"Options:\n"
	"  --profile NAME     look at this profile only (also: SYPHT_PROFILE)\n"
	"  --min-valid SECS   a token that lives at least so long\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 answered or nothing to say, 1 no token, 2 wrong usage or input.\n";

static enum status show_help(struct call *call, struct failure *failure)
{
	(void)failure;
	return buffer_append_text(call->reply, USAGE);
}

static enum status show_version(struct call *call, struct failure *failure)
{
	(void)failure;
	return buffer_append_text(call->reply, PROGRAM " " SYPHT_VERSION "\n");
}

static const struct {
	const char *name;
	call_verb *run;
	int operands; /* at most */
} VERBS[] = {
	{"get", git_get, 0},
	{"store", git_store, 0},
	{"erase", git_erase, 0},
	{"capability", git_capability, 0},
	{"token", shell_token, 1},
	{"header", shell_header, 1},
	{"curl-config", shell_curl_config, 1},
	{"status", status_show, 0},
	{"help", show_help, 0},
};

enum { VERB_COUNT = sizeof(VERBS) / sizeof(VERBS[0]) };

/* Later versions of git may have verbs we do not know; they get the silence they ask for. */
static enum status ignore(struct call *call, struct failure *failure)
{
	(void)call;
	if (isatty(STDIN_FILENO))
		return status_fail(failure, STATUS_USAGE, "no such verb; see " PROGRAM " --help");
	return STATUS_OK;
}

static enum status pick_verb(
	int argc, char **argv, struct call *call, call_verb **verb, struct failure *failure)
{
	const char *name = argv[optind];
	int operands = argc - optind - 1;

	if (!name)
		return status_fail(
			failure, STATUS_USAGE, "a verb is missing; see " PROGRAM " --help");
	*verb = ignore;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (strcmp(VERBS[i].name, name) != 0)
			continue;
		if (operands > VERBS[i].operands)
			return status_fail(failure, STATUS_USAGE, "%s: '%s' is one word too many",
				name, argv[optind + 1 + VERBS[i].operands]);
		*verb = VERBS[i].run;
	}
	call->url = operands > 0 ? argv[optind + 1] : NULL;
	return STATUS_OK;
}

static enum status read_seconds(const char *text, long *seconds, struct failure *failure)
{
	char *end;

	errno = 0;
	*seconds = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *seconds < 0)
		return status_fail(
			failure, STATUS_USAGE, "--min-valid: '%s' is no number of seconds", text);
	return STATUS_OK;
}

enum { OPTION_PROFILE, OPTION_MIN_VALID, OPTION_JSON, OPTION_HELP, OPTION_VERSION };

static const struct option OPTIONS[] = {
	{"profile", required_argument, NULL, OPTION_PROFILE},
	{"min-valid", required_argument, NULL, OPTION_MIN_VALID},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static enum status read_arguments(
	int argc, char **argv, struct call *call, call_verb **verb, struct failure *failure)
{
	enum status status = STATUS_OK;
	int option;

	opterr = 0;
	while (!status && (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (option) {
		case OPTION_PROFILE:
			call->profile_name = optarg;
			break;
		case OPTION_MIN_VALID:
			status = read_seconds(optarg, &call->min_valid, failure);
			break;
		case OPTION_JSON:
			call->json = true;
			break;
		case OPTION_HELP:
			*verb = show_help;
			return STATUS_OK;
		case OPTION_VERSION:
			*verb = show_version;
			return STATUS_OK;
		default:
			return status_fail(failure, STATUS_USAGE,
				"%s: no such option, or its value "
				"is missing; see " PROGRAM " --help",
				argv[optind - 1]);
		}
	}
	return status ? status : pick_verb(argc, argv, call, verb, failure);
}

/* The only clock; supply and dialects are handed it, so that tests may hand them another. */
static time_t read_clock(void)
{
	return time(NULL);
}

static void complain(const struct failure *failure)
{
	struct buffer line = BUFFER_INIT((size_t)2 * FAILURE_MAX_BYTES);

	if (buffer_printf(&line, PROGRAM ": %s\n", failure->reason) ||
		buffer_write(&line, STDERR_FILENO))
		errno = 0; /* nobody is left to tell */
	buffer_release(&line);
}

int main(int argc, char **argv)
{
	struct buffer reply = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct failure failure = {""};
	struct settings settings;
	struct trace trace = TRACE_OFF;
	struct call call = {
		.settings = &settings,
		.trace = &trace,
		.clock = read_clock,
		.token = TOKEN_INIT,
		.reply = &reply,
	};
	call_verb *verb = show_help;
	enum status status;

	process_harden();
	settings_read(&settings);
	trace_open(&trace, PROGRAM, &settings);
	call.profile_name = settings.profile;

	status = read_arguments(argc, argv, &call, &verb, &failure);
	if (!status)
		status = verb(&call, &failure);
	if (!status && buffer_write(&reply, STDOUT_FILENO))
		status = status_fail(
			&failure, STATUS_SYSTEM, "cannot write the answer: %s", strerror(errno));
	if (status)
		complain(&failure);
	else
		call_renew(&call);

	call_release(&call);
	buffer_release(&reply);
	trace_close(&trace);
	return status_exit_code(status);
}
