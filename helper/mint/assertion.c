#include "mint/assertion.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "mint/jwt.h"
#include "mint/keypair.h"

enum {
	LIFE_S = 240, /* servers accept five minutes at most, and clocks differ */
	RSA_BITS_MIN = 2048,
	ES256_HALF_BYTES = 32,
	ID_BYTES = 16,
	TEXT_MAX_BYTES = 32 * 1024,
};

/* ---- how keys sign ---- */

struct algorithm {
	const char *name; /* RFC 7518, 3.1, and RFC 8037 */
	const char *key;  /* the type of key, by OpenSSL's name */
	const char *digest;
	const char *padding; /* NULL: the usual one */
	bool elliptic;       /* OpenSSL's signature is DER, which JWS does not use */
};

/* The first that suits the key is the default. */
static const struct algorithm ALGORITHMS[] = {
	{"RS256", "RSA", "SHA256", NULL, false},
	{"PS256", "RSA", "SHA256", "pss", false},
	{"PS256", "RSA-PSS", "SHA256", "pss", false},
	{"ES256", "EC", "SHA256", NULL, true},
	{"EdDSA", "ED25519", NULL, NULL, false},
};

/* RFC 7518, 3.3 and 3.5 require 2048 bits of RSA; ES256 is for curve P-256 alone (3.4). */
static bool is_strong(const EVP_PKEY *key)
{
	char curve[32] = "";

	if (EVP_PKEY_is_a(key, "EC"))
		return EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 &&
		       (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "P-256") == 0);
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
}

/* wanted NULL: the default. */
static enum status choose_algorithm(const EVP_PKEY *key, const char *wanted,
	const struct algorithm **algorithm, struct failure *failure)
{
	bool suits = false;

	for (size_t i = 0; i < sizeof(ALGORITHMS) / sizeof(ALGORITHMS[0]); i++) {
		if (!EVP_PKEY_is_a(key, ALGORITHMS[i].key) || !is_strong(key))
			continue;
		suits = true;
		*algorithm = &ALGORITHMS[i];
		if (!wanted || strcmp(ALGORITHMS[i].name, wanted) == 0)
			return STATUS_OK;
	}
	if (!suits)
		return status_fail(failure, STATUS_NO_SECRET,
			"private_key_file: neither RSA of at least %d bits, EC P-256 nor Ed25519",
			RSA_BITS_MIN);
	return status_fail(failure, STATUS_NO_SECRET,
		"assertion_algorithm: %s is not for the kind of key in private_key_file", wanted);
}

/* ---- pieces of a JWS ---- */

static enum status append_thumbprint(
	struct buffer *header, const char *name, const X509 *certificate, const EVP_MD *digest)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	enum status status = STATUS_SYSTEM;

	if (X509_digest(certificate, digest, bytes, &length) == 1)
		status = buffer_printf(header, ",\"%s\":\"", name);
	if (!status)
		status = jwt_append_base64url(header, bytes, length);
	return status ? status : buffer_append_text(header, "\"");
}

/* Some servers look at the first, some at the second (RFC 7515, 4.1.7 and 4.1.8). */
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

/* The jti makes each assertion unique, so that a server can refuse one that it has seen before. */
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
		status = jwt_append_base64url(claims, id, sizeof(id));
	if (!status)
		status = buffer_printf(claims, "\",\"iat\":%lld,\"exp\":%lld}",
			(long long)assertion->issued_at, (long long)assertion->issued_at + LIFE_S);
	return status;
}

static enum status append_json(struct buffer *out, const struct buffer *json)
{
	return jwt_append_base64url(out, (const unsigned char *)json->data, json->length);
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

/* ---- the signature ---- */

/* The provider that holds the key must sign, as a key in a TPM never leaves it. */
static bool begin_signature(EVP_MD_CTX *context, const struct algorithm *algorithm, EVP_PKEY *key)
{
	const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(key);
	char padding[] = "pss";
	char salt[] = "digest";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, padding, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, salt, 0),
		OSSL_PARAM_construct_end(),
	};
	char properties[128];

	snprintf(properties, sizeof(properties), "?provider=%s",
		provider ? OSSL_PROVIDER_get0_name(provider) : "default");
	return EVP_DigestSignInit_ex(context, NULL, algorithm->digest, NULL, properties, key,
		       algorithm->padding ? params : NULL) == 1;
}

/* The first call tells how long the signature is. */
static bool make_signature(EVP_PKEY *key, const struct algorithm *algorithm,
	const struct buffer *input, unsigned char **signature, size_t *length)
{
	const unsigned char *bytes = (const unsigned char *)input->data;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool made = context && begin_signature(context, algorithm, key) &&
		    EVP_DigestSign(context, NULL, length, bytes, input->length) == 1;

	*signature = made ? OPENSSL_malloc(*length) : NULL;
	made = *signature && EVP_DigestSign(context, *signature, length, bytes, input->length) == 1;
	EVP_MD_CTX_free(context);
	return made;
}

/* ES256 takes the two numbers side by side, where OpenSSL gives them in DER (RFC 7518, 3.4). */
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

/* The signature covers all that is in out so far. */
static enum status append_signature(
	EVP_PKEY *key, const struct algorithm *algorithm, struct buffer *out)
{
	unsigned char flat[2 * ES256_HALF_BYTES];
	unsigned char *signature = NULL;
	size_t length = 0;
	bool elliptic = algorithm->elliptic;
	enum status status = STATUS_SYSTEM;

	if (make_signature(key, algorithm, out, &signature, &length) &&
		(!elliptic || flatten(signature, length, flat))) {
		status = buffer_append(out, ".", 1);
		if (!status)
			status = jwt_append_base64url(
				out, elliptic ? flat : signature, elliptic ? sizeof(flat) : length);
	}
	OPENSSL_free(signature);
	return status;
}

enum status assertion_sign(
	const struct assertion *assertion, struct buffer *out, struct failure *failure)
{
	const struct keypair *keypair = assertion->keypair;
	const struct algorithm *algorithm = NULL;
	enum status status =
		choose_algorithm(keypair->key, assertion->algorithm, &algorithm, failure);

	if (status)
		return status;
	status = write_input(assertion, algorithm->name, keypair->certificate, out);
	if (!status)
		status = append_signature(keypair->key, algorithm, out);
	return status ? status_fail(failure, status, "the client assertion cannot be signed")
		      : STATUS_OK;
}
