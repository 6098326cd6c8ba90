/*
 * sypht-credential: prints a token in the protocol of its caller. It leaves protocols with JSON,
 * and status, to sypht-dialect, so that it stays small and starts fast for all others.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "core/attributes.h"
#include "core/buffer.h"
#include "core/settings.h"
#include "dialects/erase.h"
#include "dialects/git.h"
#include "dialects/goauth.h"
#include "dialects/keyring.h"
#include "dialects/login.h"
#include "dialects/shell.h"
#include "dialects/tokenfile.h"
#include "process.h"

enum { INPUT_WAIT_MS = 1000 };

#define PROGRAM "sypht-credential"

static const char USAGE[] =
	"usage: sypht-credential [OPTION…] COMMAND [URL]\n"
	"\n"
	"For git and other callers of credential helpers (key=value lines on stdin):\n"
	"  get                print a token for the place described on stdin\n"
	"  store              store client credentials\n"
	"  erase              remove cached tokens, or client credentials\n"
	"  capability         print the extensions of the protocol that are supported\n"
	"\n"
	"For the shell (URL is where the token goes; default: the profile's first origin):\n"
	"  token [URL]        print the token\n"
	"  header [URL]       print an Authorization header, for curl -H @-\n"
	"  curl-config [URL]  print a line of options, for curl -K -\n"
	"  token-file [FILE] [URL]\n"
	"                     write the token to FILE, which begins with / or ., and print its\n"
	"                     name; without FILE to $BEARER_TOKEN_FILE, or else to bt_u$EUID in\n"
	"                     $XDG_RUNTIME_DIR or /tmp\n"
	"  erase URL          remove a cached token that the server rejected; also\n"
	"                     erase with --profile NAME and no URL\n"
	"  login              test and store client credentials: prompt for them, or read\n"
	"                     client id and secret from stdin, each on a line\n"
	"  logout             remove them, and the tokens obtained with them\n"
	"  status [URL]       show config, cache and profiles, and which one names URL;\n"
	"                     with --online ask for a token, with --json print JSON\n"
	"  help               print this summary\n"
	"\n"
	"For other programs:\n"
	"  get                with a JSON object on stdin: answer Bazel\n"
	"  kubernetes [URL]   print an ExecCredential for kubectl (default: the cluster's URL)\n"
	"  --cargo-plugin     answer cargo\n"
	"  --protocol=goauth [URL]     answer go, as GOAUTH='sypht-credential --protocol=goauth'\n"
	"  --protocol=htslib [URL]     print JSON for $HTS_AUTH_LOCATION; with token-file write\n"
	"                              it there. Run it again before the token expires\n"
	"  --protocol=docker, keyring, pnpm   answer as docker-credential-sypht, keyring and\n"
	"                              pnpm-credential-sypht do, which are links to this program\n"
	"\n"
	"Options:\n"
	"  --profile NAME     use only this profile (SYPHT_PROFILE)\n"
	"  --min-valid SECS   require a token that stays valid for at least SECS seconds\n"
	"  --protocol NAME    bazel, cargo, docker, git, goauth, htslib, keyring, kubernetes,\n"
	"                     pnpm\n"
	"  --help, --version  print this summary, or the version\n"
	"\n"
	"Exit status: 0 answered or nothing to say, 1 no token, 2 wrong usage or input.\n";

static enum status show_help(struct call *call, struct failure *failure)
{
	(void)failure;
	return buffer_append_text(call->reply, USAGE);
}

/* ---- what sypht-dialect answers ---- */

/* Execute sypht-dialect with the name of the dialect before the words of our command line. */
static enum status pass_on(struct call *call, struct failure *failure)
{
	char name[] = "sypht-dialect";
	char option[] = "--protocol";
	char *protocol = buffer_duplicate(call->protocol);
	size_t count = 0;
	char **argv;
	enum status status = STATUS_NO_MEMORY;

	while (call->argv[count])
		count++;
	argv = calloc(count + 4, sizeof(*argv));
	if (argv && protocol) {
		argv[0] = name;
		argv[1] = option;
		argv[2] = protocol;
		for (size_t i = 1; i < count; i++)
			argv[i + 2] = call->argv[i];
		status = process_become(name, argv, &call->input, failure);
	} else {
		status_no_memory(failure);
	}
	free(argv);
	free(protocol);
	return status;
}

static enum status pass_on_kubernetes(struct call *call, struct failure *failure)
{
	call->protocol = "kubernetes";
	return pass_on(call, failure);
}

static enum status show_status(struct call *call, struct failure *failure)
{
	call->protocol = "status";
	if (call->json && (call->url || call->online))
		return status_fail(
			failure, STATUS_USAGE, "status: --json takes neither a URL nor --online");
	return pass_on(call, failure);
}

/* git and Bazel both call "get". Bazel writes a JSON object, which begins with "{". */
static enum status answer_get(struct call *call, struct failure *failure)
{
	size_t got;
	enum status status = buffer_read_some(&call->input, STDIN_FILENO, &got);

	/* git_get() goes on with the bytes in call->input, and reports a failed read again */
	if (status || buffer_text(&call->input)[0] != '{')
		return git_get(call, failure);
	status = buffer_read(&call->input, STDIN_FILENO);
	if (status)
		return status_fail(
			failure, STATUS_MALFORMED, "input is too long, or cannot be read");
	call->protocol = "bazel";
	return pass_on(call, failure);
}

/*
 * Whether stdin has input, or ends. Programs that speak git's grammar write at once; a shell may
 * pass on a pipe to which nothing is ever written.
 */
static bool input_comes(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return !isatty(STDIN_FILENO) && poll(&input, 1, INPUT_WAIT_MS) > 0;
}

/*
 * git calls "erase" too, and may be configured to pass --profile. Only its input on stdin
 * distinguishes it from a person who names a profile and no URL.
 */
static enum status answer_erase(struct call *call, struct failure *failure)
{
	bool by_option = call->profile_name && call->profile_name != call->settings->profile;
	size_t got = 0;

	if (!call->url && by_option && input_comes() &&
		buffer_read_some(&call->input, STDIN_FILENO, &got) != STATUS_OK)
		got = 0;
	if (call->url || (by_option && got == 0))
		return erase_token(call, failure);
	/* git_erase() would wait for a person to type key=value lines */
	if (isatty(STDIN_FILENO))
		return status_fail(failure, STATUS_USAGE,
			"erase: a URL is missing, as in: " PROGRAM " erase https://api.sypht.com");
	return git_erase(call, failure);
}

/* ---- the verbs of each dialect ---- */

static call_verb refuse_or_ignore;
static call_verb ignore_as_git;
static call_verb refuse_keyring;

static const struct verb OWN[] = {
	{"get", answer_get, 0},
	{"store", git_store, 0},
	{"erase", answer_erase, 1},
	{"capability", git_capability, 0},
	{"token", shell_token, 1},
	{"header", shell_header, 1},
	{"curl-config", shell_curl_config, 1},
	{"token-file", tokenfile_write, 2},
	{"login", login_keep, 0},
	{"logout", login_drop, 0},
	{"status", show_status, 1},
	{"kubernetes", pass_on_kubernetes, 1},
	{"help", show_help, 0},
	{NULL, refuse_or_ignore, CLI_ANY_NUMBER},
};

static const struct verb GIT[] = {
	{"get", git_get, 0},
	{"store", git_store, 0},
	{"erase", git_erase, 0},
	{"capability", git_capability, 0},
	{NULL, ignore_as_git, CLI_ANY_NUMBER},
};

static const struct verb KEYRING[] = {
	{"get", keyring_get, 2},
	{"set", keyring_set, 2},
	{"del", keyring_del, 2},
	{NULL, refuse_keyring, CLI_ANY_NUMBER},
};

static const struct verb GOAUTH[] = {{NULL, go_answer, 1}};

static const struct verb HTSLIB[] = {
	{"token-file", tokenfile_write_htslib, 2},
	{NULL, tokenfile_show_htslib, 1},
};

static const struct verb PNPM[] = {{NULL, shell_authorization, 1}};

static const struct verb ELSEWHERE[] = {{NULL, pass_on, CLI_ANY_NUMBER}};

static const struct dialect DIALECTS[] = {
	{"own", NULL, OWN, NULL},
	{"git", "git-credential-", GIT, NULL},
	{"docker", "docker-credential-", ELSEWHERE, pass_on},
	{"keyring", "keyring", KEYRING, NULL},
	{"pnpm", "pnpm-credential-", PNPM, NULL},
	{"goauth", NULL, GOAUTH, NULL},
	{"htslib", NULL, HTSLIB, NULL},
	{"bazel", NULL, ELSEWHERE, NULL},
	{"cargo", NULL, ELSEWHERE, NULL},
	{"kubernetes", NULL, ELSEWHERE, NULL},
	{NULL, NULL, NULL, NULL},
};

/* ---- unknown verbs ---- */

static enum status refuse_verb(const struct verb *verbs, const char *word, struct failure *failure)
{
	const char *nearest = word ? cli_suggest(verbs, word) : NULL;

	if (!word)
		return status_fail(
			failure, STATUS_USAGE, "a command is missing; see " PROGRAM " --help");
	if (strstr(word, "://"))
		return status_fail(failure, STATUS_USAGE,
			"'%s' is not a command; write one before the URL, as in: " PROGRAM
			" token URL",
			word);
	if (nearest)
		return status_fail(failure, STATUS_USAGE, "'%s' is not a command; did you mean %s?",
			word, nearest);
	return status_fail(
		failure, STATUS_USAGE, "'%s' is not a command; see " PROGRAM " --help", word);
}

/* Later versions of git may add verbs. gitcredentials(7) asks helpers to ignore unknown ones. */
static enum status ignore_as_git(struct call *call, struct failure *failure)
{
	bool by_git = call->operands[0] && !isatty(STDIN_FILENO);

	return by_git ? STATUS_OK : refuse_verb(GIT, call->operands[0], failure);
}

/* Whether stdin holds key=value lines, so that the caller is git and not a person. */
static bool is_called_as_helper(void)
{
	struct attributes description = ATTRIBUTES_INIT;
	const char *value;
	bool described;

	if (!input_comes())
		return false;
	description.crlf = true;
	described = attributes_read(&description, STDIN_FILENO, NULL) == STATUS_OK &&
		    attributes_each(&description, NULL, &value);
	attributes_release(&description);
	return described;
}

static enum status refuse_or_ignore(struct call *call, struct failure *failure)
{
	const char *word = call->operands[0];

	return word && is_called_as_helper() ? STATUS_OK : refuse_verb(OWN, word, failure);
}

static enum status refuse_keyring(struct call *call, struct failure *failure)
{
	return refuse_verb(KEYRING, call->operands[0], failure);
}

int main(int argc, char **argv)
{
	static const struct cli_command command = {PROGRAM, USAGE, DIALECTS};

	return cli_main(&command, argc, argv);
}
