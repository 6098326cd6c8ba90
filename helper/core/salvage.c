#include "core/salvage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/origin.h"

enum { CHUNK_BYTES = 1024, WORD_MAX_BYTES = 512 };

/* Quotes and commas are mistakes in a config, but the words between them still count. */
static const char SEPARATORS[] = " \t\v\f\r\"'<>,";

/* The state of the scan. */
struct salvage {
	salvage_visitor *visit;
	void *context;
	bool over;
	bool begun;     /* the line has a complete word */
	bool indented;  /* the line begins with a blank */
	bool ignored;   /* the rest of the line is a comment or a section name */
	bool of_origin; /* the words are origins, also on the indented lines below */
	size_t length;
	char word[WORD_MAX_BYTES];
};

/* No other key begins with "o", so misspellings of "origin" count too. */
static bool begins_origin(const char *word)
{
	return (*word | 0x20) == 'o';
}

static void end_word(struct salvage *salvage)
{
	struct origin origin;

	salvage->word[salvage->length] = '\0';
	if (salvage->length == 0)
		return;
	salvage->length = 0;
	if (!salvage->begun && (!salvage->indented || begins_origin(salvage->word)))
		salvage->of_origin = begins_origin(salvage->word);
	else if (salvage->of_origin && origin_from_url(&origin, salvage->word))
		salvage->over |= !salvage->visit(&origin, salvage->context);
	salvage->begun = true;
}

static void end_line(struct salvage *salvage)
{
	end_word(salvage);
	salvage->begun = false;
	salvage->indented = false;
	salvage->ignored = false;
}

/* A key also ends at its "=" or ":"; a comment begins a line or follows a blank. */
static bool ends_word(const struct salvage *salvage, char byte)
{
	return byte == '\0' || strchr(SEPARATORS, byte) || byte == '=' ||
	       (byte == ':' && !salvage->begun && begins_origin(salvage->word));
}

static void take_byte(struct salvage *salvage, char byte)
{
	bool first = !salvage->begun && salvage->length == 0;

	if (byte == '\n') {
		end_line(salvage);
	} else if (salvage->ignored) {
		return;
	} else if (salvage->length == 0 && (byte == ';' || (first && byte == '#'))) {
		salvage->ignored = true;
	} else if (first && byte == '[') {
		salvage->ignored = true;
		salvage->of_origin = false;
	} else if (ends_word(salvage, byte)) {
		salvage->indented |= first;
		end_word(salvage);
	} else if (salvage->length < WORD_MAX_BYTES - 1 && (signed char)byte > 0) {
		salvage->word[salvage->length++] =
			byte; /* ASCII only: an origin has no other bytes, and a BOM is dropped */
	}
}

/* Unlike config.c, do not ask who owns it: nothing is believed but that a token is wanted there. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat found;

	if (fd >= 0 && (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

void salvage_origins(const char *path, salvage_visitor *visit, void *context)
{
	struct salvage salvage = {.visit = visit, .context = context};
	char chunk[CHUNK_BYTES];
	int fd = open_regular(path);
	ssize_t length;

	if (fd < 0)
		return;
	while (!salvage.over && (length = read(fd, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < length && !salvage.over; i++)
			take_byte(&salvage, chunk[i]);
	if (!salvage.over)
		end_line(&salvage);
	close(fd);
}
