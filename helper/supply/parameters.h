#ifndef PARAMETERS_H
#define PARAMETERS_H

#include <time.h>

struct profile;
struct settings;
struct trace;

/*
 * Which token is wanted. supply.h, attempt.h and withdraw.h share it with the clients of the
 * programs that they run, mintclient.h and fleetclient.h.
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
