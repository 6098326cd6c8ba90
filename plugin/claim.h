#ifndef CLAIM_H
#define CLAIM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/escape.h"

/*
 * A lock for work that may take long in a host that we do not control. A mutex would be held for
 * ever by a thread that jumps out of the work with siglongjmp(), or that another thread left behind
 * when it forked. A claim ends with its owner: it passes on when the owner jumped away, when the
 * owner is no thread of this process, and after CLAIM_PATIENCE_S seconds beyond the time that the
 * work may take. While a thread holds a claim, it cannot be cancelled; signals are not blocked.
 *
 * All zero is a free claim.
 */
enum { CLAIM_PATIENCE_S = 5 };

struct claim {
	_Atomic(unsigned) holder; /* a thread and a count, 0: free */
};

/* One thread's claim, on its stack. */
struct hold {
	struct claim *claim;
	unsigned holder;
	int cancel_state;
	struct escape escape;
};

/* Whether the claim was free. */
bool claim_try(struct claim *claim, struct hold *hold);

/* Wait until it is free, or has been in the same hands for seconds and CLAIM_PATIENCE_S. */
void claim_take(struct claim *claim, struct hold *hold, long seconds);

void claim_release(struct hold *hold);

#endif
