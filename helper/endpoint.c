#include "endpoint.h"

#include <string.h>

#include "assertion.h"
#include "attributes.h"
#include "response.h"
#include "transfer.h"

enum { BASIC_MAX_BYTES = 256 * 1024, ASSERTION_MAX_BYTES = 64 * 1024 };

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* ---- the body ---- */

static enum status append_field(struct buffer *body, const char *name, const char *value)
{
	enum status status;

	if (!value)
		return STATUS_OK;
	status = buffer_printf(body, "%s%s=", body->length > 0 ? "&" : "", name);
	return status ? status : transfer_form_encode(body, value);
}

static enum status append_fields(const struct endpoint_request *request, struct buffer *body)
{
	bool post = request->auth_method == PROFILE_AUTH_POST;
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

static enum status append_assertion(
	const struct endpoint_request *request, struct buffer *body, struct failure *failure)
{
	struct buffer signed_text = BUFFER_INIT(ASSERTION_MAX_BYTES);
	struct assertion assertion = {
		.private_key = request->private_key,
		.key_id = request->private_key_id,
		.client_id = request->client_id,
		.audience = request->assertion_audience ? request->assertion_audience
							: request->token_url,
		.issued_at = request->clock(),
	};
	enum status status = assertion_sign(&assertion, &signed_text, failure);

	if (!status && (append_field(body, "client_assertion_type", ASSERTION_TYPE) ||
			       append_field(body, "client_assertion", signed_text.data)))
		status = status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	buffer_release(&signed_text);
	return status;
}

static enum status write_body(const void *context, struct buffer *body, struct failure *failure)
{
	const struct endpoint_request *request = context;

	if (append_fields(request, body))
		return status_fail(failure, STATUS_NO_MEMORY,
			TRANSFER_URL ": the request cannot be prepared", request->token_url);
	if (request->auth_method == PROFILE_AUTH_PRIVATE_KEY_JWT)
		return append_assertion(request, body, failure);
	return STATUS_OK;
}

/* ---- the exchange ---- */

/* RFC 6749, 2.3.1 form-encodes both halves first; many servers, Sypht's among them, do not. */
static enum status write_basic(
	const struct endpoint_request *request, struct buffer *username, struct buffer *password)
{
	enum status (*append)(struct buffer *, const char *) =
		request->basic_raw ? buffer_append_text : transfer_form_encode;
	enum status status = append(username, request->client_id);

	return status ? status : append(password, request->client_secret);
}

/* What a person may do about a refusal, by the error code that it begins with. */
static const char *advice_on(const char *reason)
{
	static const struct {
		const char *error;
		const char *advice;
	} rows[] = {
		{"invalid_client", "; is the secret right, and auth_method?"},
		{"unauthorized_client", "; may this client use client_credentials?"},
		{"invalid_scope", "; is the profile's scope right?"},
		{"invalid_target", "; are the profile's resource and audience right?"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strncmp(reason, rows[i].error, strlen(rows[i].error)) == 0)
			return rows[i].advice;
	}
	return "";
}

static enum status read_reply(const struct transfer *transfer, const char *secret,
	struct grant *grant, struct failure *failure)
{
	struct failure reason;
	enum status status = response_read(transfer->http_status, buffer_text(transfer->reply),
		transfer->reply->length, secret, grant, &reason);

	if (status)
		status_fail(failure, status, TRANSFER_URL ": %s%s", transfer->url, reason.reason,
			advice_on(reason.reason));
	return status;
}

enum status endpoint_mint(const struct endpoint_request *request, struct grant *grant,
	struct buffer *story, struct failure *failure)
{
	bool basic = request->auth_method == PROFILE_AUTH_BASIC;
	struct buffer username = BUFFER_INIT(BASIC_MAX_BYTES);
	struct buffer password = BUFFER_INIT(BASIC_MAX_BYTES);
	struct buffer reply = BUFFER_INIT(RESPONSE_MAX_BYTES);
	struct transfer transfer = {
		.url = request->token_url,
		.cainfo = request->cainfo,
		.deadline = request->deadline,
		.write_body = write_body,
		.context = request,
		.reply = &reply,
		.story = story,
	};
	enum status status = STATUS_OK;

	if (basic && write_basic(request, &username, &password))
		status = status_fail(failure, STATUS_NO_MEMORY,
			TRANSFER_URL ": the request cannot be prepared", request->token_url);
	if (basic) {
		transfer.username = buffer_text(&username);
		transfer.password = buffer_text(&password);
	}
	if (!status)
		status = transfer_run(&transfer, failure);
	if (!status)
		status = read_reply(&transfer, request->client_secret, grant, failure);
	buffer_release(&username);
	buffer_release(&password);
	buffer_release(&reply);
	return status;
}
