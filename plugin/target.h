#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>

struct easy;
struct realm;

/*
 * Where a transfer will go: the realm of the origin that its URL, port and default protocol lead
 * to, parsed by the libcurl that will make the request. NULL where no profile names it, no URL was
 * seen, libcurl does not take the URL, or is too old (7.66 is needed). *reason is set where the URL
 * itself speaks against a token. False where memory is too short to tell.
 */
bool target_find(struct easy *easy, const struct realm **realm, const char **reason);

/* Whether the transfer, however far it has been redirected by now, is at an origin of realm. */
bool target_is_reached(const struct easy *easy, const struct realm *realm);

#endif
