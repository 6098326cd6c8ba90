#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>

struct easy;
struct realm;

/*
 * The realm of the origin that URL, port and default protocol lead to, as parsed by the libcurl
 * that will make the request. *realm is NULL if no profile names the origin, no URL was seen,
 * libcurl rejects the URL, or libcurl is older than 7.66. *reason is set if the URL itself rules a
 * token out. False if memory is too short to tell.
 */
bool target_find(struct easy *easy, const struct realm **realm, const char **reason);

/* Whether the transfer, after all its redirects so far, is at the origin of realm. */
bool target_is_reached(const struct easy *easy, const struct realm *realm);

#endif
