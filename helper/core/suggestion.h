#ifndef SUGGESTION_H
#define SUGGESTION_H

#include <stddef.h>

/*
 * "Did you mean …?" Start with the word that nobody knows, look at each word that is known, and
 * take nearest: the one that is fewest slips away (a letter too many, missing, wrong, or two that
 * changed places), or NULL where more than two slips lie between.
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
