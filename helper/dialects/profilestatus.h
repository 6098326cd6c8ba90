#ifndef PROFILESTATUS_H
#define PROFILESTATUS_H

#include <stdbool.h>

#include "dialects/call.h"

/*
 * What this machine knows of one profile: where the secret would come from, what is cached, what
 * was refused lately. Nothing is minted, and no secret is read.
 */
struct profilestatus {
	const struct profile *profile;
	const char *source;  /* of the secret; NULL: login has kept nothing, and nothing is named */
	struct token token;  /* value NULL: none that could be sent */
	long long left_s;    /* what is left of it */
	bool scope_narrower; /* than what was asked for */
	struct failure unsafe;  /* why the cache cannot be used; "" where it can */
	struct failure refusal; /* of the last supply; "" where there was none lately */
};

/* Called for each account in order of precedence. */
typedef enum status profilestatus_visitor(const struct profilestatus *account, struct call *call);

enum status profilestatus_each(
	struct call *call, profilestatus_visitor *visit, struct failure *failure) MUST_CHECK;

#endif
