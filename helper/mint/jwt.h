#ifndef JWT_H
#define JWT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

struct json;

/* A JSON Web Token in compact form (RFC 7519), read without a check of its signature. */
struct jwt {
	struct json *claims;
};

/* False: text is not three parts in base64url, or the second part is not a JSON object. */
bool jwt_read(struct jwt *jwt, const char *text) MUST_CHECK;
void jwt_release(struct jwt *jwt);

/* A claim that is a string, or a list whose first item is one ("aud"); NULL: neither. */
const char *jwt_claim(const struct jwt *jwt, const char *name);

/* Seconds since the epoch, from "exp". False: the token does not tell. */
bool jwt_expiry(const struct jwt *jwt, long long *expiry);

/* Append bytes as base64url without padding (RFC 7515, 2). */
enum status jwt_append_base64url(
	struct buffer *out, const unsigned char *bytes, size_t length) MUST_CHECK;

#endif
