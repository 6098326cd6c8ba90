#ifndef CLAIM_H
#define CLAIM_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/escape.h"

/*
 * A lock for work that may take long. A mutex would stay locked if its owner left the work with
 * siglongjmp(), or if another thread forked: the child has no such thread. A claim ends with its
 * owner. It can be taken over when the owner has jumped away, when the owner is no thread of this
 * process, and CLAIM_PATIENCE_S seconds after the work should have ended. A thread cannot be
 * cancelled while it holds a claim; signals are not blocked.
 *
 * A claim that is all zero is free.
 */
enum { CLAIM_PATIENCE_S = 5 };

struct claim {
	_Atomic(unsigned) holder; /* thread and count; 0 if free */
};

/* What a thread holds, on its stack. */
struct hold {
	struct claim *claim;
	unsigned holder;
	int cancel_state;
	struct escape escape;
};

/* Whether the claim was free. */
bool claim_try(struct claim *claim, struct hold *hold);

/* Wait until it is free. Take it from a holder that has had it for seconds + CLAIM_PATIENCE_S. */
void claim_take(struct claim *claim, struct hold *hold, long seconds);

void claim_release(struct hold *hold);

#endif
