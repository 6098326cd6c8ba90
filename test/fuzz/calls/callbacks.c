#include "callbacks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "server.h"

enum { BODY_BYTES = 23, OFFSET_MAX = 8, ROUNDS_PAUSED = 2, NOT_ARMED = -1 };

/* The last stand for stdin, stdout, and for data that was never set. */
enum { FILE_STDIN = APP_FILES, FILE_STDOUT, FILE_COUNT, FILE_NONE = FILE_COUNT };

static struct stream {
	FILE *file;
	unsigned start, position;
} streams[FILE_COUNT];

static struct {
	struct arm arm;
	int calls; /* until it goes off */
	unsigned rounds;
	bool paused;
} armed[APP_EASIES];

static unsigned depth;
static FILE *real_stdin, *real_stdout;

/* Streams ---------------------------------------------------------------------------------- */

static char body_byte(unsigned id, unsigned position)
{
	return (char)('A' + (id + position) % 26);
}

static void describe(char *out, size_t size, const char *what, const char *bytes, size_t length)
{
	snprintf(out, size, "%s %zu %.*s", what, length, (int)(length < 40 ? length : 40), bytes);
}

static void tell_out(unsigned id, const char *what, const char *bytes, size_t length)
{
	char text[80];

	describe(text, sizeof(text), what, bytes, length);
	app_trace(APP_OUT, id, length, text);
}

/* What the plugin calls to send something once more is not compared. */
static void tell_in(unsigned id, const char *what)
{
	const struct fake_easy *easy = server_calling();

	if (easy)
		app_trace(APP_IN, easy->transfer.serial, id, what);
}

static ssize_t read_stream(void *cookie, char *bytes, size_t size)
{
	struct stream *stream = cookie;
	size_t length = 0;

	while (length < size && stream->position < BODY_BYTES)
		bytes[length++] = body_byte((unsigned)(stream - streams), stream->position++);
	return (ssize_t)length;
}

static ssize_t write_stream(void *cookie, const char *bytes, size_t size)
{
	const struct stream *stream = cookie;

	tell_out((unsigned)(stream - streams), "file", bytes, size);
	return (ssize_t)size;
}

/* Every fourth is like a pipe. */
static int seek_stream(void *cookie, off64_t *offset, int whence)
{
	struct stream *stream = cookie;

	if ((stream - streams) % 4 == 3)
		return -1;
	if (whence == SEEK_CUR)
		*offset += stream->position;
	else if (whence == SEEK_END)
		*offset += BODY_BYTES;
	if (*offset < 0)
		return -1;
	stream->position = (unsigned)*offset;
	return 0;
}

static FILE *open_stream(struct stream *stream)
{
	const cookie_io_functions_t functions = {
		.read = read_stream, .write = write_stream, .seek = seek_stream};
	FILE *file = fopencookie(stream, "r+", functions);

	assert(file && setvbuf(file, NULL, _IONBF, 0) == 0);
	return file;
}

void callbacks_open(void)
{
	for (unsigned id = 0; id < FILE_COUNT && !streams[id].file; id++)
		streams[id].file = open_stream(&streams[id]);
	real_stdin = stdin;
	real_stdout = stdout;
	stdin = streams[FILE_STDIN].file;
	stdout = streams[FILE_STDOUT].file;
	for (unsigned id = 0; id < FILE_COUNT; id++) {
		streams[id].start = streams[id].position = 0;
		clearerr(streams[id].file);
	}
	for (unsigned easy = 0; easy < APP_EASIES; easy++)
		armed[easy].calls = NOT_ARMED;
	depth = 0;
}

void callbacks_close(void)
{
	stdin = real_stdin;
	stdout = real_stdout;
}

FILE *callbacks_file(unsigned id)
{
	return streams[id].file;
}

unsigned callbacks_file_id(const void *file)
{
	unsigned id = 0;

	if (!file)
		return FILE_NONE;
	while (id < FILE_COUNT && streams[id].file != file)
		id++;
	if (id == FILE_COUNT)
		server_finding("a callback got %p, which is not the application's", file);
	return id;
}

void callbacks_begin(unsigned easy, unsigned offset)
{
	for (unsigned id = 2 * easy; id < 2 * easy + 2; id++) {
		streams[id].start = streams[id].position = offset % OFFSET_MAX;
		clearerr(streams[id].file);
	}
}

unsigned app_position(const void *file)
{
	return streams[callbacks_file_id(file)].position;
}

void app_move(const void *file, unsigned position)
{
	struct stream *stream = &streams[callbacks_file_id(file)];

	stream->position = position;
	clearerr(stream->file);
}

void app_rewind(const void *file)
{
	app_move(file, streams[callbacks_file_id(file)].start);
}

/* Callbacks -------------------------------------------------------------------------------- */

void callbacks_arm(unsigned easy, const struct arm *arm)
{
	armed[easy].arm = *arm;
	armed[easy].calls = (int)arm->time;
}

unsigned callbacks_depth(void)
{
	return depth;
}

/* What to do in this call; ACTION_KINDS: nothing. */
static enum action act(unsigned id, enum callback callback)
{
	unsigned easy = id / 2;
	struct arm arm;

	if (easy >= APP_EASIES || armed[easy].calls == NOT_ARMED || depth > 1 ||
		armed[easy].arm.callback != callback || armed[easy].calls-- > 0)
		return ACTION_KINDS;
	arm = armed[easy].arm;
	if (!server_calling())
		server_diverge("a callback acts on what was held back");
	if (arm.action == ACTION_STEP) {
		depth++;
		handles_step(arm.step);
		depth--;
	}
	if (arm.action == ACTION_PAUSE) {
		armed[easy].paused = true;
		armed[easy].rounds = 0;
	}
	return arm.action;
}

static size_t receive(
	enum callback callback, const char *what, char *bytes, size_t length, void *file)
{
	unsigned id = callbacks_file_id(file);

	switch (act(id, callback)) {
	case ACTION_PAUSE:
		return CURL_WRITEFUNC_PAUSE;
	case ACTION_ABORT:
		return 0;
	default:
		tell_out(id, what, bytes, length);
		return length;
	}
}

size_t callback_write(char *bytes, size_t size, size_t count, void *file)
{
	return receive(CALLBACK_WRITE, "write", bytes, size * count, file);
}

size_t callback_header(char *bytes, size_t size, size_t count, void *file)
{
	return receive(CALLBACK_HEADER, "header", bytes, size * count, file);
}

size_t callback_read(char *bytes, size_t size, size_t count, void *file)
{
	unsigned id = callbacks_file_id(file);

	tell_in(id, "read");
	switch (act(id, CALLBACK_READ)) {
	case ACTION_PAUSE:
		return CURL_READFUNC_PAUSE;
	case ACTION_ABORT:
		return CURL_READFUNC_ABORT;
	default:
		return (size_t)read_stream(&streams[id], bytes, size * count);
	}
}

int callback_seek(void *file, curl_off_t offset, int origin)
{
	tell_in(callbacks_file_id(file), "seek");
	if (offset == 0 && origin == SEEK_SET)
		app_rewind(file);
	return CURL_SEEKFUNC_OK;
}

int callback_seek_not(void *file, curl_off_t offset, int origin)
{
	(void)offset;
	(void)origin;
	tell_in(callbacks_file_id(file), "seek not");
	return CURL_SEEKFUNC_CANTSEEK;
}

curlioerr callback_ioctl(CURL *handle, int command, void *file)
{
	(void)handle;
	tell_in(callbacks_file_id(file), "ioctl");
	if (command == CURLIOCMD_RESTARTREAD)
		app_rewind(file);
	return CURLIOE_OK;
}

int callback_progress(
	void *file, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	unsigned id = callbacks_file_id(file), easy = id / 2;

	(void)total;
	(void)now;
	(void)up_total;
	(void)up;
	tell_in(id, "progress");
	if (easy < APP_EASIES && armed[easy].paused && armed[easy].rounds++ == ROUNDS_PAUSED) {
		armed[easy].paused = false;
		handles_continue(easy);
	}
	return act(id, CALLBACK_PROGRESS) == ACTION_ABORT;
}

curl_socket_t callback_open(void *file, curlsocktype purpose, struct curl_sockaddr *address)
{
	unsigned id = callbacks_file_id(file);

	(void)purpose;
	(void)address;
	tell_in(id, "open");
	act(id, CALLBACK_OPEN);
	return 3;
}

int callback_ready(void *file, char *ip, char *local_ip, int port, int local_port)
{
	unsigned id = callbacks_file_id(file);

	(void)ip;
	(void)local_ip;
	(void)port;
	(void)local_port;
	tell_in(id, "ready");
	return act(id, CALLBACK_READY) == ACTION_ABORT ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}
