#ifndef SUPPLIER_H
#define SUPPLIER_H

#include <stdbool.h>

#include "core/status.h"
#include "core/token.h"

struct origin;
struct profile;
struct settings;
struct supplier;

/*
 * One profile's token in this process: from memory, else from the cache, else from the helper.
 * Threads that miss together make one of them fetch it; a failure is remembered for
 * SUPPLIER_FAILURE_S seconds, unless config or secret change. In the renewal window the present
 * token is served, and now and then one thread looks whether the cache has the next, or asks the
 * helper to see to it; so does a process that ends after one request.
 */
enum { SUPPLIER_FAILURE_S = 5 };

/* settings must live for ever; profile goes over to the supplier. NULL where memory is short. */
struct supplier *supplier_new(const struct settings *settings, struct profile *profile);

/* For one that nobody used yet. */
void supplier_free(struct supplier *supplier);

/* In the child of a fork, before anything else is done there. */
void supplier_after_fork(struct supplier *supplier);

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

/*
 * The same after the API refused the token of that fingerprint: where it still is the present one
 * it is dropped, here and in the cache, and another fetched. That token is on probation. If it is
 * refused too, the reason is not in the token: it stays, and all processes of the user wait for
 * some time (state_refuse()) before they replace another.
 */
enum status supplier_replace(struct supplier *supplier, const struct origin *origin,
	const char *fingerprint, struct lease *lease, struct failure *failure) MUST_CHECK;

/* Only drop it; the next lease fetches another. */
void supplier_drop(struct supplier *supplier, const struct origin *origin, const char *fingerprint);

/* Whether the token is on probation, and how that ends: the API took it, or did not. */
bool supplier_on_probation(const struct supplier *supplier);
void supplier_judge(struct supplier *supplier, const struct origin *origin, bool taken);

#endif
