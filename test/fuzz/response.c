/*
 * The token endpoint's answer: a token that may be sent, or a refusal that can be printed and does
 * not repeat the secret. The first byte of the input picks the HTTP status.
 */
#include "mint/response.h"

#include "core/token.h"
#include "fuzz.h"
#include "mint/quote.h"

#define SECRET "hunter2"

static void check_grant(const struct grant *grant)
{
	assert(token_is_b64token(grant->token));
	assert(grant->expires_in >= 1 || grant->expires_in == RESPONSE_LIFETIME_UNKNOWN);
	assert(!grant->scope || (!strpbrk(grant->scope, "\r\n") && !strstr(grant->scope, SECRET)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const long statuses[] = {200, 400, 401, 302, 500, 204};
	static const struct quote_secrets secrets = {{SECRET}};
	struct failure failure = {.reason = ""};
	struct response response = {
		.url = "https://auth.example/token",
		.body = (const char *)data + 1,
		.length = size - 1,
		.secrets = &secrets,
		.advice = "",
	};
	struct grant grant;
	enum status status;

	if (size == 0)
		return 0;
	response.http_status = statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))];
	status = response_read(&response, &grant, &failure);
	if (status == STATUS_OK) {
		check_grant(&grant);
	} else {
		assert(status == STATUS_REFUSED || status == STATUS_UNREACHABLE);
		assert(!grant.token && !grant.scope);
		fuzz_check_reason(&failure);
		assert(!strstr(failure.reason, SECRET));
	}
	grant_release(&grant);
	return 0;
}
