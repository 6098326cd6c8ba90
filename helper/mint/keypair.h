#ifndef KEYPAIR_H
#define KEYPAIR_H

#include <stdbool.h>

#include "core/buffer.h"

struct evp_pkey_st;
struct x509_st;

/* The private key of a client, and the certificate of that key. */
struct keypair_source {
	const char *private_key; /* as in struct secret */
	const char *password;    /* of the key; NULL: none */
	const char *name;        /* the config key that names the file of the key, for reasons */
	const char *certificate; /* PEM; NULL: it is where the key is, or there is none */
	const char *certificate_path; /* for reasons */
	bool for_tls;                 /* a certificate is needed, and libcurl uses the key */
};

struct keypair {
	struct evp_pkey_st *key;     /* NULL: it is in a PKCS#11 token that only libcurl opens */
	struct x509_st *certificate; /* NULL: none */
	struct buffer pem;           /* both, with the certificates of CAs, if they were PKCS#12 */
};

enum { KEYPAIR_PEM_MAX_BYTES = 128 * 1024 };

#define KEYPAIR_INIT \
	{ \
		.pem = BUFFER_INIT(KEYPAIR_PEM_MAX_BYTES) \
	}

/*
 * STATUS_NO_SECRET: the key or the certificate cannot be used, or one is not of the other. failure
 * names the config key to look at.
 */
enum status keypair_open(struct keypair *keypair, const struct keypair_source *source,
	struct failure *failure) MUST_CHECK;

/* Wipe and free. */
void keypair_release(struct keypair *keypair);

/* What the certificate says. */
struct keypair_life {
	long long begins; /* seconds since the epoch */
	long long ends;
};
struct keypair_life keypair_life(const struct keypair *keypair);
enum status keypair_append_subject(const struct keypair *keypair, struct buffer *out) MUST_CHECK;
enum status keypair_append_issuer(const struct keypair *keypair, struct buffer *out) MUST_CHECK;

#endif
