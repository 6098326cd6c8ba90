#ifndef MINTER_H
#define MINTER_H

#include "status.h"

struct secret;
struct supply;
struct token;

/*
 * A fresh token for supply->profile: finds the client credentials, has sypht-mint ask the endpoint,
 * and checks what it says. Neither cache nor lock are known here. deadline is on the clock of
 * process_milliseconds(). On success token is the caller's, for token_release().
 */
enum status minter_run(const struct supply *supply, long long deadline, struct token *token,
	struct failure *failure) MUST_CHECK;

/* The same with credentials that are at hand. */
enum status minter_try(const struct supply *supply, const struct secret *secret, long long deadline,
	struct token *token, struct failure *failure) MUST_CHECK;

#endif
