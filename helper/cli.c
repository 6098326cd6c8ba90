#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/buffer.h"
#include "core/settings.h"
#include "core/suggestion.h"
#include "core/trace.h"
#include "process.h"

#define PROGRAM "sypht-credential" /* the name users know, in sypht-dialect too */

/* ---- options ---- */

enum { REPLY_MAX_BYTES = 64 << 20 }; /* status with a hundred thousand profiles */

enum {
	OPTION_PROFILE,
	OPTION_PROTOCOL,
	OPTION_CARGO,
	OPTION_MIN_VALID,
	OPTION_JSON,
	OPTION_ONLINE,
	OPTION_HELP = 'h',
	OPTION_VERSION = 'v',
};

static const struct option OPTIONS[] = {
	{"profile", required_argument, NULL, OPTION_PROFILE},
	{"protocol", required_argument, NULL, OPTION_PROTOCOL},
	{"cargo-plugin", no_argument, NULL, OPTION_CARGO},
	{"min-valid", required_argument, NULL, OPTION_MIN_VALID},
	{"json", no_argument, NULL, OPTION_JSON},
	{"online", no_argument, NULL, OPTION_ONLINE},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static enum status read_seconds(const char *text, long *seconds, struct failure *failure)
{
	char *end;

	errno = 0;
	*seconds = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *seconds < 0)
		return status_fail(failure, STATUS_USAGE,
			"--min-valid: '%s' is not a number of seconds", text);
	return STATUS_OK;
}

/*
 * The word with the unknown option. Within a word of several short options getopt_long() does not
 * advance optind, and only optopt tells the letter.
 */
static const char *find_unknown(char **argv)
{
	const char *word = argv[optind - 1];

	for (size_t i = 1; optopt != 0 && argv[i]; i++) {
		if (argv[i][0] == '-' && argv[i][1] != '-' && strchr(argv[i], optopt))
			word = argv[i];
	}
	return word;
}

static enum status refuse_option(const char *word, struct failure *failure)
{
	const char *name = word + strspn(word, "-");
	struct suggestion suggestion = suggestion_for(name, strcspn(name, "="));

	for (const struct option *option = OPTIONS; option->name; option++)
		suggestion_look_at(&suggestion, option->name);
	if (suggestion.nearest)
		return status_fail(failure, STATUS_USAGE, "%s: no such option; did you mean --%s?",
			word, suggestion.nearest);
	return status_fail(
		failure, STATUS_USAGE, "%s: no such option; see " PROGRAM " --help", word);
}

/* *word becomes "help" or "version" for such an option: some dialects have these as verbs. */
static enum status read_options(
	int argc, char **argv, struct call *call, const char **word, struct failure *failure)
{
	enum status status = STATUS_OK;
	int option;

	opterr = 0; /* the reason is ours to write, with its remedy */
	while (!status && (option = getopt_long(argc, argv, ":hv", OPTIONS, NULL)) != -1) {
		switch (option) {
		case OPTION_PROFILE:
			call->profile_name = optarg;
			break;
		case OPTION_PROTOCOL:
			call->protocol = optarg;
			break;
		case OPTION_CARGO:
			call->protocol = "cargo";
			break;
		case OPTION_MIN_VALID:
			status = read_seconds(optarg, &call->min_valid, failure);
			break;
		case OPTION_JSON:
			call->json = true;
			break;
		case OPTION_ONLINE:
			call->online = true;
			break;
		case OPTION_HELP:
			*word = "help";
			break;
		case OPTION_VERSION:
			*word = "version";
			break;
		case ':':
			return status_fail(
				failure, STATUS_USAGE, "%s: a value is missing", argv[optind - 1]);
		default:
			return refuse_option(find_unknown(argv), failure);
		}
	}
	return status;
}

/* ---- from words to a verb ---- */

static bool is_called_as(const char *name, const char *pattern)
{
	size_t length = pattern ? strlen(pattern) : 0;

	if (length > 0 && pattern[length - 1] == '-')
		return strncmp(name, pattern, length) == 0;
	return length > 0 && strcmp(name, pattern) == 0;
}

static enum status pick_dialect(const struct cli_command *command, struct call *call,
	const struct dialect **picked, struct failure *failure)
{
	/* argv[0] may be NULL: execve(2) allows an empty argv */
	const char *slash = call->argv[0] ? strrchr(call->argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : call->argv[0];

	*picked = NULL;
	for (const struct dialect *d = command->dialects; d->name && !*picked; d++) {
		if (call->protocol ? strcmp(d->name, call->protocol) == 0
				   : name && is_called_as(name, d->called_as))
			*picked = d;
	}
	if (!*picked && call->protocol)
		return status_fail(failure, STATUS_USAGE,
			"--protocol: unknown protocol '%s'; see " PROGRAM " --help",
			call->protocol);
	if (!*picked)
		*picked = command->dialects;
	call->protocol = (*picked)->name;
	return STATUS_OK;
}

const char *cli_suggest(const struct verb *verbs, const char *word)
{
	struct suggestion suggestion = suggestion_for(word, strlen(word));

	for (; verbs->name; verbs++)
		suggestion_look_at(&suggestion, verbs->name);
	return suggestion.nearest;
}

/* A row without a name matches any word; then the word is an operand, not the verb. */
static enum status pick_verb(const struct dialect *dialect, const char *word, struct call *call,
	char **words, call_verb **run, struct failure *failure)
{
	const struct verb *verb = dialect->verbs;
	int count = 0;

	while (verb->name && (!word || strcmp(verb->name, word) != 0))
		verb++;
	call->operands = words + (verb->name && words[0]);
	call->url = call->operands[0];
	while (call->operands[count])
		count++;
	*run = count > verb->operands ? dialect->misuse : verb->run;
	if (!*run)
		return status_fail(failure, STATUS_USAGE, "%s: unexpected argument '%s'",
			word ? word : PROGRAM, call->operands[verb->operands]);
	return STATUS_OK;
}

/* ---- one run ---- */

static enum status show_version(struct call *call, struct failure *failure)
{
	(void)failure;
	return buffer_append_text(call->reply, PROGRAM " " SYPHT_VERSION "\n");
}

static bool is_status(const char *verb)
{
	return verb && strcmp(verb, "status") == 0;
}

static enum status run_command(const struct cli_command *command, int argc, char **argv,
	struct call *call, struct failure *failure)
{
	const struct dialect *dialect;
	const char *word = NULL;
	call_verb *verb = show_version;
	enum status read = read_options(argc, argv, call, &word, failure);
	enum status status = pick_dialect(command, call, &dialect, read ? NULL : failure);

	/* a dialect may answer mistakes in its own words, so pick it before reporting one */
	if (read && dialect && dialect->misuse)
		return dialect->misuse(call, failure);
	if (read || status)
		return read ? read : status;
	if ((call->json || call->online) && !word && !is_status(argv[optind]))
		return dialect->misuse ? dialect->misuse(call, failure)
				       : status_fail(failure, STATUS_USAGE,
						 "--json and --online are options of status only");
	if (word && dialect == command->dialects)
		return strcmp(word, "help") == 0 ? buffer_append_text(call->reply, command->usage)
						 : show_version(call, failure);
	status =
		pick_verb(dialect, word ? word : argv[optind], call, argv + optind, &verb, failure);
	return status ? status : verb(call, failure);
}

/* Supply and dialects get the clock as a function, so that tests can replace it. */
static time_t read_clock(void)
{
	return time(NULL);
}

/* Allocates nothing, as memory may have run out. */
static void write_reason(enum status status, const struct failure *failure)
{
	const char *reason = status == STATUS_NO_MEMORY ? "out of memory" : failure->reason;
	char line[sizeof(PROGRAM ": ") + FAILURE_MAX_BYTES];
	int length = snprintf(line, sizeof(line), PROGRAM ": %s\n", reason);

	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		errno = 0; /* there is no other place to report it */
}

/* After the reason of a failure, which callers expect in the first line. */
static void warn_of_settings(const struct settings *settings)
{
	struct buffer lines = BUFFER_INIT(4096);

	if (settings_warn(settings, "warning: ", &lines) || buffer_write(&lines, STDERR_FILENO))
		errno = 0; /* there is no other place to report it */
	buffer_release(&lines);
}

int cli_main(const struct cli_command *command, int argc, char **argv)
{
	struct buffer reply = BUFFER_INIT(REPLY_MAX_BYTES);
	struct failure failure = {.reason = ""};
	struct settings settings;
	struct trace trace = TRACE_OFF;
	struct call call = {
		.settings = &settings,
		.trace = &trace,
		.clock = read_clock,
		.argv = argv,
		.input = BUFFER_INIT(ATTRIBUTES_MAX_BYTES),
		.token = TOKEN_INIT,
		.reply = &reply,
	};
	enum status status;

	process_harden(); /* before anything secret is read */
	settings_read(&settings);
	trace_open(&trace, command->name, &settings);
	call.profile_name = settings.profile;

	/* the answer is complete before any of it is written */
	status = run_command(command, argc, argv, &call, &failure);
	if (!status && buffer_write(&reply, STDOUT_FILENO))
		status = status_fail(
			&failure, STATUS_SYSTEM, "cannot write the answer: %s", strerror(errno));
	if (status)
		write_reason(status, &failure);
	if (call.used_settings)
		warn_of_settings(&settings);
	/* last: the caller has its answer, and does not wait for the renewal */
	if (!status)
		call_renew(&call);

	call_release(&call);
	buffer_release(&reply);
	trace_close(&trace);
	return status ? status_exit_code(status) : call.exit_code;
}
