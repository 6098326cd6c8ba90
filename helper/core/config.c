#include "core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 4096, INI_NO_MEMORY = -2 };

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define BLANKS          " \t\v\f\r"

/* One reading of the file: the state that inih's two callbacks share. */
struct reading {
	const char *path;
	int fd;
	char *chunk;      /* CHUNK_BYTES */
	const char *next; /* the unread rest of the chunk, up to end */
	const char *end;
	unsigned line;
	bool legible;     /* others than its owner can read the file */
	bool indented;    /* the line begins with a blank */
	bool continuable; /* the same section has a key above this line */
	bool over;        /* end of file, a stop, or a failure */
	enum status status;
	config_visitor *visit;
	void *context;
	struct failure *failure;
};

/* End the reading, with "path:line: " before the reason, which may lie in reading->failure. */
static void fail_at_line(struct reading *reading, enum status status, const char *reason)
{
	struct failure copy;

	status_fail(&copy, status, "%s", reason);
	reading->status = status_fail(
		reading->failure, status, "%s:%u: %s", reading->path, reading->line, copy.reason);
	reading->over = true;
}

/* Read more after the unread rest. False: end of file, or a failure. */
static bool read_more(struct reading *reading)
{
	size_t left = (size_t)(reading->end - reading->next);
	ssize_t got;

	memmove(reading->chunk, reading->next, left);
	do
		got = read(reading->fd, reading->chunk + left, CHUNK_BYTES - left);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		fail_at_line(reading, STATUS_CONFIG, strerror(errno));
	reading->next = reading->chunk;
	reading->end = reading->chunk + left + (got > 0 ? (size_t)got : 0);
	return got > 0;
}

/*
 * Get the next line, without its LF; false if there is none. Search with memchr(), not byte by
 * byte: if the token is cached and the config is large, get spends most of its time here.
 */
static bool next_line(struct reading *reading, const char **line, size_t *length)
{
	const char *end;

	do
		end = memchr(reading->next, '\n', (size_t)(reading->end - reading->next));
	while (!end && reading->end - reading->next <= CONFIG_LINE_MAX && read_more(reading));
	*line = reading->next;
	*length = (size_t)((end ? end : reading->end) - reading->next);
	reading->next = end ? end + 1 : reading->end;
	return end || *length > 0;
}

/* The reason to reject a line that inih would silently skip, cut or misread; NULL: accept it. */
static const char *line_objection(struct reading *reading, const char *text, bool indented)
{
	size_t section_length;

	if (*text == '\0' || *text == ';' || *text == '#')
		return NULL;
	if (indented && reading->continuable)
		return NULL;
	if (*text != '[') {
		reading->continuable = true;
		return strchr(text, '=') || strchr(text, ':') ? NULL : "expected key = value";
	}
	reading->continuable = false;
	section_length = strcspn(text + 1, "]");
	if (text[1 + section_length] != ']')
		return "expected ] at the end of the section's name";
	if (section_length > CONFIG_SECTION_MAX)
		return "a section's name may be 48 bytes long";
	return NULL;
}

/* inih does not cut the comment off a continuation line. */
static void cut_comment(char *line)
{
	for (char *p = line; *p != '\0'; p++) {
		if (strchr(BLANKS, *p) && p[1] == ';') {
			*p = '\0';
			return;
		}
	}
}

static const char *start_of(const struct reading *reading, const char *line)
{
	if (reading->line == 1 && strncmp(line, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		line += strlen(BYTE_ORDER_MARK);
	return line + strspn(line, BLANKS);
}

/* inih's ini_reader: one line into out, as fgets(3) would. */
static char *read_line(char *out, int size, void *stream)
{
	struct reading *reading = stream;
	const char *wrong = NULL;
	const char *line;
	size_t length;

	if (reading->over)
		return NULL;
	reading->line++;
	if (!next_line(reading, &line, &length) || reading->status)
		return NULL;
	if (length > CONFIG_LINE_MAX || (int)length + 2 > size) {
		length = 0;
		wrong = "a line may be 198 bytes long";
	}
	memcpy(out, line, length);
	out[length] = '\0';
	if (strlen(out) != length)
		wrong = "a NUL byte";

	reading->indented = out[0] != '\0' && strchr(BLANKS, out[0]);
	if (reading->indented && reading->continuable)
		cut_comment(out);
	if (!wrong)
		wrong = line_objection(reading, start_of(reading, out), reading->indented);
	if (wrong) {
		fail_at_line(reading, STATUS_CONFIG, wrong);
		return NULL;
	}
	return out;
}

/* inih's ini_handler. A 0 would only make inih note the line and go on, so it is always 1. */
static int take_entry(void *user, const char *section, const char *key, const char *value)
{
	struct reading *reading = user;
	struct config_entry entry = {
		.section = section,
		.key = key,
		.value = value,
		.continued = reading->indented,
		.legible = reading->legible,
		.line = reading->line,
	};
	enum status status;

	status = reading->visit(&entry, reading->context, &reading->over, reading->failure);
	if (status)
		fail_at_line(reading, status, reading->failure->reason);
	return 1;
}

static void parse_lines(struct reading *reading)
{
	int result = ini_parse_stream(read_line, reading, take_entry, reading);

	if (!reading->status && result == INI_NO_MEMORY)
		reading->status = status_no_memory(reading->failure);
}

/* ---- the file ---- */

static enum status open_checked(
	const char *path, bool must_exist, int *fd, struct stat *found, struct failure *failure)
{
	*found = (struct stat){0};
	/* O_NONBLOCK: opening a FIFO must not hang before S_ISREG can reject it */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !must_exist)
		return STATUS_OK;
	if (*fd < 0 || fstat(*fd, found) != 0)
		return status_fail(failure, STATUS_CONFIG, "%s%s: %s",
			must_exist ? "SYPHT_CONFIG: " : "", path, strerror(errno));
	if (!S_ISREG(found->st_mode))
		return status_fail(failure, STATUS_CONFIG, "%s: not a regular file", path);
	/* the config names commands that we run, and hosts that get the secret */
	if (found->st_uid != geteuid() && found->st_uid != 0)
		return status_fail(failure, STATUS_CONFIG,
			"%s: belongs to another user, so it is not used; set SYPHT_CONFIG to "
			"another file",
			path);
	if (found->st_mode & (S_IWGRP | S_IWOTH))
		return status_fail(failure, STATUS_CONFIG,
			"others can write the config; run: chmod go-w '%s'", path);
	return STATUS_OK;
}

enum status config_read(const char *path, bool must_exist, config_visitor *visit, void *context,
	struct failure *failure)
{
	struct failure unheard = {.reason = ""};
	char chunk[CHUNK_BYTES];
	struct reading reading = {
		.path = path,
		.chunk = chunk,
		.next = chunk,
		.end = chunk,
		.visit = visit,
		.context = context,
		.failure = failure ? failure : &unheard,
	};
	struct stat found;
	enum status status = open_checked(path, must_exist, &reading.fd, &found, reading.failure);

	reading.legible = (found.st_mode & (S_IRGRP | S_IROTH)) != 0;
	if (status == STATUS_OK && reading.fd >= 0) {
		parse_lines(&reading);
		status = reading.status;
	}
	if (reading.fd >= 0)
		close(reading.fd);
	return status;
}
