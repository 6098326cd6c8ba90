/*
 * sypht-run: start a program with libsypht-preload.so in LD_PRELOAD, or say why that cannot work.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/settings.h"
#include "core/suggestion.h"
#include "run/program.h"

#define LIBRARY "libsypht-preload.so"

enum {
	EXIT_CANNOT_WORK = 1,
	EXIT_USAGE = 2,
	EXIT_NO_LIBCURL = 3,
	EXIT_OURSELVES = 125, /* as env(1) has it, like the next two */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	LINE_MAX_BYTES = 8192 + 512,
};

static const char USAGE[] =
	"usage: sypht-run [OPTION…] COMMAND [ARGUMENT…]\n"
	"\n"
	"Runs COMMAND so that the requests it makes through libcurl carry a token, if a profile\n"
	"names their origin.\n"
	"\n"
	"  --check         do not run COMMAND; print whether this can work, and why\n"
	"  --env           print a line for a shell to eval, so that it runs everything this way\n"
	"  --profile NAME  use only this profile (SYPHT_PROFILE)\n"
	"  --trace         print on stderr what is decided about each request (SYPHT_TRACE=1)\n"
	"  --help, --version\n"
	"\n"
	"Exit status: that of COMMAND; 2 wrong usage, 125 sypht-run itself failed, 126 COMMAND\n"
	"cannot be executed, 127 it cannot be found. With --check: 0 the plugin works, 1 it\n"
	"cannot work, 3 COMMAND links no libcurl, but may load one later.\n";

/* Where the library is, relative to the directory of sypht-run: in the tree, and installed. */
static const char *const places[] = {
	LIBRARY,
	"../lib/sypht/" LIBRARY,
	"../lib64/sypht/" LIBRARY,
#ifdef SYPHT_MULTIARCH
	"../lib/" SYPHT_MULTIARCH "/sypht/" LIBRARY,
	"../lib/" SYPHT_MULTIARCH "/" LIBRARY,
#endif
	"../lib/" LIBRARY,
	"../lib64/" LIBRARY,
};

struct wishes {
	bool check;
	bool env;
	bool trace;
	const char *profile;
};

/* Print one line. Control characters, which a terminal would obey, become '?'. */
static void say(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(FILE *stream, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	fprintf(stream, "%s\n", line);
}

/* The library -------------------------------------------------------------------------------- */

/* directory ends in a slash. Resolve each "../" at the start of place. */
static bool join(char path[PATH_MAX], const char *directory, const char *place)
{
	size_t length = strlen(directory);
	int printed;

	for (; strncmp(place, "../", 3) == 0; place += 3)
		while (length > 1 && directory[--length - 1] != '/')
			;
	printed = snprintf(path, PATH_MAX, "%.*s%s", (int)length, directory, place);
	return printed > 0 && printed < PATH_MAX;
}

/* False, with a message, if the library is missing, or if LD_PRELOAD cannot name its path. */
static bool find_library(char path[PATH_MAX])
{
	char directory[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", directory, sizeof(directory) - 1);

	if (length <= 0) {
		say(stderr, "sypht-run: /proc/self/exe: %s", strerror(errno));
		return false;
	}
	directory[length] = '\0';
	strrchr(directory, '/')[1] = '\0';

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!join(path, directory, places[i]) || access(path, R_OK) != 0)
			continue;
		if (strpbrk(path, " :"))
			say(stderr,
				"sypht-run: %s: LD_PRELOAD cannot name a path with a space or "
				"colon",
				path);
		return !strpbrk(path, " :");
	}
	say(stderr, "sypht-run: " LIBRARY " is missing in %s and in ../lib/sypht; install again",
		directory);
	return false;
}

/* ld.so separates the entries of LD_PRELOAD by colons or spaces. */
static bool is_listed(const char *list, const char *path)
{
	const size_t length = strlen(path);

	while (*list) {
		size_t entry = strcspn(list, " :");

		if (entry == length && memcmp(list, path, length) == 0)
			return true;
		list += entry + (list[entry] != '\0');
	}
	return false;
}

/* LD_PRELOAD with the library put first. The caller frees it. */
static char *preload_value(const char *library)
{
	const char *present = getenv("LD_PRELOAD");
	char *value;

	if (!present)
		present = "";
	if (is_listed(present, library))
		return strdup(present);
	return asprintf(&value, "%s%s%s", library, *present ? ":" : "", present) < 0 ? NULL : value;
}

/* Running ------------------------------------------------------------------------------------ */

/* Without a library, LD_PRELOAD stays as it is. */
static bool set_environment(const struct wishes *wishes, const char *library)
{
	char *preload = library ? preload_value(library) : NULL;
	bool done = (!library || (preload && setenv("LD_PRELOAD", preload, 1) == 0)) &&
		    (!wishes->profile || setenv("SYPHT_PROFILE", wishes->profile, 1) == 0) &&
		    (!wishes->trace || setenv("SYPHT_TRACE", "1", 1) == 0);

	free(preload);
	return done;
}

/* Like execvp(), run a file of unknown format with the shell: it is a script without a #! line. */
static void execute_by_shell(char *path, char **argv)
{
	static char name[] = "/bin/sh";
	size_t count = 0;
	char **shell;

	while (argv[count])
		count++;
	shell = calloc(count + 2, sizeof(*shell));
	if (!shell)
		return;
	shell[0] = name;
	shell[1] = path;
	memcpy(shell + 2, argv + 1, count * sizeof(*shell));
	execv(name, shell);
	free(shell);
}

/* Returns only on failure: the exit status, after a message. */
static int execute(char *path, char **argv, bool is_script)
{
	execv(path, argv);
	if (errno == ENOEXEC && is_script)
		execute_by_shell(path, argv);
	say(stderr, "sypht-run: %s: %s", path, strerror(errno));
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static bool is_ourselves(const char *path)
{
	struct stat ours;
	struct stat its;

	return stat("/proc/self/exe", &ours) == 0 && stat(path, &its) == 0 &&
	       ours.st_dev == its.st_dev && ours.st_ino == its.st_ino;
}

/*
 * Warn about a program in which the plugin cannot work. (sypht-run is static too, but it only
 * passes the library on.) False if the loader would fail with our library, or complain about it.
 */
static bool may_preload(const struct program *program)
{
	const char *name = program->files[program->last];

	switch (program->verdict) {
	case PROGRAM_STATIC:
	case PROGRAM_PRIVILEGED:
	case PROGRAM_FOREIGN:
	case PROGRAM_OTHER_LIBC:
		if (!is_ourselves(name))
			say(stderr, "sypht-run: the plugin cannot work in %s: %s", name,
				program_reason(program->verdict));
		break;
	default:
		break;
	}
	return program->verdict != PROGRAM_FOREIGN && program->verdict != PROGRAM_OTHER_LIBC;
}

/* The plugin warns in the trace only, as stderr belongs to the program. */
static void warn_of_settings(void)
{
	struct buffer lines = BUFFER_INIT(4096);
	struct settings settings;

	settings_read(&settings);
	if (settings_warn(&settings, "sypht-run: warning: ", &lines) == STATUS_OK &&
		lines.length > 0)
		fputs(lines.data, stderr);
	buffer_release(&lines);
}

static int run(const struct wishes *wishes, char **argv)
{
	static struct program program;
	char library[PATH_MAX];
	char path[PATH_MAX];
	int trouble = program_find(argv[0], path);

	if (trouble) {
		say(stderr, "sypht-run: %s: %s", argv[0], strerror(trouble));
		return trouble == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	if (!find_library(library))
		return EXIT_OURSELVES;
	program_inspect(&program, path);
	if (!set_environment(wishes, may_preload(&program) ? library : NULL)) {
		say(stderr, "sypht-run: the environment: %s", strerror(errno));
		return EXIT_OURSELVES;
	}
	warn_of_settings();
	return execute(path, argv, program.last > 0);
}

/* Telling ------------------------------------------------------------------------------------ */

static void tell_libcurl(const char *library, const char *versions)
{
	say(stdout, "it uses %s (%s)", library, *versions ? versions : "no symbol versions");
}

static int tell_refusal(const struct program *program)
{
	say(stdout, "the plugin cannot work in %s: %s", program->files[program->last],
		program_reason(program->verdict));
	return EXIT_CANNOT_WORK;
}

static int tell_works(const struct program *program)
{
	say(stdout, "the plugin works in %s", program->files[program->last]);
	if (program_authenticates(program))
		say(stdout, "where it names a user and password, its own authentication wins");
	return EXIT_SUCCESS;
}

/* For a program that our library loads into, but that links no libcurl. */
static int tell_content(struct program *program)
{
	const char *name = program->files[program->last];

	switch (program_content(program)) {
	case PROGRAM_CONTENT_LIBCURL:
		program->verdict = PROGRAM_CARRIER;
		return tell_refusal(program);
	case PROGRAM_CONTENT_GO:
		program->verdict = PROGRAM_GO;
		return tell_refusal(program);
	case PROGRAM_CONTENT_LATER:
		say(stdout,
			"the plugin loads in %s, but no libcurl is linked: it loads libcurl later, "
			"if at all, or starts programs that do",
			name);
		break;
	case PROGRAM_CONTENT_NOTHING:
		say(stdout, "the plugin loads in %s, but no libcurl is linked", name);
		break;
	}
	return EXIT_NO_LIBCURL;
}

/* The answer goes to stdout, also when it is no: it is what was asked for. */
static int check(const char *command)
{
	static struct program program;
	char library[PATH_MAX];
	char path[PATH_MAX];
	int trouble = program_find(command, path);

	if (trouble) {
		say(stdout, "%s: %s", command, strerror(trouble));
		return EXIT_CANNOT_WORK;
	}
	if (!find_library(library))
		return EXIT_CANNOT_WORK;

	program_inspect(&program, path);
	for (int i = 0; i < program.last; i++)
		say(stdout, "%s is a script for %s", program.files[i], program.files[i + 1]);
	if (program.verdict != PROGRAM_WORKS)
		return tell_refusal(&program);
	return program_each_libcurl(&program, tell_libcurl) > 0 ? tell_works(&program)
								: tell_content(&program);
}

/* Quote for every POSIX shell: only a quote cannot stand between quotes. */
static void print_assignment(const char *name, const char *value)
{
	printf(" %s='", name);
	for (; *value; value++)
		if (*value == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*value);
	putchar('\'');
}

static int print_environment(const struct wishes *wishes)
{
	char library[PATH_MAX];
	char *preload;

	if (!find_library(library))
		return EXIT_OURSELVES;
	preload = preload_value(library);
	if (!preload)
		return EXIT_OURSELVES;
	fputs("export", stdout);
	print_assignment("LD_PRELOAD", preload);
	if (wishes->profile)
		print_assignment("SYPHT_PROFILE", wishes->profile);
	if (wishes->trace)
		print_assignment("SYPHT_TRACE", "1");
	putchar('\n');
	free(preload);
	return EXIT_SUCCESS;
}

/* ---------------------------------------------------------------------------------------------- */

/* The exit status: status, or failure if the output could not be written. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	say(stderr, "sypht-run: stdout: %s", strerror(errno));
	return EXIT_OURSELVES;
}

static int misused(const char *reason)
{
	if (reason)
		say(stderr, "sypht-run: %s; see sypht-run --help", reason);
	return EXIT_USAGE;
}

/* getopt_long() says too little: it cannot tell a typing error from an unknown word. */
static int misspelt(const char *word, const struct option *options)
{
	const char *name = word + strspn(word, "-");
	struct suggestion suggestion = suggestion_for(name, strcspn(name, "="));

	for (; options->name; options++)
		suggestion_look_at(&suggestion, options->name);
	if (suggestion.nearest && suggestion.slips > 0)
		say(stderr, "sypht-run: %s: no such option; did you mean --%s?", word,
			suggestion.nearest);
	else
		say(stderr,
			"sypht-run: %s: no such option, or its value is missing; see sypht-run "
			"--help",
			word);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"check", no_argument, NULL, 'c'},
		{"env", no_argument, NULL, 'e'},
		{"profile", required_argument, NULL, 'p'},
		{"trace", no_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	struct wishes wishes = {.profile = NULL};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			wishes.check = true;
			break;
		case 'e':
			wishes.env = true;
			break;
		case 'p':
			wishes.profile = optarg;
			break;
		case 't':
			wishes.trace = true;
			break;
		case 'h':
			fputs(USAGE, stdout);
			return finish(EXIT_SUCCESS);
		case 'v':
			puts("sypht-run " SYPHT_VERSION);
			return finish(EXIT_SUCCESS);
		default:
			return misspelt(argv[optind - 1], options);
		}
	}

	if (wishes.env && (wishes.check || optind < argc))
		return misused("--env takes no command");
	if (wishes.env)
		return finish(print_environment(&wishes));
	if (optind == argc)
		return misused("a command is missing");
	return wishes.check ? finish(check(argv[optind])) : run(&wishes, argv + optind);
}
