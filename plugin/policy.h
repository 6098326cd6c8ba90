#ifndef POLICY_H
#define POLICY_H

#include <stdbool.h>

struct easy;
struct realm;

/*
 * May the transfer that the application has set up carry a token, and whose? The answer depends on
 * the handle's record, the URL API of the libcurl that will make the request, and the proxies of
 * the environment; nothing is read, sent or changed.
 */
struct verdict {
	const struct realm *realm; /* NULL: not in scope */
	const char *reason;        /* why it may carry no token; NULL: it may */
};

struct verdict policy_judge(const struct easy *easy);

/* Whether the verdict may change without curl_easy_setopt(): a CURLU can, and so can proxies. */
bool policy_may_change(const struct easy *easy, const struct realm *realm);

#endif
