#include "mint/endpoint.h"

#include <string.h>

#include "core/attributes.h"
#include "mint/assertion.h"
#include "mint/identity.h"
#include "mint/quote.h"
#include "mint/response.h"
#include "mint/transfer.h"

enum { BASIC_MAX_BYTES = 256 * 1024, ASSERTION_MAX_BYTES = 64 * 1024 };

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* The secrets that are sent to the endpoint, by their place in the list. */
enum { TOLD_SECRET, TOLD_FORM_SECRET, TOLD_ASSERTION, TOLD_SIGNATURE };

struct exchange {
	const struct endpoint_request *request;
	struct buffer username;    /* of Basic, as it is sent */
	struct buffer form_secret; /* the secret as a form has it */
	struct buffer assertion;   /* the last one sent */
	struct quote_secrets secrets;
};

/* ---- the body ---- */

static enum status append_field(struct buffer *body, const char *name, const char *value)
{
	enum status status;

	if (!value)
		return STATUS_OK;
	status = buffer_printf(body, "%s%s=", body->length > 0 ? "&" : "", name);
	return status ? status : transfer_form_encode(body, value);
}

/* The body names the client, even beside Basic: Sypht's endpoint requires it. */
static enum status append_fields(const struct endpoint_request *request, struct buffer *body)
{
	bool post = request->auth_method == AUTHMETHOD_POST;
	const struct {
		const char *name;
		const char *value;
	} fields[] = {
		{"grant_type", "client_credentials"},
		{"client_id", request->client_id},
		{"client_secret", post ? request->client_secret : NULL},
		{"scope", request->scope},
		{"audience", request->audience},
	};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !status; i++)
		status = append_field(body, fields[i].name, fields[i].value);
	for (const char *resource = NULL; !status && (resource = attributes_next(request->resources,
							      "resource[]", resource));)
		status = append_field(body, "resource", resource);
	return status;
}

/* The signature is a secret by itself, because the rest can be guessed. */
static void keep_confidential(struct exchange *exchange)
{
	const char *assertion = exchange->assertion.data;

	exchange->secrets.told[TOLD_ASSERTION] = assertion;
	exchange->secrets.told[TOLD_SIGNATURE] = assertion ? strrchr(assertion, '.') : NULL;
}

static enum status sign(struct exchange *exchange, struct failure *failure)
{
	const struct endpoint_request *request = exchange->request;
	const struct assertion assertion = {
		.keypair = request->keypair,
		.algorithm = request->assertion_algorithm,
		.key_id = request->private_key_id,
		.client_id = request->client_id,
		.audience = request->assertion_audience ? request->assertion_audience
							: request->token_url,
		.issued_at = request->clock(),
	};

	return assertion_sign(&assertion, &exchange->assertion, failure);
}

/*
 * This is called for each try. A server refuses an assertion that it has seen before (RFC 7523, 3),
 * so each try signs a new one.
 */
static enum status append_assertion(
	struct exchange *exchange, struct buffer *body, struct failure *failure)
{
	const struct endpoint_request *request = exchange->request;
	const char *type = request->assertion_type ? request->assertion_type : ASSERTION_TYPE;
	enum status status;

	buffer_clear(&exchange->assertion);
	if (request->auth_method == AUTHMETHOD_PRIVATE_KEY_JWT)
		status = sign(exchange, failure);
	else
		status = buffer_append_text(&exchange->assertion, request->identity->assertion)
				 ? status_no_memory(failure)
				 : STATUS_OK;
	if (!status && (append_field(body, "client_assertion_type", type) ||
			       append_field(body, "client_assertion", exchange->assertion.data)))
		status = status_no_memory(failure);
	keep_confidential(exchange);
	return status;
}

static enum status write_body(void *context, struct buffer *body, struct failure *failure)
{
	struct exchange *exchange = context;
	const struct endpoint_request *request = exchange->request;

	if (append_fields(request, body))
		return status_fail(failure, STATUS_NO_MEMORY,
			TRANSFER_URL ": the request cannot be prepared", request->token_url);
	if (request->auth_method == AUTHMETHOD_PRIVATE_KEY_JWT ||
		request->auth_method == AUTHMETHOD_CLIENT_ASSERTION)
		return append_assertion(exchange, body, failure);
	return STATUS_OK;
}

/* ---- the exchange ---- */

/* Without TLS the certificate would not be shown, and the request would prove nothing. */
static enum status check_identity(const struct endpoint_request *request, struct failure *failure)
{
	if (authmethod_is_tls(request->auth_method) &&
		strncmp(request->token_url, "https:", 6) != 0)
		return status_fail(failure, STATUS_CONFIG,
			TRANSFER_URL ": tls_client_auth needs an https URL", request->token_url);
	return identity_check(request->identity, failure);
}

/* RFC 6749, 2.3.1 form-encodes both halves of Basic. Many servers, such as Sypht's, do not. */
static enum status prepare(struct exchange *exchange, struct failure *failure)
{
	const struct endpoint_request *request = exchange->request;
	enum status (*append)(struct buffer *, const char *) =
		request->basic_raw ? buffer_append_text : transfer_form_encode;

	if (append(&exchange->username, request->client_id) ||
		(request->client_secret &&
			transfer_form_encode(&exchange->form_secret, request->client_secret)))
		return status_fail(failure, STATUS_NO_MEMORY,
			TRANSFER_URL ": the request cannot be prepared", request->token_url);
	exchange->secrets.told[TOLD_SECRET] = request->client_secret;
	exchange->secrets.told[TOLD_FORM_SECRET] = buffer_text(&exchange->form_secret);
	return STATUS_OK;
}

static void use_basic(const struct exchange *exchange, struct transfer *transfer)
{
	const struct endpoint_request *request = exchange->request;

	if (request->auth_method != AUTHMETHOD_BASIC)
		return;
	transfer->username = buffer_text(&exchange->username);
	transfer->password =
		request->basic_raw ? request->client_secret : buffer_text(&exchange->form_secret);
}

/* The endpoint says why it refused; the identity says what to compare that with. */
static enum status read_reply(const struct endpoint_request *request,
	const struct transfer *transfer, struct grant *grant, struct failure *failure)
{
	struct failure advice = {.reason = ""};
	const struct response response = {
		.url = transfer->url,
		.http_status = transfer->http_status,
		.retry_after_s = transfer->retry_after_s,
		.body = buffer_text(transfer->reply),
		.length = transfer->reply->length,
		.secrets = transfer->secrets,
		.advice = advice.reason,
	};

	identity_advise(request->identity, &advice);
	return response_read(&response, grant, failure);
}

/*
 * The reply's status and Retry-After are reported after a failure too: the caller remembers them.
 */
enum status endpoint_mint(const struct endpoint_request *request, struct grant *grant,
	struct buffer *story, struct endpoint_reply *last, struct failure *failure)
{
	struct exchange exchange = {
		.request = request,
		.username = BUFFER_INIT(BASIC_MAX_BYTES),
		.form_secret = BUFFER_INIT(BASIC_MAX_BYTES),
		.assertion = BUFFER_INIT(ASSERTION_MAX_BYTES),
	};
	struct buffer reply = BUFFER_INIT(RESPONSE_MAX_BYTES);
	enum status status = check_identity(request, failure);
	struct transfer transfer = {
		.url = request->token_url,
		.cainfo = request->cainfo,
		.client = request->tls,
		.deadline = request->deadline,
		.is_sound = response_is_object,
		.write_body = write_body,
		.context = &exchange,
		.secrets = &exchange.secrets,
		.reply = &reply,
		.story = story,
	};

	if (!status)
		status = prepare(&exchange, failure);
	use_basic(&exchange, &transfer);
	if (!status)
		status = transfer_run(&transfer, failure);
	if (!status)
		status = read_reply(request, &transfer, grant, failure);
	*last = (struct endpoint_reply){transfer.http_status, transfer.retry_after_s};
	buffer_release(&exchange.username);
	buffer_release(&exchange.form_secret);
	buffer_release(&exchange.assertion);
	buffer_release(&reply);
	return status;
}
