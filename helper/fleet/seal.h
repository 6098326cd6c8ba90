#ifndef SEAL_H
#define SEAL_H

#include <stdbool.h>

#include "core/token.h"

struct attributes;
struct buffer;

/*
 * Encryption of a token for a store that others operate and read (XChaCha20-Poly1305). The key is
 * derived from the client secret, and is for one token URL, client, scope, audience and set of
 * resources. Times and serial are authenticated but not encrypted. Only this file uses libsodium.
 *
 * The serial orders the entries: a new one gets a higher serial than any that its writer has
 * seen.
 */
enum { SEAL_NAME_BYTES = 33, SEAL_KEY_BYTES = 32, SEAL_OWNER_BYTES = 33 };

/* The greatest length of a sealed token with its scope. */
enum { SEAL_MAX_BYTES = 2 * TOKEN_MAX_BYTES + 1024 };

struct seal {
	char name[SEAL_NAME_BYTES]; /* 128 bits in hex, derived: they reveal nothing */
	unsigned char key[SEAL_KEY_BYTES];
};

struct entry {
	struct token token;
	long long serial;
};

#define ENTRY_INIT \
	{ \
		.token = TOKEN_INIT \
	}

/*
 * Derive from a token request as sypht-mint reads it: client_secret, or private_key[], with
 * token_url or issuer, client_id, scope, audience and resource[]. STATUS_MALFORMED: it holds no
 * secret. For seal_clear().
 */
enum status seal_derive(
	struct seal *seal, const struct attributes *request, struct failure *failure) MUST_CHECK;

void seal_clear(struct seal *seal);

enum status seal_close(
	const struct seal *seal, const struct entry *entry, struct buffer *out) MUST_CHECK;

/*
 * The same for key=value lines that are no entry. Neither can be taken for the other.
 * seal_open_lines(): attributes are the caller's, for attributes_release(); false: empty.
 */
enum status seal_close_lines(
	const struct seal *seal, const struct buffer *lines, struct buffer *out) MUST_CHECK;
bool seal_open_lines(const struct seal *seal, const struct buffer *sealed,
	struct attributes *attributes) MUST_CHECK;

/* False: the seal is not ours. Otherwise the caller owns entry, for token_release(). */
bool seal_open(
	const struct seal *seal, const struct buffer *sealed, struct entry *entry) MUST_CHECK;

/* Random values: a name for the owner of a lock, and a number below limit (at least 1). */
void seal_make_owner(char out[SEAL_OWNER_BYTES]);
unsigned seal_random_below(unsigned limit);

#endif
