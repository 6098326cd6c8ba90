#ifndef MINTCLIENT_H
#define MINTCLIENT_H

#include "core/status.h"

struct buffer;
struct secret;
struct supply;
struct token;

/*
 * Run sypht-mint, which asks the endpoint for a token with these credentials, and check its answer.
 * With fleet_rows, sypht-fleet reads them before the request, and runs sypht-mint while it keeps
 * the fleet's lock. This uses neither the cache nor its lock. deadline is on the clock of
 * process_milliseconds(). On success the caller owns token, for token_release().
 */
enum status mintclient_run(const struct supply *supply, const struct secret *secret,
	const struct buffer *fleet_rows, long long deadline, struct token *token,
	struct failure *failure) MUST_CHECK;

/* Append the request that sypht-mint reads, and the empty line that ends it. */
enum status mintclient_write_request(const struct supply *supply, const struct secret *secret,
	long timeout_ms, struct buffer *request) MUST_CHECK;

#endif
