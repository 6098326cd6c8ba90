#ifndef CLI_H
#define CLI_H

#include "dialects/call.h"

/*
 * What sypht-credential and sypht-dialect share: a command line that may come from a person or
 * from any of several callers, each with words and manners of its own. From it a dialect is picked
 * and a verb of that dialect; what the verb composed is written in one go, or the reason why not.
 */
struct verb {
	const char *name; /* NULL ends the list, and stands for any other words, or none */
	call_verb *run;
	int operands; /* at most, behind the verb; CLI_ANY_NUMBER: as many as come */
};

enum { CLI_ANY_NUMBER = 1 << 16 };

struct dialect {
	const char *name;      /* as in --protocol=NAME */
	const char *called_as; /* by this name of the program too, or, where it ends in "-", by any
				  that starts so; NULL: by --protocol alone */
	const struct verb *verbs;
	call_verb *misuse; /* answers a verb with too many words; NULL: STATUS_USAGE */
};

struct cli_command {
	const char *name;
	const char *usage;
	const struct dialect *dialects; /* the first is the default; a
					   row without name ends them */
};

/* The verb of that list that somebody may have meant by word, or NULL. */
const char *cli_suggest(const struct verb *verbs, const char *word);

/* All of main(): the exit status. */
int cli_main(const struct cli_command *command, int argc, char **argv);

#endif
