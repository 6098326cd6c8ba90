#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "dialects/call.h"

/*
 * Explain to a person whether tokens go to a place: which profile covers it and why that one, or
 * why none does and what to do. Sets call->profile as call_find_profile() does.
 */
enum status explain_write(
	struct call *call, const struct origin *origin, struct failure *failure) MUST_CHECK;

#endif
