#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 4096, INI_NO_MEMORY = -2 };

#define BLANKS " \t\v\f\r"

/* One reading of the file: what inih's two callbacks share. */
struct reading {
	const char *path;
	int fd;
	char chunk[CHUNK_BYTES];
	size_t start;
	size_t end;
	unsigned line;
	bool indented;    /* the line begins with a blank */
	bool continuable; /* a key stands above it in the same section */
	bool over;        /* end of file, a stop, or a failure */
	enum status status;
	config_visitor *visit;
	void *context;
	struct failure *failure;
};

/* Put "path:line: " before what the failure says. */
static void fail_at_line(struct reading *reading, enum status status, const char *reason)
{
	struct failure copy;

	status_fail(&copy, status, "%s", reason);
	reading->status = status_fail(
		reading->failure, status, "%s:%u: %s", reading->path, reading->line, copy.reason);
	reading->over = true;
}

/* The next byte, or -1 at the end of the file; a failing read ends it with a reason. */
static int next_byte(struct reading *reading)
{
	if (reading->start == reading->end) {
		ssize_t got;

		do
			got = read(reading->fd, reading->chunk, sizeof(reading->chunk));
		while (got < 0 && errno == EINTR);
		if (got < 0)
			fail_at_line(reading, STATUS_CONFIG, strerror(errno));
		if (got <= 0)
			return -1;
		reading->start = 0;
		reading->end = (size_t)got;
	}
	return (unsigned char)reading->chunk[reading->start++];
}

/* What inih itself would pass over, cut or misread without a word. */
static const char *objection(struct reading *reading, const char *text, bool indented)
{
	size_t section_length;

	if (*text == '\0' || *text == ';' || *text == '#')
		return NULL;
	if (indented && reading->continuable)
		return NULL;
	if (*text != '[') {
		reading->continuable = true;
		return strpbrk(text, "=:") ? NULL : "expected key = value";
	}
	reading->continuable = false;
	section_length = strcspn(text + 1, "]");
	if (text[1 + section_length] != ']')
		return "expected ] at the end of the section's name";
	if (section_length > CONFIG_SECTION_MAX)
		return "a section's name may be 48 bytes long";
	return NULL;
}

/* inih's ini_reader: one line into out, as fgets(3) would. */
static char *read_line(char *out, int size, void *stream)
{
	struct reading *reading = stream;
	size_t length = 0;
	const char *wrong = NULL;
	int byte = -1;

	if (reading->over)
		return NULL;
	reading->line++;
	while (!wrong && (byte = next_byte(reading)) >= 0 && byte != '\n') {
		if (byte == '\0')
			wrong = "a NUL byte";
		else if (length == CONFIG_LINE_MAX || (int)length + 2 > size)
			wrong = "a line may be 198 bytes long";
		else
			out[length++] = (char)byte;
	}
	if (reading->status || (byte < 0 && length == 0))
		return NULL;
	out[length] = '\0';

	reading->indented = out[0] != '\0' && strchr(BLANKS, out[0]);
	if (!wrong)
		wrong = objection(reading, out + strspn(out, BLANKS), reading->indented);
	if (wrong) {
		fail_at_line(reading, STATUS_CONFIG, wrong);
		return NULL;
	}
	return out;
}

/* inih's ini_handler. */
static int take_entry(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	struct config_entry entry = {
		.section = section,
		.key = key,
		.value = value,
		.continued = reading->indented,
		.line = reading->line,
	};
	enum status status;

	status = reading->visit(&entry, reading->context, &reading->over, reading->failure);
	if (status)
		fail_at_line(reading, status, reading->failure->reason);
	return 1;
}

static enum status open_checked(const char *path, bool must_exist, int *fd, struct failure *failure)
{
	struct stat found;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !must_exist)
		return STATUS_OK;
	if (*fd < 0 || fstat(*fd, &found) != 0)
		return status_fail(failure, STATUS_CONFIG, "%s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return status_fail(failure, STATUS_CONFIG, "%s: not a regular file", path);
	if (found.st_uid != geteuid() && found.st_uid != 0)
		return status_fail(failure, STATUS_CONFIG,
			"%s: belongs to another user, so it is not believed", path);
	if (found.st_mode & (S_IWGRP | S_IWOTH))
		return status_fail(failure, STATUS_CONFIG,
			"%s: others can write it; run: chmod go-w '%s'", path, path);
	return STATUS_OK;
}

enum status config_read(const char *path, bool must_exist, config_visitor *visit, void *context,
	struct failure *failure)
{
	struct failure unheard = {""};
	struct reading reading = {
		.path = path,
		.visit = visit,
		.context = context,
		.failure = failure ? failure : &unheard,
	};
	enum status status = open_checked(path, must_exist, &reading.fd, reading.failure);

	if (status == STATUS_OK && reading.fd >= 0) {
		int result = ini_parse_stream(read_line, &reading, take_entry, &reading);

		status = reading.status;
		if (!status && result == INI_NO_MEMORY)
			status = status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	}
	if (reading.fd >= 0)
		close(reading.fd);
	return status;
}
