#ifndef SUPPLIER_H
#define SUPPLIER_H

#include "status.h"
#include "token.h"

struct origin;
struct profile;
struct settings;
struct supplier;

/*
 * One profile's token in this process: from memory, else from the cache, else from the helper.
 * Threads that miss together make one of them fetch it; a failure is remembered for
 * SUPPLIER_FAILURE_S seconds. In the renewal window the present token is served, and now and then
 * one thread looks whether the cache has the next, or asks the helper to see to it.
 */
enum { SUPPLIER_FAILURE_S = 5 };

/* Both arguments must live for ever. NULL where memory is short. */
struct supplier *supplier_new(const struct settings *settings, const struct profile *profile);

const char *supplier_profile(const struct supplier *supplier);

/* A token that stays as it is until it is returned; nothing may be waited for in between. */
struct lease {
	const char *token;
	const char *fingerprint;
	void *slot;
};

/* A usable token for origin, which the profile covers; it may take as long as SYPHT_TIMEOUT. */
enum status supplier_lease(struct supplier *supplier, const struct origin *origin,
	struct lease *lease, struct failure *failure) MUST_CHECK;
void supplier_return(struct lease *lease);

#endif
