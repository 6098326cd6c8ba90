#include "core/config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/skim.h"

enum { CHUNK_BYTES = CONFIG_SMALL_MAX, INI_NO_MEMORY = -2 };

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define BLANKS          " \t\v\f\r"

/* One reading of the file: what inih's two callbacks share. */
struct reading {
	const char *path;
	const char *next; /* what is at hand of the text */
	const char *end;
	int fd; /* where more of it comes from, -1 for none */
	char chunk[CHUNK_BYTES];
	unsigned line;
	bool legible; /* for others than its owner */
	bool apart;
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
	if (reading->next == reading->end) {
		ssize_t got;

		if (reading->fd < 0)
			return -1;
		do
			got = read(reading->fd, reading->chunk, sizeof(reading->chunk));
		while (got < 0 && errno == EINTR);
		if (got < 0)
			fail_at_line(reading, STATUS_CONFIG, strerror(errno));
		if (got <= 0)
			return -1;
		reading->next = reading->chunk;
		reading->end = reading->chunk + got;
	}
	return (unsigned char)*reading->next++;
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

/* inih leaves the comment on a line that goes on with the value above. */
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
	if (reading->indented && reading->continuable)
		cut_comment(out);
	if (!wrong)
		wrong = objection(reading, start_of(reading, out), reading->indented);
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
		.legible = reading->legible,
		.apart = reading->apart,
		.line = reading->line,
	};
	enum status status;

	reading->apart = false;
	status = reading->visit(&entry, reading->context, &reading->over, reading->failure);
	if (status)
		fail_at_line(reading, status, reading->failure->reason);
	return 1;
}

/* Hand over, entry by entry, what is at hand and what comes after it. */
static void parse(struct reading *reading)
{
	int result = ini_parse_stream(read_line, reading, take_entry, reading);

	if (!reading->status && result == INI_NO_MEMORY)
		reading->status = status_no_memory(reading->failure);
	reading->over |= reading->status != STATUS_OK;
}

/* ---- passing over what is not wanted ---- */

/* A text and where it stands next, NULL where it does not any more. */
struct mention {
	const char *text;
	const char *place;
};

/* The first place behind start at which one of them stands. */
static const char *find_any(
	struct mention mentions[CONFIG_TEXTS], const char *start, const char *end)
{
	const char *first = NULL;

	for (size_t i = 0; i < CONFIG_TEXTS; i++) {
		struct mention *mention = &mentions[i];

		if (mention->place && mention->place < start)
			mention->place = skim_find(start, (size_t)(end - start), mention->text);
		if (mention->place && (!first || mention->place < first))
			first = mention->place;
	}
	return first;
}

/* A line that begins with "[" begins a section; an indented one may be more of a value. */
static const char *section_start(const char *text, const char *place)
{
	while (place > text && !(place[0] == '[' && place[-1] == '\n'))
		place--;
	return place;
}

static const char *section_end(const char *place, const char *end)
{
	while ((place = memchr(place, '\n', (size_t)(end - place)))) {
		place++;
		if (place < end && *place == '[')
			return place;
	}
	return end;
}

static void parse_wanted(struct reading *reading, const char *text, size_t length,
	const char *const texts[CONFIG_TEXTS])
{
	const char *const end = text + length;
	struct mention mentions[CONFIG_TEXTS];
	const char *start = text;
	const char *place;

	for (size_t i = 0; i < CONFIG_TEXTS; i++) {
		mentions[i].text = texts[i];
		mentions[i].place = texts[i] ? skim_find(text, length, texts[i]) : NULL;
	}
	while (!reading->over && (place = find_any(mentions, start, end))) {
		reading->next = section_start(start, place);
		reading->end = section_end(place, end);
		reading->apart = reading->next != start;
		reading->continuable = false;
		start = reading->end;
		parse(reading);
	}
}

/* ---- the file ---- */

static enum status open_checked(
	const char *path, bool must_exist, int *fd, struct stat *found, struct failure *failure)
{
	*found = (struct stat){0};
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !must_exist)
		return STATUS_OK;
	if (*fd < 0 || fstat(*fd, found) != 0)
		return status_fail(failure, STATUS_CONFIG, "%s%s: %s",
			must_exist ? "SYPHT_CONFIG: " : "", path, strerror(errno));
	if (!S_ISREG(found->st_mode))
		return status_fail(failure, STATUS_CONFIG, "%s: not a regular file", path);
	if (found->st_uid != geteuid() && found->st_uid != 0)
		return status_fail(failure, STATUS_CONFIG,
			"%s: belongs to another user, so it is not believed", path);
	if (found->st_mode & (S_IWGRP | S_IWOTH))
		return status_fail(failure, STATUS_CONFIG,
			"the config: others can write it; run: chmod go-w '%s'", path);
	return STATUS_OK;
}

/*
 * Mapping the text costs a third of copying it piece by piece. Only its owner could cut it short
 * meanwhile, which would end this process; so a guest in another's reads.
 */
static char *map(int fd, size_t size)
{
	void *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	return text == MAP_FAILED ? NULL : text;
}

enum status config_skim(const char *path, bool must_exist, const char *const texts[CONFIG_TEXTS],
	config_visitor *visit, void *context, struct failure *failure)
{
	struct failure unheard = {.reason = ""};
	struct reading reading = {
		.path = path,
		.visit = visit,
		.context = context,
		.failure = failure ? failure : &unheard,
	};
	struct stat found;
	enum status status = open_checked(path, must_exist, &reading.fd, &found, reading.failure);
	size_t size = (size_t)found.st_size;
	int fd = reading.fd;
	char *text = NULL;

	reading.legible = (found.st_mode & (S_IRGRP | S_IROTH)) != 0;
	if (status == STATUS_OK && fd >= 0) {
		if (texts && size > CONFIG_SMALL_MAX)
			text = map(fd, size);
		if (text) {
			reading.fd = -1;
			parse_wanted(&reading, text, size, texts);
			munmap(text, size);
		} else {
			parse(&reading);
		}
		status = reading.status;
	}
	if (fd >= 0)
		close(fd);
	return status;
}

enum status config_read(const char *path, bool must_exist, config_visitor *visit, void *context,
	struct failure *failure)
{
	return config_skim(path, must_exist, NULL, visit, context, failure);
}
