#ifndef MINTCLIENT_H
#define MINTCLIENT_H

#include "core/status.h"

struct attributes;
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

/*
 * Let sypht-mint look at these credentials, and send nothing. identity gets subject, issuer,
 * expires and warn_from of the assertion or the certificate, as far as they are known
 * (mint/identity.h), for attributes_release(). STATUS_NO_SECRET: they cannot be used; identity is
 * set even so.
 */
enum status mintclient_describe(const struct supply *supply, const struct secret *secret,
	struct attributes *identity, struct failure *failure) MUST_CHECK;

/* Append the request that sypht-mint reads, and the empty line that ends it. */
enum status mintclient_write_request(const struct supply *supply, const struct secret *secret,
	long timeout_ms, struct buffer *request) MUST_CHECK;

#endif
