#ifndef SEAL_H
#define SEAL_H

#include <stdbool.h>

#include "core/token.h"

struct attributes;
struct buffer;

/*
 * What makes a token fit to lie in a store that others run and read: encrypted and authenticated
 * (XChaCha20-Poly1305) under a key that only holders of the client secret can derive, for this
 * token URL, client, scope, audience and resources alone. The times and the serial are legible, and
 * bound to it. The only file that knows libsodium.
 *
 * The serial tells an entry from those before it: whoever seals one gives it a higher serial than
 * that of any he has seen.
 */
enum { SEAL_NAME_BYTES = 33, SEAL_KEY_BYTES = 32, SEAL_OWNER_BYTES = 33 };

/* A sealed token is at most so long, whatever its own length and that of its scope. */
enum { SEAL_MAX_BYTES = 2 * TOKEN_MAX_BYTES + 1024 };

struct seal {
	char name[SEAL_NAME_BYTES]; /* 128 bits in hex that tell nothing of what they name */
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

/* False: it was not sealed so. Otherwise entry is the caller's, for token_release(). */
bool seal_open(
	const struct seal *seal, const struct buffer *sealed, struct entry *entry) MUST_CHECK;

/* Random words: the name of one that holds a lock, and a number below limit (at least 1). */
void seal_make_owner(char out[SEAL_OWNER_BYTES]);
unsigned seal_random_below(unsigned limit);

#endif
