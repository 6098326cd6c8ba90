#include "mint/transfer.h"

#include <curl/curl.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/attributes.h"
#include "core/authmethod.h"
#include "core/origin.h"
#include "mint/quote.h"
#include "process.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	RETRIES = 3,
	FIRST_PAUSE_MS = 250,
	RETRY_AFTER_MAX_S = 86400,
	HTTP_OK = 200,
	HTTP_TOO_MANY_REQUESTS = 429,
	HTTP_SERVER_ERROR = 500,
	BODY_MAX_BYTES = 256 * 1024,
	FAULT_MAX_BYTES = 90,
	LATE_FAULT_MAX_BYTES = 70,
};

/* One try's outcome, beside the reply. */
struct attempt {
	CURLcode code;
	char error[CURL_ERROR_SIZE];
	long long took_ms;
};

/* Like a URL's escapes, but a blank is "+". */
enum status transfer_form_encode(struct buffer *out, const char *text)
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

/* ---- what holds for every try ---- */

static size_t take_reply(char *bytes, size_t size, size_t count, void *reply)
{
	return buffer_append(reply, bytes, size * count) ? 0 : count;
}

static bool set_basic(CURL *handle, const struct transfer *transfer)
{
	return curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC) == CURLE_OK &&
	       curl_easy_setopt(handle, CURLOPT_USERNAME, transfer->username) == CURLE_OK &&
	       curl_easy_setopt(handle, CURLOPT_PASSWORD, transfer->password) == CURLE_OK;
}

/* Pass contents, not a path: the helper has read the file by its own rules, as in secretfile.h. */
static bool set_blob(CURL *handle, CURLoption option, const char *text)
{
	struct curl_blob blob = {
		.data = (void *)(uintptr_t)text, .len = strlen(text), .flags = CURL_BLOB_COPY};

	return curl_easy_setopt(handle, option, &blob) == CURLE_OK;
}

/* libcurl opens a key in PKCS#11 by an engine of OpenSSL. */
static bool set_client(CURL *handle, const struct transfer_client *client)
{
	if (!set_blob(handle, CURLOPT_SSLCERT_BLOB, client->certificate))
		return false;
	if (authmethod_key_is_uri(client->private_key))
		return curl_easy_setopt(handle, CURLOPT_SSLKEYTYPE, "ENG") == CURLE_OK &&
		       curl_easy_setopt(handle, CURLOPT_SSLKEY, client->private_key) == CURLE_OK;
	return set_blob(handle, CURLOPT_SSLKEY_BLOB, client->private_key) &&
	       curl_easy_setopt(handle, CURLOPT_KEYPASSWD, client->password) == CURLE_OK;
}

/* Do not follow redirects: the next server would get the secret. */
static bool prepare(CURL *handle, const struct transfer *transfer, struct curl_slist **headers)
{
	struct origin origin;
	bool secure = origin_from_url(&origin, transfer->url) && origin.secure;

	*headers = curl_slist_append(NULL, "Accept: application/json");
	if (!*headers || curl_easy_setopt(handle, CURLOPT_URL, transfer->url) ||
		curl_easy_setopt(handle, CURLOPT_HTTPHEADER, *headers) ||
		curl_easy_setopt(handle, CURLOPT_USERAGENT, "sypht-credential/" SYPHT_VERSION) ||
		curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_reply) ||
		curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer->reply) ||
		curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) ||
		curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) ||
		curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http") ||
		curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
		return false;
	/* do not wait for a resolver that does not answer */
	if (curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L))
		return false;
	/* plain http must not leave this machine, so no proxy may carry it */
	if (!secure && curl_easy_setopt(handle, CURLOPT_NOPROXY, "*"))
		return false;
	if (transfer->cainfo && curl_easy_setopt(handle, CURLOPT_CAINFO, transfer->cainfo))
		return false;
	if (transfer->client.certificate && !set_client(handle, &transfer->client))
		return false;
	return !transfer->username || set_basic(handle, transfer);
}

/* ---- one try ---- */

/* libcurl reads seconds as well as dates. A limit keeps later sums from overflowing. */
static long read_retry_after(CURL *handle)
{
	curl_off_t seconds = 0;

	curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds < 0)
		return 0;
	return seconds < RETRY_AFTER_MAX_S ? (long)seconds : RETRY_AFTER_MAX_S;
}

/* The error buffer is the attempt's own, so take it away before the attempt is over. */
static void perform(CURL *handle, struct transfer *transfer, long left_ms, struct attempt *attempt)
{
	long connect_ms = left_ms < CONNECT_TIMEOUT_MS ? left_ms : CONNECT_TIMEOUT_MS;
	long long start = process_milliseconds();

	buffer_clear(transfer->reply);
	*attempt = (struct attempt){.code = CURLE_OK};
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, attempt->error);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	attempt->code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &transfer->http_status);
	transfer->retry_after_s = read_retry_after(handle);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, NULL);
	attempt->took_ms = process_milliseconds() - start;
}

/* Quoted, because libcurl repeats what the server said, such as names in certificates. */
static struct quote describe_fault(
	const struct transfer *transfer, const struct attempt *attempt, size_t most)
{
	const char *words =
		attempt->error[0] != '\0' ? attempt->error : curl_easy_strerror(attempt->code);

	if (attempt->code == CURLE_WRITE_ERROR)
		words = "the reply is larger than a token's can be";
	return quote_text(words, most, transfer->secrets);
}

/* The variable that seems to send requests for url through a proxy, or NULL. */
static const char *proxy_variable(const char *url)
{
	static const char *const variables[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value != '\0' && strncmp(url, "https:", 6) == 0)
			return variables[i];
	}
	return NULL;
}

/* What a person may do about it; "" if the fault says enough. */
static void advise(
	const struct transfer *transfer, const struct attempt *attempt, struct failure *advice)
{
	const char *proxy = proxy_variable(transfer->url);

	switch (attempt->code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		if (strstr(attempt->error, "not yet valid") || strstr(attempt->error, "expired"))
			status_fail(advice, STATUS_OK, "; check the clock of this machine");
		else if (!strstr(attempt->error, "host name") && !strstr(attempt->error, "subject"))
			status_fail(advice, STATUS_OK, "; set SYPHT_CAINFO to the file of its CA");
		break;
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_ENGINE_NOTFOUND:
		status_fail(
			advice, STATUS_OK, "; see private_key_file and client_certificate_file");
		break;
	case CURLE_SSL_CACERT_BADFILE:
		status_fail(advice, STATUS_OK,
			"; correct SYPHT_CAINFO, CURL_CA_BUNDLE or SSL_CERT_FILE");
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
	case CURLE_RECV_ERROR:
	case CURLE_OPERATION_TIMEDOUT:
		if (proxy)
			status_fail(advice, STATUS_OK,
				"; %s is set: correct it, or add the host to no_proxy", proxy);
		break;
	default:
		break;
	}
}

/* Name the endpoint, then the fault, then the advice. A timeout's fault is long, so cut it more. */
static enum status judge(
	const struct transfer *transfer, const struct attempt *attempt, struct failure *failure)
{
	bool late = attempt->code == CURLE_OPERATION_TIMEDOUT;
	bool resolving = late && strncmp(attempt->error, "Resolving ", 10) == 0;
	struct quote fault =
		describe_fault(transfer, attempt, late ? LATE_FAULT_MAX_BYTES : FAULT_MAX_BYTES);
	struct failure advice = {.reason = ""};

	advise(transfer, attempt, &advice);
	if (resolving)
		return status_fail(failure, STATUS_TIMEOUT,
			TRANSFER_URL
			": no DNS answer in time; correct the name servers in /etc/resolv.conf",
			transfer->url);
	if (late)
		return status_fail(failure, STATUS_TIMEOUT,
			TRANSFER_URL ": no answer in time: %s%s", transfer->url, fault.text,
			advice.reason);
	if (attempt->code)
		return status_fail(failure, STATUS_UNREACHABLE, TRANSFER_URL ": %s%s",
			transfer->url, fault.text, advice.reason);
	return STATUS_OK;
}

/* ---- several tries ---- */

/* A proxy may answer in the server's place, and a server that restarts cuts its answer short. */
static bool is_unsound(const struct transfer *transfer)
{
	return transfer->http_status == HTTP_OK && transfer->is_sound &&
	       !transfer->is_sound(transfer->reply);
}

/* Not after a certificate that cannot be verified: it will not change in a moment. */
static bool may_retry(const struct transfer *transfer, const struct attempt *attempt, int tries)
{
	switch (attempt->code) {
	case CURLE_OK:
		return transfer->http_status == HTTP_TOO_MANY_REQUESTS ||
		       transfer->http_status >= HTTP_SERVER_ERROR ||
		       (tries == 0 && is_unsound(transfer));
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

/* It doubles with each try. Half of it is random, so that many clients do not return together. */
static long long pause_ms(const struct transfer *transfer, int tries)
{
	long long pause = (long long)FIRST_PAUSE_MS << tries;
	unsigned random = 0;

	if (transfer->retry_after_s > 0)
		return transfer->retry_after_s * 1000LL;
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

/* A trace line that does not fit is no failure. */
static void tell(const struct transfer *transfer, const struct attempt *attempt, int tries)
{
	struct buffer line = BUFFER_INIT(ATTRIBUTES_LINE_MAX - 16);

	if (buffer_printf(&line, "%s %s: try %d, %s, HTTP %ld, %lld ms",
		    transfer->write_body ? "POST" : "GET", transfer->url, tries + 1,
		    curl_easy_strerror(attempt->code), transfer->http_status, attempt->took_ms) ||
		attributes_add(transfer->story, "trace[]", line.data))
		buffer_clear(transfer->story);
	buffer_release(&line);
}

/* Write the body anew for each try; libcurl does not copy it. */
static enum status set_body(
	CURL *handle, const struct transfer *transfer, struct buffer *body, struct failure *failure)
{
	enum status status;

	if (!transfer->write_body)
		return STATUS_OK;
	buffer_clear(body);
	status = transfer->write_body(transfer->context, body, failure);
	if (!status && (curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body->data) ||
			       curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)body->length)))
		status = status_no_memory(failure);
	return status;
}

static enum status try_until_answered(
	CURL *handle, struct transfer *transfer, struct buffer *body, struct failure *failure)
{
	struct attempt attempt;
	enum status status = status_fail(
		failure, STATUS_TIMEOUT, TRANSFER_URL ": no time left to ask it", transfer->url);

	for (int tries = 0;; tries++) {
		long long left_ms = transfer->deadline - process_milliseconds();
		long long pause;

		if (left_ms <= 0)
			return status;
		status = set_body(handle, transfer, body, failure);
		if (status)
			return status;
		perform(handle, transfer, (long)left_ms, &attempt);
		status = judge(transfer, &attempt, failure);
		tell(transfer, &attempt, tries);
		pause = pause_ms(transfer, tries);
		if (tries == RETRIES || !may_retry(transfer, &attempt, tries) ||
			process_milliseconds() + pause >= transfer->deadline)
			return status;
		sleep_ms(pause);
	}
}

/* One handle for all tries, so that a later one can use the connection of the one before. */
enum status transfer_run(struct transfer *transfer, struct failure *failure)
{
	struct buffer body = BUFFER_INIT(BODY_MAX_BYTES);
	struct curl_slist *headers = NULL;
	CURL *handle = curl_easy_init();
	enum status status;

	if (handle && prepare(handle, transfer, &headers))
		status = try_until_answered(handle, transfer, &body, failure);
	else
		status = status_fail(failure, STATUS_NO_MEMORY,
			TRANSFER_URL ": the request cannot be prepared", transfer->url);
	curl_easy_cleanup(handle);
	curl_slist_free_all(headers);
	buffer_release(&body);
	return status;
}
