#include "endpoint.h"

#include <curl/curl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "attributes.h"
#include "origin.h"
#include "process.h"
#include "response.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	RETRIES = 3,
	FIRST_PAUSE_MS = 250,
	RETRY_AFTER_MAX_S = 86400,
	HTTP_TOO_MANY_REQUESTS = 429,
	HTTP_SERVER_ERROR = 500,
	BODY_MAX_BYTES = 256 * 1024,
};

/* How reasons begin; a URL may be longer than a reason, and must leave room for it. */
#define ENDPOINT "%.100s"

/* One attempt's outcome, before anybody has read the reply. */
struct attempt {
	struct buffer reply;
	CURLcode code;
	char error[CURL_ERROR_SIZE];
	long http_status;
	curl_off_t retry_after_s;
	long long took_ms;
};

/* ---- the request ---- */

/* application/x-www-form-urlencoded: like a URL's escapes, but a blank is "+". */
static enum status append_form_encoded(struct buffer *out, const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));
	enum status status = escaped ? STATUS_OK : STATUS_NO_MEMORY;

	for (const char *p = escaped; !status && *p != '\0'; p++) {
		bool blank = strncmp(p, "%20", 3) == 0;

		status = buffer_append(out, blank ? "+" : p, 1);
		p += blank ? 2 : 0;
	}
	if (escaped)
		explicit_bzero(escaped, strlen(escaped));
	curl_free(escaped);
	return status;
}

static enum status append_field(struct buffer *body, const char *name, const char *value)
{
	enum status status;

	if (!value)
		return STATUS_OK;
	status = buffer_printf(body, "%s%s=", body->length > 0 ? "&" : "", name);
	return status ? status : append_form_encoded(body, value);
}

static enum status write_body(const struct endpoint_request *request, struct buffer *body)
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

/* RFC 6749, 2.3.1 form-encodes both halves first; many servers, Sypht's among them, do not. */
static enum status set_basic(CURL *handle, const struct endpoint_request *request)
{
	struct buffer user = BUFFER_INIT(BODY_MAX_BYTES);
	struct buffer password = BUFFER_INIT(BODY_MAX_BYTES);
	enum status (*append)(struct buffer *, const char *) =
		request->basic_raw ? buffer_append_text : append_form_encoded;
	enum status status = append(&user, request->client_id);

	if (!status)
		status = append(&password, request->client_secret);
	if (!status && (curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) ||
			       curl_easy_setopt(handle, CURLOPT_USERNAME, buffer_text(&user)) ||
			       curl_easy_setopt(handle, CURLOPT_PASSWORD, buffer_text(&password))))
		status = STATUS_NO_MEMORY;
	buffer_release(&user);
	buffer_release(&password);
	return status;
}

static size_t take_reply(char *bytes, size_t size, size_t count, void *reply)
{
	return buffer_append(reply, bytes, size * count) ? 0 : count;
}

/* What holds for every attempt. */
static enum status prepare(CURL *handle, const struct endpoint_request *request,
	const struct buffer *body, struct curl_slist **headers)
{
	struct origin origin;
	bool secure = origin_from_url(&origin, request->token_url) && origin.secure;

	*headers = curl_slist_append(NULL, "Accept: application/json");
	if (!*headers || curl_easy_setopt(handle, CURLOPT_URL, request->token_url) ||
		curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body->data) ||
		curl_easy_setopt(handle, CURLOPT_HTTPHEADER, *headers) ||
		curl_easy_setopt(handle, CURLOPT_USERAGENT, "sypht-credential/" SYPHT_VERSION) ||
		curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_reply) ||
		curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) ||
		curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) ||
		curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http") ||
		curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
		return STATUS_NO_MEMORY;
	/* plain http is for this machine alone, so no proxy may carry it */
	if (!secure && curl_easy_setopt(handle, CURLOPT_NOPROXY, "*"))
		return STATUS_NO_MEMORY;
	if (request->cainfo && curl_easy_setopt(handle, CURLOPT_CAINFO, request->cainfo))
		return STATUS_NO_MEMORY;
	if (request->auth_method == PROFILE_AUTH_BASIC)
		return set_basic(handle, request);
	return STATUS_OK;
}

/* ---- one attempt ---- */

static void perform(CURL *handle, long left_ms, struct attempt *attempt)
{
	long connect_ms = left_ms < CONNECT_TIMEOUT_MS ? left_ms : CONNECT_TIMEOUT_MS;
	long long start = process_milliseconds();

	buffer_clear(&attempt->reply);
	attempt->error[0] = '\0';
	attempt->http_status = 0;
	attempt->retry_after_s = 0;
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, &attempt->reply);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, attempt->error);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	attempt->code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &attempt->http_status);
	curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &attempt->retry_after_s);
	attempt->took_ms = process_milliseconds() - start;
}

static const char *describe_fault(const struct attempt *attempt)
{
	if (attempt->code == CURLE_WRITE_ERROR)
		return "the reply is larger than a token's can be";
	return attempt->error[0] != '\0' ? attempt->error : curl_easy_strerror(attempt->code);
}

static enum status read_attempt(const struct endpoint_request *request,
	const struct attempt *attempt, struct grant *grant, struct failure *failure)
{
	struct failure reason;
	enum status status;

	if (attempt->code == CURLE_OPERATION_TIMEDOUT)
		return status_fail(failure, STATUS_TIMEOUT, ENDPOINT ": no answer in time: %s",
			request->token_url, describe_fault(attempt));
	if (attempt->code)
		return status_fail(failure, STATUS_UNREACHABLE, ENDPOINT ": %s", request->token_url,
			describe_fault(attempt));
	status = response_read(attempt->http_status, buffer_text(&attempt->reply),
		attempt->reply.length, grant, &reason);
	if (status)
		status_fail(failure, status, ENDPOINT ": %s", request->token_url, reason.reason);
	return status;
}

/* ---- several attempts ---- */

/* Faults of the network or of the moment; a certificate that is wrong now stays wrong. */
static bool may_retry(const struct attempt *attempt)
{
	switch (attempt->code) {
	case CURLE_OK:
		return attempt->http_status == HTTP_TOO_MANY_REQUESTS ||
		       attempt->http_status >= HTTP_SERVER_ERROR;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

/* Doubling from try to try, half of it at random, so that a herd does not come back as one. */
static long long pause_ms(const struct attempt *attempt, int tries)
{
	long long pause = (long long)FIRST_PAUSE_MS << tries;
	unsigned random = 0;

	if (attempt->retry_after_s > RETRY_AFTER_MAX_S)
		return RETRY_AFTER_MAX_S * 1000LL;
	if (attempt->retry_after_s > 0)
		return attempt->retry_after_s * 1000LL;
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (unsigned)process_milliseconds();
	return pause / 2 + random % (unsigned)(pause / 2 + 1);
}

static void sleep_ms(long long milliseconds)
{
	struct timespec left = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000,
	};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static enum status tell(struct buffer *story, const struct endpoint_request *request,
	const struct attempt *attempt, int tries)
{
	struct buffer line = BUFFER_INIT(ATTRIBUTES_LINE_MAX - 16);
	enum status status = buffer_printf(&line, "POST %s: try %d, %s, HTTP %ld, %lld ms",
		request->token_url, tries + 1, curl_easy_strerror(attempt->code),
		attempt->http_status, attempt->took_ms);

	if (!status)
		status = attributes_add(story, "trace[]", line.data);
	buffer_release(&line);
	return status;
}

static enum status try_until(long long deadline, CURL *handle,
	const struct endpoint_request *request, struct grant *grant, struct buffer *story,
	struct failure *failure)
{
	struct attempt attempt = {.reply = BUFFER_INIT(RESPONSE_MAX_BYTES)};
	enum status status = status_fail(
		failure, STATUS_TIMEOUT, ENDPOINT ": no time left to ask it", request->token_url);

	for (int tries = 0;; tries++) {
		long long left_ms = deadline - process_milliseconds();
		long long pause;

		if (left_ms <= 0)
			break;
		perform(handle, (long)left_ms, &attempt);
		status = read_attempt(request, &attempt, grant, failure);
		if (tell(story, request, &attempt, tries))
			buffer_clear(story);
		pause = pause_ms(&attempt, tries);
		if (status == STATUS_OK || tries == RETRIES || !may_retry(&attempt) ||
			process_milliseconds() + pause >= deadline)
			break;
		sleep_ms(pause);
	}
	buffer_release(&attempt.reply);
	return status;
}

enum status endpoint_mint(const struct endpoint_request *request, struct grant *grant,
	struct buffer *story, struct failure *failure)
{
	long long deadline = process_milliseconds() + request->timeout_ms;
	struct buffer body = BUFFER_INIT(BODY_MAX_BYTES);
	struct curl_slist *headers = NULL;
	CURL *handle = curl_easy_init();
	enum status status = handle ? STATUS_OK : STATUS_NO_MEMORY;

	if (!status)
		status = write_body(request, &body);
	if (!status)
		status = prepare(handle, request, &body, &headers);
	if (status)
		status_fail(failure, status, ENDPOINT ": the request cannot be prepared",
			request->token_url);
	else
		status = try_until(deadline, handle, request, grant, story, failure);
	curl_easy_cleanup(handle);
	curl_slist_free_all(headers);
	buffer_release(&body);
	return status;
}
