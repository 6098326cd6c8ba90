#include "fleet/seal.h"

#include <sodium.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/attributes.h"

enum {
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	MAGIC_BYTES = 8,
	NUMBER_BYTES = 8,
	HEADER_BYTES = MAGIC_BYTES + 3 * NUMBER_BYTES,
	NAME_RANDOM_BYTES = (SEAL_NAME_BYTES - 1) / 2,
	OWNER_RANDOM_BYTES = (SEAL_OWNER_BYTES - 1) / 2,
	KEY_MATERIAL_MAX_BYTES = 64 * 1024,
};

/* Enough for milliseconds since the epoch for 30,000 years, and far from any overflow. */
static const long long NUMBER_MAX = 999999999999999;

enum { SUBKEY_SEAL = 1, SUBKEY_NAME = 2 };

/*
 * One text for each purpose, so that no two of them ever get the same key, and no program that
 * derives keys from the same secret gets ours.
 */
#define MAGIC       "sypht/1\n"
#define LINES_MAGIC "sypht/l\n"
#define KDF_CONTEXT "sypht/1:"
#define SECRET_SALT "sypht shared store, secret"

_Static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "");
_Static_assert(SEAL_KEY_BYTES == crypto_kdf_KEYBYTES, "");

/* ---- keys ---- */

static enum status append_secret(const struct attributes *request, struct buffer *out)
{
	enum status status =
		attributes_add(out, "client_secret", attributes_get(request, "client_secret"));

	for (const char *line = NULL;
		!status && (line = attributes_next(request, "private_key[]", line));)
		status = attributes_add(out, "private_key[]", line);
	return status;
}

/* What tells one token from another; the key of the cache has the same lines. */
static enum status append_context(const struct attributes *request, struct buffer *out)
{
	static const char *const KEYS[] = {"client_id", "scope", "audience"};
	const char *url = attributes_get(request, "token_url");
	enum status status =
		attributes_add(out, "token_url", url ? url : attributes_get(request, "issuer"));

	for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]) && !status; i++)
		status = attributes_add(out, KEYS[i], attributes_get(request, KEYS[i]));
	for (const char *resource = NULL;
		!status && (resource = attributes_next(request, "resource[]", resource));)
		status = attributes_add(out, "resource[]", resource);
	return status;
}

/*
 * A client secret has at least 128 random bits (RFC 6749, 10.10), so it cannot be found by trying,
 * and no slow password hash is needed. The context is hashed with a key that only the secret gives.
 */
static void derive_key(struct seal *seal, const struct buffer *secret, const struct buffer *context)
{
	unsigned char from_secret[crypto_generichash_KEYBYTES];
	unsigned char root[crypto_kdf_KEYBYTES];
	unsigned char name[NAME_RANDOM_BYTES];

	crypto_generichash(from_secret, sizeof(from_secret), (const unsigned char *)secret->data,
		secret->length, (const unsigned char *)SECRET_SALT, strlen(SECRET_SALT));
	crypto_generichash(root, sizeof(root), (const unsigned char *)context->data,
		context->length, from_secret, sizeof(from_secret));
	crypto_kdf_derive_from_key(seal->key, sizeof(seal->key), SUBKEY_SEAL, KDF_CONTEXT, root);
	crypto_kdf_derive_from_key(name, sizeof(name), SUBKEY_NAME, KDF_CONTEXT, root);
	sodium_bin2hex(seal->name, sizeof(seal->name), name, sizeof(name));
	sodium_memzero(from_secret, sizeof(from_secret));
	sodium_memzero(root, sizeof(root));
}

enum status seal_derive(
	struct seal *seal, const struct attributes *request, struct failure *failure)
{
	struct buffer secret = BUFFER_INIT(KEY_MATERIAL_MAX_BYTES);
	struct buffer context = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	enum status status = STATUS_OK;

	if (sodium_init() < 0)
		status = status_fail(failure, STATUS_SYSTEM, "libsodium cannot be initialised");
	else if (append_secret(request, &secret) || append_context(request, &context))
		status = status_no_memory(failure);
	else if (secret.length == 0)
		status = status_fail(
			failure, STATUS_MALFORMED, "there is no client secret to encrypt with");
	else
		derive_key(seal, &secret, &context);
	buffer_release(&secret);
	buffer_release(&context);
	return status;
}

void seal_clear(struct seal *seal)
{
	sodium_memzero(seal, sizeof(*seal));
}

/* ---- entries: header, nonce, encrypted lines ---- */

/* Big-endian, so that an entry means the same on every machine. */
static void write_number(unsigned char *out, long long number)
{
	for (int i = NUMBER_BYTES - 1; i >= 0; i--, number >>= 8)
		out[i] = (unsigned char)(number & 0xff);
}

static long long read_number(const unsigned char *bytes)
{
	uint64_t number = 0;

	for (int i = 0; i < NUMBER_BYTES; i++)
		number = number << 8 | bytes[i];
	return (long long)number;
}

static void write_header(unsigned char out[HEADER_BYTES], const struct entry *entry)
{
	memcpy(out, MAGIC, MAGIC_BYTES);
	out += MAGIC_BYTES;
	write_number(out, entry->serial);
	write_number(out + NUMBER_BYTES, (long long)entry->token.obtained);
	write_number(out + 2L * NUMBER_BYTES, (long long)entry->token.expires);
}

static bool is_sane(long long number)
{
	return number >= 0 && number <= NUMBER_MAX;
}

static bool read_header(const unsigned char *bytes, struct entry *entry)
{
	long long obtained;
	long long expires;

	bytes += MAGIC_BYTES;
	entry->serial = read_number(bytes);
	obtained = read_number(bytes + NUMBER_BYTES);
	expires = read_number(bytes + 2L * NUMBER_BYTES);
	entry->token.obtained = (time_t)obtained;
	entry->token.expires = (time_t)expires;
	return is_sane(entry->serial) && is_sane(obtained) && is_sane(expires);
}

/*
 * Append header, nonce, and plain encrypted. The header is the associated data, so a changed one
 * makes the decryption fail. A nonce of 24 bytes may be random: no two will ever be equal.
 */
static enum status append_sealed(const struct seal *seal, const unsigned char *header,
	size_t header_length, const struct buffer *plain, struct buffer *out)
{
	size_t head = header_length + NONCE_BYTES;
	size_t size = head + plain->length + TAG_BYTES;
	unsigned char *sealed = malloc(size);
	enum status status = STATUS_NO_MEMORY;

	if (sealed) {
		memcpy(sealed, header, header_length);
		randombytes_buf(sealed + header_length, NONCE_BYTES);
		crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + head, NULL,
			(const unsigned char *)plain->data, plain->length, header, header_length,
			NULL, sealed + header_length, seal->key);
		status = buffer_append(out, sealed, size);
	}
	free(sealed);
	return status;
}

/* For free_plain(); NULL: it was not sealed with this key and magic, or memory is short. */
static unsigned char *open_sealed(const struct seal *seal, const char *magic, size_t header_length,
	const struct buffer *sealed, size_t *length)
{
	const unsigned char *bytes = (const unsigned char *)sealed->data;
	const size_t head = header_length + NONCE_BYTES;
	unsigned long long opened = 0;
	unsigned char *plain;

	if (sealed->length < head + TAG_BYTES || memcmp(bytes, magic, MAGIC_BYTES) != 0)
		return NULL;
	plain = malloc(sealed->length);
	if (plain && crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &opened, NULL, bytes + head,
			     sealed->length - head, bytes, header_length, bytes + header_length,
			     seal->key) != 0) {
		free(plain);
		plain = NULL;
	}
	*length = (size_t)opened;
	return plain;
}

static void free_plain(unsigned char *plain, size_t length)
{
	if (plain)
		sodium_memzero(plain, length);
	free(plain);
}

enum status seal_close(const struct seal *seal, const struct entry *entry, struct buffer *out)
{
	/* without its times, which the header holds */
	const struct token body = {.value = entry->token.value, .scope = entry->token.scope};
	struct buffer plain = BUFFER_INIT(2L * TOKEN_MAX_BYTES);
	unsigned char header[HEADER_BYTES];
	enum status status = token_write(&body, &plain);

	write_header(header, entry);
	if (!status)
		status = append_sealed(seal, header, sizeof(header), &plain, out);
	buffer_release(&plain);
	return status;
}

static bool read_plain(const unsigned char *plain, size_t length, struct entry *entry)
{
	struct attributes body = ATTRIBUTES_INIT;
	bool good = attributes_parse(&body, (const char *)plain, length, NULL) == STATUS_OK &&
		    token_read(&entry->token, &body);

	attributes_release(&body);
	return good;
}

bool seal_open(const struct seal *seal, const struct buffer *sealed, struct entry *entry)
{
	size_t length = 0;
	unsigned char *plain = open_sealed(seal, MAGIC, HEADER_BYTES, sealed, &length);
	bool good;

	*entry = (struct entry)ENTRY_INIT;
	good = plain && read_plain(plain, length, entry) &&
	       read_header((const unsigned char *)sealed->data, entry);
	free_plain(plain, length);
	return good;
}

/* ---- other lines: magic, nonce, encrypted lines ---- */

enum status seal_close_lines(
	const struct seal *seal, const struct buffer *lines, struct buffer *out)
{
	return append_sealed(seal, (const unsigned char *)LINES_MAGIC, MAGIC_BYTES, lines, out);
}

bool seal_open_lines(
	const struct seal *seal, const struct buffer *sealed, struct attributes *attributes)
{
	size_t length = 0;
	unsigned char *plain = open_sealed(seal, LINES_MAGIC, MAGIC_BYTES, sealed, &length);
	bool good = plain &&
		    attributes_parse(attributes, (const char *)plain, length, NULL) == STATUS_OK;

	free_plain(plain, length);
	return good;
}

/* ---- random values ---- */

void seal_make_owner(char out[SEAL_OWNER_BYTES])
{
	unsigned char random[OWNER_RANDOM_BYTES];

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(out, SEAL_OWNER_BYTES, random, sizeof(random));
}

unsigned seal_random_below(unsigned limit)
{
	return randombytes_uniform(limit);
}
