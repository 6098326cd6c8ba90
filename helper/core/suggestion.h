#ifndef SUGGESTION_H
#define SUGGESTION_H

#include <stddef.h>

/*
 * "Did you mean …?" Start with the unknown word, look at each known word, then read nearest: the
 * known word with the fewest slips (a letter added, missing or wrong, or two swapped). It is NULL
 * if every known word needs more than two slips, or is too short for them.
 */
struct suggestion {
	const char *word; /* the caller's */
	size_t length;    /* of word */
	const char *nearest;
	size_t slips; /* between word and nearest */
};

struct suggestion suggestion_for(const char *word, size_t length);
void suggestion_look_at(struct suggestion *suggestion, const char *known);

#endif
