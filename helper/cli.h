#ifndef CLI_H
#define CLI_H

#include "dialects/call.h"

/*
 * The command line of sypht-credential and sypht-dialect. It may come from a person or from one of
 * several callers. It selects a dialect, and a verb of that dialect. The verb composes the answer,
 * which is written at once; after a failure, only the reason is written.
 */
struct verb {
	const char *name; /* NULL ends the list, and matches any other word, or none */
	call_verb *run;
	int operands; /* the maximum after the verb */
};

enum { CLI_ANY_NUMBER = 1 << 16 };

struct dialect {
	const char *name;      /* as in --protocol=NAME */
	const char *called_as; /* this name of the program selects it too; if it ends in "-", any
				  name that starts so; NULL: only --protocol does */
	const struct verb *verbs;
	call_verb *misuse; /* answers a wrong command line; NULL: STATUS_USAGE */
};

struct cli_command {
	const char *name;
	const char *usage;
	const struct dialect *dialects; /* the first is the default; a
					   row without name ends them */
};

/* The verb of the list whose spelling is nearest to word, or NULL. */
const char *cli_suggest(const struct verb *verbs, const char *word);

/* All of main(): the exit status. */
int cli_main(const struct cli_command *command, int argc, char **argv);

#endif
