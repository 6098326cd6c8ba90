#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>

struct easy;
struct realm;

/*
 * May the transfer that the application has set up carry a token, and whose? The answer depends on
 * the handle's record, the URL API of the libcurl that will make the request, and the proxies of
 * the environment; nothing is read, sent or changed. Of a CURLU it is the duplicate that is judged.
 */
struct verdict {
	const struct realm *realm; /* NULL: not in scope */
	const char *reason;        /* why it may carry no token; NULL: it may */
	bool unknown;              /* memory was short: it may be in scope or not */
	bool exposed;              /* a proxy would see the token */
};

void policy_judge(struct easy *easy, struct verdict *verdict);

/* Whether the application authenticates by itself, other than by the URL. */
bool policy_yields(const struct easy *easy);

/*
 * For CURLOPT_NOPROXY: what the application or the environment exempts from proxies, and the host
 * of realm. For free(); NULL where memory is short.
 */
char *policy_exempt(const struct easy *easy, const struct realm *realm);

#endif
