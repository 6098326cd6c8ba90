#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

static void set_pointer(struct easy *easy, CURLoption option, void *pointer)
{
	easy->libcurl->own.easy_setopt(easy->handle, option, pointer);
}

static long get_long(const struct easy *easy, CURLINFO info)
{
	long value = 0;

	easy->libcurl->own.easy_getinfo(easy->handle, info, &value);
	return value;
}

/* What libcurl would have called: the application's function, or fwrite() to its file. */
static size_t pass_body(struct easy *easy, char *bytes, size_t size, size_t count)
{
	FILE *file = easy->write_data ? easy->write_data : stdout;

	if (easy->write)
		return easy->write(bytes, size, count, easy->write_data);
	return fwrite(bytes, size, count, file);
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

static bool deliver_piece(void *context, enum piece piece, char *bytes, size_t length)
{
	struct easy *easy = context;

	return (piece == PIECE_BODY ? pass_body : pass_header)(easy, bytes, 1, length) == length;
}

/* Whether bytes of the body were read through a callback, by which libcurl does not get back. */
static bool has_read(const struct easy *easy)
{
	bool streams = easy->facts & FACT_UPLOAD || (easy->facts & FACT_POST && !easy->post_fields);

	return easy->wraps & WRAP_READ ? easy->replay.read : streams;
}

/* A request that a redirect answered was carried out. Only GET and HEAD may be twice. */
static bool was_carried_out(const struct easy *easy)
{
	const unsigned changing = FACT_UPLOAD | FACT_POST | FACT_FORM | FACT_CUSTOM_METHOD;

	return (easy->facts & changing || easy->post_fields) &&
	       get_long(easy, CURLINFO_REDIRECT_COUNT) > 0;
}

static bool can_rewind(const struct easy *easy)
{
	return !has_read(easy) || easy->seek || easy->ioctl || (!easy->read && easy->read_data);
}

static bool rewind_body(struct easy *easy)
{
	if (!has_read(easy))
		return true;
	if (easy->seek)
		return easy->seek(easy->seek_data, 0, SEEK_SET) == CURL_SEEKFUNC_OK;
	if (easy->ioctl)
		return easy->ioctl(easy->handle, CURLIOCMD_RESTARTREAD, easy->ioctl_data) ==
		       CURLIOE_OK;
	return !easy->read && easy->read_data && fseek(easy->read_data, 0, SEEK_SET) == 0;
}

/* The response that is coming in is a 401 from where our token went. */
static bool is_refusal(const struct easy *easy)
{
	return get_long(easy, CURLINFO_RESPONSE_CODE) == HTTP_UNAUTHORIZED &&
	       target_is_reached(easy, easy->realm);
}

static bool worth_keeping(struct easy *easy)
{
	easy->replay.refused = is_refusal(easy);
	return easy->replay.refused && !(easy->facts & FACT_HEADER_IN_BODY) &&
	       !was_carried_out(easy) && can_rewind(easy);
}

/* Too much was kept: the application gets it all, and what follows. */
static bool let_go(struct easy *easy)
{
	easy->replay.phase = REPLAY_OFF;
	return held_deliver(&easy->replay.held, deliver_piece, easy);
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context)
{
	struct easy *easy = context;
	struct replay *replay = &easy->replay;

	/* without a header callback this is the first that is heard of the final response */
	if (replay->phase == REPLAY_WATCHING && !(easy->wraps & WRAP_HEADER))
		replay->phase = worth_keeping(easy) ? REPLAY_HOLDING : REPLAY_OFF;
	if (replay->phase == REPLAY_HOLDING) {
		if (held_keep(&replay->held, PIECE_BODY, bytes, size * count))
			return size * count;
		if (!let_go(easy))
			return 0;
	}
	return pass_body(easy, bytes, size, count);
}

/* The status of a response that begins, 0 for any other line and for what a proxy says. */
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
	return status == get_long(easy, CURLINFO_RESPONSE_CODE) ? status : 0;
}

/*
 * A response begins. The redirects and the 1xx before a refusal come again when the request is sent
 * again, and are the application's no more.
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
		replay->phase = worth_keeping(easy) ? REPLAY_HOLDING : REPLAY_OFF;
}

static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
{
	struct easy *easy = context;
	struct replay *replay = &easy->replay;
	long status;

	if (replay->phase == REPLAY_OFF)
		return pass_header(easy, bytes, size, count);
	status = status_in(easy, bytes, size * count);
	if (status)
		begin_response(easy, status);
	if (replay->swallowing)
		return size * count;
	if (replay->phase == REPLAY_HOLDING) {
		if (held_keep(&replay->held, PIECE_HEADER, bytes, size * count))
			return size * count;
		if (!let_go(easy))
			return 0;
	}
	return pass_header(easy, bytes, size, count);
}

static size_t give_body(char *bytes, size_t size, size_t count, void *context)
{
	struct easy *easy = context;

	easy->replay.read = true;
	return easy->read(bytes, size, count, easy->read_data);
}

static void stand_before_write(struct easy *easy)
{
	set_pointer(easy, CURLOPT_WRITEFUNCTION, (void *)receive_body);
	set_pointer(easy, CURLOPT_WRITEDATA, easy);
	easy->wraps |= WRAP_WRITE;
}

static void stand_before_header(struct easy *easy)
{
	set_pointer(easy, CURLOPT_HEADERFUNCTION, (void *)receive_header);
	set_pointer(easy, CURLOPT_HEADERDATA, easy);
	easy->wraps |= WRAP_HEADER;
}

/* Where the application has no read function libcurl itself can rewind a file: that is kept. */
static void stand_before_read(struct easy *easy)
{
	set_pointer(easy, CURLOPT_READFUNCTION, (void *)give_body);
	set_pointer(easy, CURLOPT_READDATA, easy);
	easy->wraps |= WRAP_READ;
}

static void step_aside_of_read(struct easy *easy)
{
	set_pointer(easy, CURLOPT_READFUNCTION, (void *)easy->read);
	set_pointer(easy, CURLOPT_READDATA, easy->read_data ? easy->read_data : stdin);
	easy->wraps &= ~WRAP_READ;
}

void replay_watch(struct easy *easy)
{
	if (!(easy->wraps & WRAP_WRITE))
		stand_before_write(easy);
	if (!(easy->wraps & WRAP_HEADER) && (easy->header || easy->header_data))
		stand_before_header(easy);
	if (!(easy->wraps & WRAP_READ) && easy->read)
		stand_before_read(easy);
	easy->replay.phase = REPLAY_WATCHING;
	easy->replay.interim = 0;
	easy->replay.swallowing = false;
	easy->replay.read = false;
	easy->replay.refused = false;
}

/*
 * The 401 came whole, or it broke off, or libcurl would not have its body. Its status is all that
 * matters. A transfer that the application or its time limit ended is over, though.
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

bool replay_due(struct easy *easy, CURLcode result)
{
	const struct replay *replay = &easy->replay;

	if (replay->phase != REPLAY_WATCHING && replay->phase != REPLAY_HOLDING)
		return false;
	if (!is_answer(result))
		return false;
	return worth_keeping(easy) && rewind_body(easy);
}

void replay_begin(struct easy *easy, CURLcode first_result)
{
	easy->replay.phase = REPLAY_SECOND;
	easy->replay.first_result = first_result;
	easy->replay.read = false;
}

CURLcode replay_finish(struct easy *easy, CURLcode result)
{
	struct replay *replay = &easy->replay;
	bool second = replay->phase == REPLAY_SECOND;

	/* a form whose parts turned out not to be rewindable: the 401 stands */
	if (second && result == CURLE_SEND_FAIL_REWIND) {
		result = replay->first_result;
		replay->reported = HTTP_UNAUTHORIZED;
		second = false;
	}
	replay->phase = REPLAY_OFF;
	if (!second && replay->held.pieces.data &&
		!held_deliver(&replay->held, deliver_piece, easy) && result == CURLE_OK)
		result = CURLE_WRITE_ERROR;
	return result;
}

void replay_stop(struct easy *easy)
{
	easy->replay.phase = REPLAY_OFF;
	easy->replay.swallowing = false;
	if (easy->replay.held.pieces.data)
		held_forget(&easy->replay.held);
}

bool replay_withholds(const struct easy *easy, CURLoption option)
{
	switch (option) {
	case CURLOPT_WRITEFUNCTION:
	case CURLOPT_WRITEDATA:
		return easy->wraps & WRAP_WRITE;
	case CURLOPT_HEADERFUNCTION:
	case CURLOPT_HEADERDATA:
		return easy->wraps & WRAP_HEADER;
	case CURLOPT_READFUNCTION:
	case CURLOPT_READDATA:
		return easy->wraps & WRAP_READ;
	default:
		return false;
	}
}

void replay_withheld(struct easy *easy, CURLoption option)
{
	if (option == CURLOPT_READFUNCTION && !easy->read)
		step_aside_of_read(easy);
}

void replay_adopt(struct easy *copy)
{
	unsigned wraps = copy->wraps;

	copy->wraps = 0;
	if (wraps & WRAP_WRITE)
		stand_before_write(copy);
	if (wraps & WRAP_HEADER)
		stand_before_header(copy);
	if (wraps & WRAP_READ)
		stand_before_read(copy);
}

void replay_step_aside(struct easy *easy)
{
	if (easy->wraps & WRAP_WRITE) {
		set_pointer(easy, CURLOPT_WRITEFUNCTION, (void *)easy->write);
		set_pointer(easy, CURLOPT_WRITEDATA, easy->write_data ? easy->write_data : stdout);
	}
	if (easy->wraps & WRAP_HEADER) {
		set_pointer(easy, CURLOPT_HEADERFUNCTION, (void *)easy->header);
		set_pointer(easy, CURLOPT_HEADERDATA, easy->header_data);
	}
	if (easy->wraps & WRAP_READ)
		step_aside_of_read(easy);
	easy->wraps = 0;
}
