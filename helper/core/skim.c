#include "core/skim.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* So many places are looked at in one step; any compiler with vectors makes them a few words. */
enum { STEP = 16 };

typedef unsigned char places __attribute__((vector_size(STEP)));
typedef unsigned long long words __attribute__((vector_size(STEP)));

/* Makes lower case of upper case; what else it makes equal is told apart later. */
enum { FOLD = 0x20 };

static places all_equal(char byte)
{
	return (places){0} + (unsigned char)(byte | FOLD);
}

/* All bits of the places where text holds that byte. */
static places equal(const char *text, places byte)
{
	places found;

	memcpy(&found, text, sizeof(found));
	return (places)((found | FOLD) == byte);
}

static bool any(places marked)
{
	words all = (words)marked;

	return (all[0] | all[1]) != 0;
}

static const char *find_slowly(
	const char *text, const char *end, const char *wanted, size_t wanted_length)
{
	for (; text < end; text++) {
		if (strncasecmp(text, wanted, wanted_length) == 0)
			return text;
	}
	return NULL;
}

const char *skim_find(const char *text, size_t length, const char *wanted)
{
	size_t last = strlen(wanted) - 1;
	const places first_byte = all_equal(wanted[0]);
	const places last_byte = all_equal(wanted[last]);
	const char *end;
	const char *found = NULL;

	if (length <= last)
		return NULL;
	end = text + length - last;

	/* in most steps no place has both the first and the last byte; few outlast the others */
	for (; end - text >= STEP && !found; text += STEP) {
		places fit = equal(text, first_byte) & equal(text + last, last_byte);

		for (size_t i = 1; i < last && any(fit); i++)
			fit &= equal(text + i, all_equal(wanted[i]));
		if (any(fit))
			found = find_slowly(text, text + STEP, wanted, last + 1);
	}
	return found ? found : find_slowly(text, end, wanted, last + 1);
}
