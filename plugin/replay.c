#include "replay.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "body.h"
#include "notice.h"
#include "scope.h"
#include "supplier.h"
#include "target.h"

/* Call what libcurl would have called: the application's function, or fwrite() with its file. */
static size_t pass_body(struct easy *easy, char *bytes, size_t size, size_t count)
{
	if (easy->write)
		return easy->write(bytes, size, count, easy->write_data);
	return fwrite(bytes, size, count, easy->write_data);
}

static size_t pass_header(struct easy *easy, char *bytes, size_t size, size_t count)
{
	if (easy->header)
		return easy->header(bytes, size, count, easy->header_data);
	if (!easy->header_data)
		return size * count;
	if (easy->write)
		return easy->write(bytes, size, count, easy->header_data);
	return fwrite(bytes, size, count, easy->header_data);
}

static size_t pass_piece(void *context, enum piece piece, char *bytes, size_t length)
{
	return (piece == PIECE_BODY ? pass_body : pass_header)(context, bytes, 1, length);
}

/*
 * A server that answers with a redirect has carried out the request. Only GET and HEAD may be
 * repeated then.
 */
static bool was_carried_out(const struct easy *easy)
{
	const unsigned changing = FACT_UPLOAD | FACT_POST | FACT_FORM | FACT_CUSTOM_METHOD;

	return easy->facts & changing && easy_info(easy, CURLINFO_REDIRECT_COUNT) > 0;
}

/* The response is a 401 from the origin that got our token. */
static bool is_refusal(const struct easy *easy)
{
	return easy_info(easy, CURLINFO_RESPONSE_CODE) == HTTP_UNAUTHORIZED &&
	       target_is_reached(easy, easy->load.realm);
}

static long clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

/*
 * The application's timeout limits the transfer; the time it takes to get a token does not count.
 */
static void extend_timeout(struct easy *easy, long spent)
{
	if (!easy->timeout_ms || !spent)
		return;
	easy_set(easy, CURLOPT_TIMEOUT_MS, easy->timeout_ms + spent);
	easy->load.timeout_extended = true;
}

static void restore_timeout(struct easy *easy)
{
	if (easy->load.timeout_extended)
		easy_set(easy, CURLOPT_TIMEOUT_MS, easy->timeout_ms);
	easy->load.timeout_extended = false;
}

/* Replace the rejected token on the handle. */
static bool renew(struct easy *easy)
{
	const struct realm *realm = easy->load.realm;
	struct failure failure = {.reason = ""};
	struct lease lease;
	long start = clock_ms();
	enum status status = supplier_replace(
		realm->supplier, &realm->origin, easy->load.fingerprint, &lease, &failure);

	extend_timeout(easy, clock_ms() - start);
	if (status) {
		notice(realm, "401 on token %s stands: %s", easy->load.fingerprint, failure.reason);
		return false;
	}
	easy->replay.renewed = easy_set(easy, CURLOPT_XOAUTH2_BEARER, lease.token) == CURLE_OK;
	if (notice_wanted())
		notice(realm, "401 on token %s, which is replaced by %s", easy->load.fingerprint,
			lease.fingerprint);
	memcpy(easy->load.fingerprint, lease.fingerprint, sizeof(easy->load.fingerprint));
	supplier_return(&lease);
	return easy->replay.renewed;
}

/* The status is known: hold the response from here on, or pass it on. */
static void decide(struct easy *easy)
{
	struct replay *replay = &easy->replay;

	replay->refused = is_refusal(easy);
	replay->phase = replay->refused && !(easy->facts & FACT_HEADER_IN_BODY) &&
					!was_carried_out(easy) && body_can_rewind(easy) &&
					renew(easy)
				? REPLAY_HOLDING
				: REPLAY_OFF;
}

/*
 * 0 if the application has taken all that was held. Else what the callback must return to libcurl.
 */
static size_t release(struct easy *easy)
{
	struct replay *replay = &easy->replay;
	size_t answer;

	replay->phase = REPLAY_RELEASING;
	if (held_deliver(&replay->held, pass_piece, easy, &answer)) {
		replay->phase = REPLAY_OFF;
		return 0;
	}
	if (answer == CURL_WRITEFUNC_PAUSE)
		return answer;
	held_forget(&replay->held);
	return CURL_WRITEFUNC_ERROR;
}

/*
 * Whether the transfer ended by itself. It does not matter if the body of the 401 broke off, or if
 * libcurl refused the body. But the application or its timeout may have ended the transfer: then it
 * is over.
 */
static bool is_answer(CURLcode result)
{
	switch (result) {
	case CURLE_OK:
	case CURLE_HTTP_RETURNED_ERROR:
	case CURLE_RANGE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

/*
 * The transfer is over for libcurl: deliver what was held, until the application pauses. A callback
 * may call libcurl, so the record holds nothing meanwhile.
 */
static CURLcode hand_over(struct easy *easy, CURLcode result)
{
	struct replay *replay = &easy->replay;
	struct held held = replay->held;
	size_t answer;

	replay->held = (struct held)HELD_INIT;
	replay->phase = REPLAY_OFF;
	if (held_deliver(&held, pass_piece, easy, &answer))
		return result;
	if (answer == CURL_WRITEFUNC_PAUSE && is_answer(result)) {
		replay->held = held;
		replay->phase = REPLAY_PAUSED;
		replay->result = result;
		return result;
	}
	held_forget(&held);
	return result ? result : CURLE_WRITE_ERROR;
}

void replay_resume(struct easy *easy)
{
	easy->replay.result = hand_over(easy, easy->replay.result);
}

/* Whether to wait on. Without a progress callback nothing could resume the transfer. */
static bool tell_progress(struct easy *easy)
{
	if (easy->no_progress)
		return false;
	if (easy->xferinfo)
		return easy->xferinfo(easy->progress_data, 0, 0, 0, 0) == 0;
	return easy->progress && easy->progress(easy->progress_data, 0, 0, 0, 0) == 0;
}

/*
 * Within curl_easy_perform() only the progress callback can resume the transfer, so call it
 * regularly.
 */
static CURLcode wait_for_resume(struct easy *easy)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	long deadline = clock_ms() + easy->timeout_ms;

	while (easy->replay.phase == REPLAY_PAUSED) {
		bool late = easy->timeout_ms && clock_ms() >= deadline;

		if (late || !tell_progress(easy)) {
			replay_drop(easy);
			return late ? CURLE_OPERATION_TIMEDOUT : CURLE_ABORTED_BY_CALLBACK;
		}
		nanosleep(&pause, NULL);
	}
	return easy->replay.result;
}

/* If the answer is to pause, libcurl gives the same bytes again later. */
static size_t receive(struct easy *easy, enum piece piece, char *bytes, size_t length)
{
	struct replay *replay = &easy->replay;
	size_t answer = 0;

	if (replay->phase == REPLAY_HOLDING) {
		if (held_keep(&replay->held, piece, bytes, length))
			return length;
		answer = release(easy);
	} else if (replay->phase == REPLAY_RELEASING) {
		answer = release(easy);
	}
	return answer ? answer : pass_piece(easy, piece, bytes, length);
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
	struct easy *easy = easy_find(context);

	if (!easy)
		return CURL_WRITEFUNC_ERROR;
	/* without a header callback, this is the first sign of the final response */
	if (easy->replay.phase == REPLAY_WATCHING && !(easy->wraps & WRAP_HEADER))
		decide(easy);
	if (easy->replay.phase == REPLAY_OFF)
		return pass_body(easy, bytes, size, count);
	return receive(easy, PIECE_BODY, bytes, size * count);
}

/* The status if the line begins a response; 0 for other lines, and for the response of a proxy. */
static long status_in(const struct easy *easy, const char *line, size_t length)
{
	static const char begins[] = "HTTP/";
	enum { DIGITS = 3 };
	const char *space;
	long status = 0;

	if (length < sizeof(begins) || memcmp(line, begins, sizeof(begins) - 1) != 0)
		return 0;
	space = memchr(line, ' ', length);
	if (!space || (size_t)(line + length - space) <= DIGITS)
		return 0;
	for (int i = 1; i <= DIGITS; i++)
		status = status * 10 + (space[i] - '0');
	return status == easy_info(easy, CURLINFO_RESPONSE_CODE) ? status : 0;
}

/*
 * A response begins. A repeated request also repeats the redirects and the 1xx that came before the
 * 401. The application has seen them already, so swallow as many.
 */
static void begin_response(struct easy *easy, long status)
{
	struct replay *replay = &easy->replay;
	bool interim = status < 200 || (status >= 300 && status < 400);

	replay->swallowing = replay->phase == REPLAY_SECOND && interim && replay->interim > 0;
	if (replay->swallowing)
		replay->interim--;
	if (replay->phase != REPLAY_WATCHING)
		return;
	if (interim)
		replay->interim++;
	else
		decide(easy);
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
{
	struct easy *easy = easy_find(context);
	long status;

	if (!easy)
		return CURL_WRITEFUNC_ERROR;
	if (easy->replay.phase == REPLAY_OFF)
		return pass_header(easy, bytes, size, count);
	status = status_in(easy, bytes, size * count);
	if (status)
		begin_response(easy, status);
	if (easy->replay.swallowing)
		return size * count;
	return receive(easy, PIECE_HEADER, bytes, size * count);
}

static size_t give_body(char *bytes, size_t size, size_t count, void *context)
{
	struct easy *easy = easy_find(context);

	if (!easy || !easy->replay.source)
		return CURL_READFUNC_ABORT;
	easy->replay.read = true;
	return easy->replay.source(bytes, size, count, easy->replay.source_data);
}

static void stand_before_write(struct easy *easy)
{
	easy_set(easy, CURLOPT_WRITEFUNCTION, (void *)receive_body);
	easy_set(easy, CURLOPT_WRITEDATA, easy->handle);
	easy->wraps |= WRAP_WRITE;
}

static void stand_before_header(struct easy *easy)
{
	easy_set(easy, CURLOPT_HEADERFUNCTION, (void *)receive_header);
	easy_set(easy, CURLOPT_HEADERDATA, easy->handle);
	easy->wraps |= WRAP_HEADER;
}

static void step_aside_of_header(struct easy *easy)
{
	easy_set(easy, CURLOPT_HEADERFUNCTION, (void *)easy->header);
	easy_set(easy, CURLOPT_HEADERDATA, easy->header_data);
	easy->wraps &= ~WRAP_HEADER;
}

static void stand_before_read(struct easy *easy)
{
	easy_set(easy, CURLOPT_READFUNCTION, (void *)give_body);
	easy_set(easy, CURLOPT_READDATA, easy->handle);
	easy->wraps |= WRAP_READ;
}

static void step_aside_of_read(struct easy *easy)
{
	easy_set(easy, CURLOPT_READFUNCTION, (void *)easy->read);
	easy_set(easy, CURLOPT_READDATA, easy->read_data);
	easy->wraps &= ~WRAP_READ;
	easy->replay.offset = -1;
}

void replay_adjust(struct easy *easy)
{
	bool headers = easy->wraps & WRAP_WRITE && (easy->header || easy->header_data);

	if (headers && !(easy->wraps & WRAP_HEADER))
		stand_before_header(easy);
	else if (!headers && easy->wraps & WRAP_HEADER)
		step_aside_of_header(easy);
	if (easy->wraps & WRAP_READ && (!body_streams(easy) || body_reads_file(easy)))
		step_aside_of_read(easy);
}

/* libcurl gives a file to fread() itself. Note where the file stands: a repeat begins there. */
static void watch_body(struct easy *easy)
{
	if (!body_reads_file(easy))
		stand_before_read(easy);
	else if (!easy->seek && !easy->ioctl)
		easy->replay.offset = easy->read_data ? ftell(easy->read_data) : -1;
}

void replay_watch(struct easy *easy)
{
	struct replay *replay = &easy->replay;

	if (!(easy->wraps & WRAP_WRITE)) {
		stand_before_write(easy);
		replay_adjust(easy);
	}
	replay->offset = -1;
	if (body_streams(easy))
		watch_body(easy);
	replay->phase = REPLAY_WATCHING;
	replay->interim = 0;
	replay->swallowing = replay->read = replay->refused = replay->renewed = false;
}

bool replay_due(struct easy *easy, CURLcode result)
{
	struct replay *replay = &easy->replay;

	if (replay->phase == REPLAY_OFF || !is_answer(result))
		return false;
	/* the response had neither headers nor a body for the application */
	if (replay->phase == REPLAY_WATCHING)
		decide(easy);
	return replay->phase == REPLAY_HOLDING && body_rewind(easy);
}

void replay_begin(struct easy *easy, CURLcode first_result)
{
	easy->replay.phase = REPLAY_SECOND;
	easy->replay.result = first_result;
	easy->replay.read = false;
	restore_timeout(easy);
	if (notice_wanted())
		notice(easy->load.realm, "sent again with token %s", easy->load.fingerprint);
}

void replay_cancel(struct easy *easy)
{
	easy->replay.phase = REPLAY_RELEASING;
}

CURLcode replay_finish(struct easy *easy, CURLcode result)
{
	struct replay *replay = &easy->replay;

	/* libcurl could not rewind a part of the form: report the 401 */
	if (replay->phase == REPLAY_SECOND && result == CURLE_SEND_FAIL_REWIND) {
		result = replay->result;
		replay->reported = HTTP_UNAUTHORIZED;
		replay_cancel(easy);
	}
	if (replay->phase == REPLAY_SECOND)
		held_forget(&replay->held);
	result = hand_over(easy, result);
	return easy->seat.performing && replay->phase == REPLAY_PAUSED ? wait_for_resume(easy)
								       : result;
}

void replay_stop(struct easy *easy)
{
	/* the second response replaces what was held */
	if (easy->replay.phase == REPLAY_SECOND)
		held_forget(&easy->replay.held);
	if (easy->replay.phase != REPLAY_PAUSED)
		easy->replay.phase = held_any(&easy->replay.held) ? REPLAY_RELEASING : REPLAY_OFF;
	easy->replay.swallowing = false;
	restore_timeout(easy);
	if (easy->wraps & WRAP_READ)
		step_aside_of_read(easy);
}

/* libcurl keeps our callbacks; the record has those of the application. */
bool replay_withholds(const struct easy *easy, CURLoption option)
{
	switch (option) {
	case CURLOPT_WRITEFUNCTION:
	case CURLOPT_WRITEDATA:
	case CURLOPT_HEADERFUNCTION:
	case CURLOPT_HEADERDATA:
		return easy->wraps & WRAP_WRITE;
	case CURLOPT_READFUNCTION:
	case CURLOPT_READDATA:
		return easy->wraps & WRAP_READ;
	default:
		return false;
	}
}

void replay_adopt(struct easy *copy)
{
	if (copy->wraps & WRAP_WRITE)
		stand_before_write(copy);
	if (copy->wraps & WRAP_HEADER)
		stand_before_header(copy);
}
