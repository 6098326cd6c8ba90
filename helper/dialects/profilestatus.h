#ifndef PROFILESTATUS_H
#define PROFILESTATUS_H

#include <stdbool.h>

#include "core/attributes.h"
#include "dialects/call.h"
#include "supply/secret.h"

/*
 * What this machine knows of one profile: whether its client credentials can be used, what is
 * cached, and what the endpoint refused. Nothing is sent.
 */
struct profilestatus {
	const struct profile *profile;
	const char *source;    /* of the secret; NULL: there is none */
	const char *client_id; /* NULL: not known */
	struct secret secret;  /* empty after a failure, or if no program may be run for it */
	enum status secret_status;
	struct failure secret_refused; /* why the secret cannot be used; "": it can */
	struct attributes identity;    /* as mintclient_describe() has it */
	struct token token;            /* value NULL: no token that could be sent */
	long long left_s;              /* how long the token may still be sent */
	bool scope_narrower;           /* than was asked for */
	struct failure cache_refused;  /* why the cache cannot be used; "": it can */
	struct failure refusal;        /* why the last supply failed, while that is remembered */
};

typedef enum status profilestatus_visitor(const struct profilestatus *account, struct call *call);

/*
 * Visit the profiles in order of precedence: the one in call->profile if that is set, else those
 * that call->profile_name allows. With call->json no program is run for a secret. Sets
 * call->exit_code to 1 if a secret or the cache cannot be used, or if no profile has a secret.
 * STATUS_NO_SECRET: there is no profile of that name.
 */
enum status profilestatus_each(
	struct call *call, profilestatus_visitor *visit, struct failure *failure) MUST_CHECK;

#endif
