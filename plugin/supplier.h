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
 * One profile's token in this process: from memory, else from the cache, else from the helper. If
 * several threads need it, one fetches it. A failure is remembered for SUPPLIER_FAILURE_S seconds,
 * unless config or secret change. In the renewal window the current token is served, while one
 * thread at a time looks for the next in the cache, or asks the helper to renew it. So does a
 * process that makes one request only.
 */
enum { SUPPLIER_FAILURE_S = 5 };

/* settings must never be freed. The supplier owns profile from now on. NULL if memory is short. */
struct supplier *supplier_new(const struct settings *settings, struct profile *profile);

/* Only for a supplier that has not been used. */
void supplier_free(struct supplier *supplier);

/* Call this first in the child of a fork. */
void supplier_after_fork(struct supplier *supplier);

const char *supplier_profile(const struct supplier *supplier);

/* A token that does not change until it is returned. Do not wait for anything in between. */
struct lease {
	const char *token;
	const char *fingerprint;
	void *slot;
};

/* A usable token for an origin of the profile. This may take SYPHT_TIMEOUT. */
enum status supplier_lease(struct supplier *supplier, const struct origin *origin,
	struct lease *lease, struct failure *failure) MUST_CHECK;
void supplier_return(struct lease *lease);

/*
 * The same after the API rejected the token of that fingerprint. If that is still the current one,
 * it is dropped here and in the cache, and a new one is fetched. The new token is on probation: if
 * the API rejects it too, the token is not the cause. It stays, and all processes of the user pause
 * (state_refuse()) before they replace another.
 */
enum status supplier_replace(struct supplier *supplier, const struct origin *origin,
	const char *fingerprint, struct lease *lease, struct failure *failure) MUST_CHECK;

/* Drop the token only; the next lease fetches a new one. */
void supplier_drop(struct supplier *supplier, const struct origin *origin, const char *fingerprint);

/* Whether the token is on probation. End that: the API has accepted the token, or not. */
bool supplier_on_probation(const struct supplier *supplier);
void supplier_judge(struct supplier *supplier, const struct origin *origin, bool taken);

#endif
