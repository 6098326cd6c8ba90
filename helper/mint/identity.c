#include "mint/identity.h"

#include "core/attributes.h"
#include "mint/jwt.h"
#include "mint/keypair.h"
#include "mint/quote.h"

enum { CLAIM_MAX_BYTES = 48, NAME_MAX_BYTES = 4096, NOTICE_MAX_S = 30 * 86400 };

/* ---- before it is sent ---- */

/* The endpoint would only say invalid_client, so name what is wrong here. */
static enum status check_assertion(const struct identity *identity, struct failure *failure)
{
	struct jwt jwt;
	long long expiry;
	enum status status = STATUS_OK;

	if (!jwt_read(&jwt, identity->assertion))
		return status_fail(failure, STATUS_NO_SECRET,
			"%s: not a JWT, which is three parts in base64url with dots between them",
			identity->source);
	if (jwt_expiry(&jwt, &expiry) && expiry <= identity->now)
		status = status_fail(failure, STATUS_NO_SECRET,
			"%s: the assertion expired %lld s ago; is it renewed, and is the clock of "
			"this machine right?",
			identity->source, identity->now - expiry);
	jwt_release(&jwt);
	return status;
}

static enum status check_certificate(const struct identity *identity, struct failure *failure)
{
	long long expiry = keypair_life(identity->keypair).ends;

	if (expiry > identity->now)
		return STATUS_OK;
	return status_fail(failure, STATUS_NO_SECRET,
		"%s: the certificate expired %lld s ago; replace it, unless the clock of this "
		"machine is wrong",
		identity->source, identity->now - expiry);
}

static bool has_certificate(const struct identity *identity)
{
	return identity->keypair && identity->keypair->certificate;
}

enum status identity_check(const struct identity *identity, struct failure *failure)
{
	if (identity->assertion)
		return check_assertion(identity, failure);
	return has_certificate(identity) ? check_certificate(identity, failure) : STATUS_OK;
}

/* ---- for status ---- */

/* Others wrote these names, so they may contain anything. */
static enum status add_quoted(struct buffer *out, const char *key, const char *text)
{
	return text && *text != '\0'
		       ? attributes_add(out, key, quote_text(text, QUOTE_MAX_BYTES, NULL).text)
		       : STATUS_OK;
}

static enum status describe_assertion(const struct identity *identity, struct buffer *out)
{
	struct jwt jwt;
	long long expiry;
	enum status status;

	if (!jwt_read(&jwt, identity->assertion))
		return STATUS_OK;
	status = add_quoted(out, "subject", jwt_claim(&jwt, "sub"));
	if (!status)
		status = add_quoted(out, "issuer", jwt_claim(&jwt, "iss"));
	if (!status && jwt_expiry(&jwt, &expiry))
		status = attributes_add_number(out, "expires", expiry);
	jwt_release(&jwt);
	return status;
}

/* How long before its end a certificate should be replaced. Some live for an hour only. */
static long long notice_s(const struct keypair_life *life)
{
	long long third = (life->ends - life->begins) / 3;

	return third < NOTICE_MAX_S ? third : NOTICE_MAX_S;
}

static enum status describe_certificate(const struct identity *identity, struct buffer *out)
{
	const struct keypair_life life = keypair_life(identity->keypair);
	struct buffer subject = BUFFER_INIT(NAME_MAX_BYTES);
	struct buffer issuer = BUFFER_INIT(NAME_MAX_BYTES);
	enum status status = keypair_append_subject(identity->keypair, &subject);

	if (!status)
		status = keypair_append_issuer(identity->keypair, &issuer);
	if (!status)
		status = add_quoted(out, "subject", subject.data);
	if (!status)
		status = add_quoted(out, "issuer", issuer.data);
	buffer_release(&subject);
	buffer_release(&issuer);
	if (!status)
		status = attributes_add_number(out, "expires", life.ends);
	return status ? status
		      : attributes_add_number(out, "warn_from", life.ends - notice_s(&life));
}

enum status identity_describe(const struct identity *identity, struct buffer *out)
{
	if (identity->assertion)
		return describe_assertion(identity, out);
	return has_certificate(identity) ? describe_certificate(identity, out) : STATUS_OK;
}

/* ---- after a refusal ---- */

/*
 * A server compares these two with what it was configured with. It rarely says which one differs.
 */
void identity_advise(const struct identity *identity, struct failure *advice)
{
	struct quote audience;
	struct quote subject;
	struct jwt jwt;

	advice->reason[0] = '\0';
	if (!identity->assertion || !jwt_read(&jwt, identity->assertion))
		return;
	audience = quote_text(jwt_claim(&jwt, "aud"), CLAIM_MAX_BYTES, NULL);
	subject = quote_text(jwt_claim(&jwt, "sub"), CLAIM_MAX_BYTES, NULL);
	status_fail(advice, STATUS_OK, "; does it expect audience '%s' and subject '%s'?",
		audience.text, subject.text);
	jwt_release(&jwt);
}
