#include "core/suggestion.h"

#include <string.h>

enum { WORD_MAX_BYTES = 32, SLIPS_MAX = 2 };

static size_t least(size_t one, size_t other)
{
	return one < other ? one : other;
}

/* Optimal string alignment distance. Each row of the table needs only the two rows above it. */
static size_t count_slips(const char *one, size_t one_length, const char *other, size_t length)
{
	size_t rows[3][WORD_MAX_BYTES + 1];

	for (size_t j = 0; j <= length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= one_length; i++) {
		const size_t *above = rows[(i - 1) % 3];
		const size_t *two_above = rows[(i + 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			size_t wrong = one[i - 1] != other[j - 1];

			row[j] = least(above[j - 1] + wrong, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && one[i - 1] == other[j - 2] &&
				one[i - 2] == other[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[one_length % 3][length];
}

struct suggestion suggestion_for(const char *word, size_t length)
{
	return (struct suggestion){.word = word, .length = length, .slips = SLIPS_MAX + 1};
}

/* Allow fewer slips in short words: two slips turn a word of three letters into most others. */
void suggestion_look_at(struct suggestion *suggestion, const char *known)
{
	size_t length = strlen(known);
	size_t slips;

	/* the table has room for so much; a longer word is no slip of a known one */
	if (length > WORD_MAX_BYTES || suggestion->length > WORD_MAX_BYTES)
		return;
	slips = count_slips(suggestion->word, suggestion->length, known, length);
	if (slips < suggestion->slips && slips < length / 2 + 1) {
		suggestion->nearest = known;
		suggestion->slips = slips;
	}
}
