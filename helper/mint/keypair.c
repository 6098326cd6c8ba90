#include "mint/keypair.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/store.h>
#include <openssl/x509.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/authmethod.h"
#include "core/text.h"

enum { PKCS12_MAX_BYTES = 32 * 1024 };

/* How the helper passes a file that is not text. */
#define HEX "hex:"

/* Append what a memory BIO holds, and free it. */
static enum status append_bio(struct buffer *out, BIO *bio)
{
	char *bytes = NULL;
	long length = bio ? BIO_get_mem_data(bio, &bytes) : 0;
	enum status status = bio ? buffer_append(out, bytes, (size_t)length) : STATUS_NO_MEMORY;

	if (bytes)
		explicit_bzero(bytes, (size_t)length);
	BIO_free(bio);
	return status;
}

/* ---- PEM ---- */

static EVP_PKEY *read_pem_key(const char *pem, const char *password)
{
	char given[1024]; /* libcrypto does not take a constant; without one it would prompt */
	BIO *source = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	snprintf(given, sizeof(given), "%s", password ? password : "");
	if (source)
		key = PEM_read_bio_PrivateKey(source, NULL, NULL, given);
	explicit_bzero(given, sizeof(given));
	BIO_free(source);
	return key;
}

/* The first certificate is the client's own; those of CAs may follow. */
static X509 *read_pem_certificate(const char *pem)
{
	BIO *source = BIO_new_mem_buf(pem, -1);
	X509 *certificate = source ? PEM_read_bio_X509(source, NULL, NULL, NULL) : NULL;

	BIO_free(source);
	return certificate;
}

/* ---- PKCS#12 ---- */

static PKCS12 *decode_pkcs12(const char *hex)
{
	struct buffer der = BUFFER_INIT(PKCS12_MAX_BYTES);
	const unsigned char *bytes;
	PKCS12 *archive = NULL;

	for (int value; (value = text_hex_byte(hex)) >= 0; hex += 2) {
		char byte = (char)value;

		if (buffer_append(&der, &byte, 1))
			break;
	}
	bytes = (const unsigned char *)buffer_text(&der);
	archive = d2i_PKCS12(NULL, &bytes, (long)der.length);
	buffer_release(&der);
	return archive;
}

/* libcurl gets PEM, whatever the file was. */
static enum status write_pem(struct keypair *keypair, STACK_OF(X509) * authorities)
{
	BIO *out = BIO_new(BIO_s_mem());
	bool good = out && PEM_write_bio_X509(out, keypair->certificate) == 1 &&
		    PEM_write_bio_PrivateKey(out, keypair->key, NULL, NULL, 0, NULL, NULL) == 1;

	for (int i = 0; good && i < sk_X509_num(authorities); i++)
		good = PEM_write_bio_X509(out, sk_X509_value(authorities, i)) == 1;
	if (good)
		return append_bio(&keypair->pem, out);
	BIO_free(out);
	return STATUS_NO_SECRET;
}

static enum status open_pkcs12(
	struct keypair *keypair, const struct keypair_source *source, struct failure *failure)
{
	const char *password = source->password;
	PKCS12 *archive = decode_pkcs12(source->private_key + strlen(HEX));
	STACK_OF(X509) *authorities = NULL;
	bool opened = archive && PKCS12_parse(archive, password ? password : "", &keypair->key,
					 &keypair->certificate, &authorities) == 1;
	enum status status = STATUS_OK;

	if (!opened || !keypair->key)
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: not PKCS#12 that the password in private_key_password_file opens",
			source->name);
	else if (keypair->certificate && write_pem(keypair, authorities))
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: PKCS#12 with a key that cannot be exported", source->name);
	sk_X509_pop_free(authorities, X509_free);
	PKCS12_free(archive);
	return status;
}

/* ---- PKCS#11 ---- */

/* A provider that OPENSSL_CONF names opens the token, and signs. */
static EVP_PKEY *read_stored_key(const char *uri)
{
	OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
	EVP_PKEY *key = NULL;

	while (store && !key && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(store);
	return key;
}

/*
 * For TLS, libcurl opens the key itself. An engine that finds no key prints the whole URI on
 * stderr, which may contain the PIN. Nothing else in this program uses stderr. freopen(3) closes it
 * even if it fails.
 */
static enum status open_pkcs11(
	struct keypair *keypair, const struct keypair_source *source, struct failure *failure)
{
	if (!freopen("/dev/null", "w", stderr))
		errno = 0;
	if (source->for_tls)
		return STATUS_OK;
	keypair->key = read_stored_key(source->private_key);
	return keypair->key ? STATUS_OK
			    : status_fail(failure, STATUS_NO_SECRET,
				      "private_key_file: no such key in PKCS#11; does OPENSSL_CONF "
				      "load a provider for it?");
}

/* ---- the pair ---- */

static enum status open_key(
	struct keypair *keypair, const struct keypair_source *source, struct failure *failure)
{
	const char *text = source->private_key;

	if (strncmp(text, HEX, strlen(HEX)) == 0)
		return open_pkcs12(keypair, source, failure);
	if (authmethod_key_is_uri(text))
		return open_pkcs11(keypair, source, failure);
	keypair->key = read_pem_key(text, source->password);
	if (!keypair->key)
		return status_fail(failure, STATUS_NO_SECRET, "%s: not a private key in PEM %s",
			source->name,
			source->password ? "that the password in private_key_password_file opens"
					 : "without a passphrase; private_key_password_file may "
					   "name the file of one");
	return STATUS_OK;
}

/*
 * Compare key and certificate here. The TLS library would report a mismatch as a failed handshake,
 * which does not name the file.
 */
static enum status open_certificate(
	struct keypair *keypair, const struct keypair_source *source, struct failure *failure)
{
	const char *name = source->for_tls ? "client_certificate_file" : "private_key_certificate";
	const char *path = source->certificate_path ? source->certificate_path : "the file";
	const char *pem = source->certificate;

	if (!pem && source->for_tls && !keypair->certificate)
		pem = source->private_key;
	if (!pem)
		return STATUS_OK;
	X509_free(keypair->certificate);
	keypair->certificate = read_pem_certificate(pem);
	if (!keypair->certificate)
		return status_fail(failure, STATUS_NO_SECRET, "%s: %s is not a certificate in PEM",
			name, path);
	if (keypair->key && EVP_PKEY_eq(X509_get0_pubkey(keypair->certificate), keypair->key) != 1)
		return status_fail(failure, STATUS_NO_SECRET,
			"%s: %s is not of the key in private_key_file", name, path);
	return STATUS_OK;
}

enum status keypair_open(
	struct keypair *keypair, const struct keypair_source *source, struct failure *failure)
{
	enum status status;

	*keypair = (struct keypair)KEYPAIR_INIT;
	status = open_key(keypair, source, failure);
	return status ? status : open_certificate(keypair, source, failure);
}

void keypair_release(struct keypair *keypair)
{
	EVP_PKEY_free(keypair->key);
	X509_free(keypair->certificate);
	buffer_release(&keypair->pem);
	*keypair = (struct keypair)KEYPAIR_INIT;
}

/* ---- what the certificate says ---- */

/* 0: it is no time. */
static long long seconds_of(const ASN1_TIME *time)
{
	struct tm fields = {0};

	return ASN1_TIME_to_tm(time, &fields) == 1 ? (long long)timegm(&fields) : 0;
}

/* A time that cannot be read counts as past, so such a certificate is refused. */
struct keypair_life keypair_life(const struct keypair *keypair)
{
	return (struct keypair_life){
		.begins = seconds_of(X509_get0_notBefore(keypair->certificate)),
		.ends = seconds_of(X509_get0_notAfter(keypair->certificate)),
	};
}

/* In the form that tools print (RFC 2253), with UTF-8 as it is. */
static enum status append_name(struct buffer *out, const X509_NAME *name)
{
	BIO *text = BIO_new(BIO_s_mem());

	if (text)
		X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	return append_bio(out, text);
}

enum status keypair_append_subject(const struct keypair *keypair, struct buffer *out)
{
	return append_name(out, X509_get_subject_name(keypair->certificate));
}

enum status keypair_append_issuer(const struct keypair *keypair, struct buffer *out)
{
	return append_name(out, X509_get_issuer_name(keypair->certificate));
}
