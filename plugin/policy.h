#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>

struct easy;
struct realm;

/*
 * May the transfer that the application has set up carry a token, and of which realm? That depends
 * on the record, on what the URL API of the handle's own libcurl makes of the URL, and on the
 * proxies of the environment. Nothing is changed. Of a CURLU, the pinned duplicate is judged.
 */
struct verdict {
	const struct realm *realm; /* NULL: not in scope */
	const char *reason;        /* why it may carry no token; NULL: it may */
	bool unknown;              /* memory was short, so it may be in scope */
	bool exposed;              /* a proxy would see the token */
};

void policy_judge(struct easy *easy, struct verdict *verdict);

/* Whether the application authenticates by itself, in other ways than by the URL. */
bool policy_yields(const struct easy *easy);

/*
 * A value for CURLOPT_NOPROXY: what the application or the environment exempts from proxies, and
 * the host of realm. The caller frees it. NULL if memory is short.
 */
char *policy_exempt(const struct easy *easy, const struct realm *realm);

#endif
