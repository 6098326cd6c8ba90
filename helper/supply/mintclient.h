#ifndef MINTCLIENT_H
#define MINTCLIENT_H

#include "core/status.h"

struct buffer;
struct secret;
struct supply;
struct token;

/*
 * A fresh token for supply->profile with these credentials: has sypht-mint ask the endpoint, and
 * checks what it says. Neither cache nor lock are known here. deadline is on the clock of
 * process_milliseconds(). On success token is the caller's, for token_release().
 */
enum status mintclient_run(const struct supply *supply, const struct secret *secret,
	long long deadline, struct token *token, struct failure *failure) MUST_CHECK;

/*
 * The same by way of sypht-fleet, which keeps the fleet's lock meanwhile; fleet_rows is what it has
 * to be told besides the request.
 */
enum status mintclient_run_holding(const struct supply *supply, const struct secret *secret,
	const struct buffer *fleet_rows, long long deadline, struct token *token,
	struct failure *failure) MUST_CHECK;

/* Append the request as sypht-mint reads it, which ends the list. */
enum status mintclient_write_request(const struct supply *supply, const struct secret *secret,
	long timeout_ms, struct buffer *request) MUST_CHECK;

#endif
