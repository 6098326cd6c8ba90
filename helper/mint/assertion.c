#include "mint/assertion.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <string.h>

#include "json.h"

enum {
	LIFE_S = 240, /* servers take five minutes at most, and clocks differ */
	RSA_BITS_MIN = 2048,
	ES256_HALF_BYTES = 32,
	ID_BYTES = 16,
	TEXT_MAX_BYTES = 32 * 1024,
};

/* ---- pieces of a JWS ---- */

static enum status append_base64url(struct buffer *out, const unsigned char *bytes, size_t length)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	enum status status = STATUS_OK;

	for (size_t i = 0; i < length && !status; i += 3) {
		size_t left = length - i;
		unsigned group = (unsigned)bytes[i] << 16;
		char text[4];

		group |= left > 1 ? (unsigned)bytes[i + 1] << 8 : 0;
		group |= left > 2 ? bytes[i + 2] : 0;
		for (unsigned digit = 0; digit < 4; digit++)
			text[digit] = digits[group >> (18 - 6 * digit) & 63];
		status = buffer_append(out, text, left > 2 ? 4 : left + 1);
	}
	return status;
}

static enum status append_thumbprint(
	struct buffer *header, const char *name, const X509 *certificate, const EVP_MD *digest)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	enum status status = STATUS_SYSTEM;

	if (X509_digest(certificate, digest, bytes, &length) == 1)
		status = buffer_printf(header, ",\"%s\":\"", name);
	if (!status)
		status = append_base64url(header, bytes, length);
	return status ? status : buffer_append_text(header, "\"");
}

/* RFC 7515, 4.1.7 and 4.1.8: some servers go by the one, some by the other. */
static enum status append_thumbprints(struct buffer *header, const X509 *certificate)
{
	enum status status = append_thumbprint(header, "x5t", certificate, EVP_sha1());

	return status ? status : append_thumbprint(header, "x5t#S256", certificate, EVP_sha256());
}

static enum status write_header(const struct assertion *assertion, const char *algorithm,
	const X509 *certificate, struct buffer *header)
{
	enum status status = buffer_printf(header, "{\"alg\":\"%s\",\"typ\":\"JWT\"", algorithm);

	if (!status && certificate)
		status = append_thumbprints(header, certificate);

	if (!status && assertion->key_id)
		status = buffer_append_text(header, ",\"kid\":");
	if (!status && assertion->key_id)
		status = json_write_text(header, assertion->key_id);
	return status ? status : buffer_append_text(header, "}");
}

static enum status write_claims(const struct assertion *assertion, struct buffer *claims)
{
	const struct {
		const char *before;
		const char *value;
	} texts[] = {
		{"{\"iss\":", assertion->client_id},
		{",\"sub\":", assertion->client_id},
		{",\"aud\":", assertion->audience},
	};
	unsigned char id[ID_BYTES];
	enum status status = RAND_bytes(id, sizeof(id)) == 1 ? STATUS_OK : STATUS_SYSTEM;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !status; i++) {
		status = buffer_append_text(claims, texts[i].before);
		if (!status)
			status = json_write_text(claims, texts[i].value);
	}
	if (!status)
		status = buffer_append_text(claims, ",\"jti\":\"");
	if (!status)
		status = append_base64url(claims, id, sizeof(id));
	if (!status)
		status = buffer_printf(claims, "\",\"iat\":%lld,\"exp\":%lld}",
			(long long)assertion->issued_at, (long long)assertion->issued_at + LIFE_S);
	return status;
}

static enum status append_json(struct buffer *out, const struct buffer *json)
{
	return append_base64url(out, (const unsigned char *)json->data, json->length);
}

static enum status write_input(const struct assertion *assertion, const char *algorithm,
	const X509 *certificate, struct buffer *out)
{
	struct buffer header = BUFFER_INIT(TEXT_MAX_BYTES);
	struct buffer claims = BUFFER_INIT(TEXT_MAX_BYTES);
	enum status status = write_header(assertion, algorithm, certificate, &header);

	if (!status)
		status = write_claims(assertion, &claims);
	if (!status)
		status = append_json(out, &header);
	if (!status)
		status = buffer_append(out, ".", 1);
	if (!status)
		status = append_json(out, &claims);
	buffer_release(&header);
	buffer_release(&claims);
	return status;
}

/* ---- the key ---- */

static EVP_PKEY *read_key(const char *pem)
{
	char no_passphrase[] = ""; /* nobody is there to type one */
	BIO *source = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = source ? PEM_read_bio_PrivateKey(source, NULL, NULL, no_passphrase) : NULL;

	BIO_free(source);
	return key;
}

/* *certificate is for X509_free(); NULL where none is named. */
static enum status read_certificate(const struct assertion *assertion, const EVP_PKEY *key,
	X509 **certificate, struct failure *failure)
{
	const char *path = assertion->certificate_path;
	BIO *source = path ? BIO_new_file(path, "r") : NULL;

	*certificate = source ? PEM_read_bio_X509(source, NULL, NULL, NULL) : NULL;
	BIO_free(source);
	if (!path)
		return STATUS_OK;
	if (!source)
		return status_fail(failure, STATUS_NO_SECRET,
			"private_key_certificate: %s cannot be read", path);
	if (!*certificate)
		return status_fail(failure, STATUS_NO_SECRET,
			"private_key_certificate: %s is not a certificate in PEM", path);
	if (EVP_PKEY_eq(X509_get0_pubkey(*certificate), key) != 1)
		return status_fail(failure, STATUS_NO_SECRET,
			"private_key_certificate: %s is not of the key in private_key_file", path);
	return STATUS_OK;
}

/* "RS256", "ES256", or NULL for a key that can do neither. */
static const char *algorithm_of(const EVP_PKEY *key)
{
	char curve[32] = "";

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN ? "RS256" : NULL;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
		EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
		strcmp(curve, "prime256v1") == 0)
		return "ES256";
	return NULL;
}

/* ---- the signature ---- */

static bool make_signature(
	EVP_PKEY *key, const struct buffer *input, unsigned char **signature, size_t *length)
{
	const unsigned char *bytes = (const unsigned char *)input->data;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool made = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestSign(context, NULL, length, bytes, input->length) == 1;

	*signature = made ? OPENSSL_malloc(*length) : NULL;
	made = *signature && EVP_DigestSign(context, *signature, length, bytes, input->length) == 1;
	EVP_MD_CTX_free(context);
	return made;
}

/* ES256 wants the two numbers side by side, where OpenSSL gives them in DER (RFC 7518, 3.4). */
static bool flatten(const unsigned char *der, size_t length, unsigned char out[])
{
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
	bool done =
		pair &&
		BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, ES256_HALF_BYTES) == ES256_HALF_BYTES &&
		BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + ES256_HALF_BYTES, ES256_HALF_BYTES) ==
			ES256_HALF_BYTES;

	ECDSA_SIG_free(pair);
	return done;
}

static enum status append_signature(EVP_PKEY *key, struct buffer *out)
{
	unsigned char flat[2 * ES256_HALF_BYTES];
	unsigned char *signature = NULL;
	size_t length = 0;
	bool elliptic = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
	enum status status = STATUS_SYSTEM;

	if (make_signature(key, out, &signature, &length) &&
		(!elliptic || flatten(signature, length, flat))) {
		status = buffer_append(out, ".", 1);
		if (!status)
			status = append_base64url(
				out, elliptic ? flat : signature, elliptic ? sizeof(flat) : length);
	}
	OPENSSL_free(signature);
	return status;
}

static enum status sign(const struct assertion *assertion, EVP_PKEY *key, const char *algorithm,
	const X509 *certificate, struct buffer *out, struct failure *failure)
{
	enum status status = write_input(assertion, algorithm, certificate, out);

	if (!status)
		status = append_signature(key, out);
	if (status)
		status_fail(failure, status, "the client assertion cannot be signed");
	return status;
}

enum status assertion_sign(
	const struct assertion *assertion, struct buffer *out, struct failure *failure)
{
	EVP_PKEY *key = read_key(assertion->private_key);
	const char *algorithm = key ? algorithm_of(key) : NULL;
	X509 *certificate = NULL;
	enum status status;

	if (!key) {
		status = status_fail(failure, STATUS_NO_SECRET,
			"private_key_file: not a private key in PEM without a passphrase");
	} else if (!algorithm) {
		status = status_fail(failure, STATUS_NO_SECRET,
			"private_key_file: neither RSA of at least %d bits nor EC P-256",
			RSA_BITS_MIN);
	} else {
		status = read_certificate(assertion, key, &certificate, failure);
		if (!status)
			status = sign(assertion, key, algorithm, certificate, out, failure);
	}
	X509_free(certificate);
	EVP_PKEY_free(key);
	return status;
}
