#ifndef PARAMETERS_H
#define PARAMETERS_H

#include <time.h>

struct profile;
struct settings;
struct trace;

/*
 * Which token is wanted, and by whom. The steps of a supply (supply.h, attempt.h, withdraw.h) and
 * the clients of the programs that they run (mintclient.h, fleetclient.h) share it.
 */
struct supply {
	const struct settings *settings;
	const struct profile *profile;
	const struct trace *trace;
	time_t (*clock)(void); /* seconds since the epoch */
	long min_valid;        /* the token must live for so many seconds; 0: it must be usable */
	const char *rejected;  /* fingerprint of a token that its API refused; NULL: none */
};

#endif
