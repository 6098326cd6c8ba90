#ifndef HELDRESPONSE_H
#define HELDRESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/* A response that is held back: the pieces of its headers and body, in the order they came. */
enum { HELD_MAX_BYTES = 256 * 1024 };

enum piece { PIECE_HEADER, PIECE_BODY };

struct held {
	struct buffer pieces;
	size_t given; /* how many bytes were delivered */
};

#define HELD_INIT \
	{ \
		.pieces = BUFFER_INIT(HELD_MAX_BYTES) \
	}

/* False if that would be too much, or memory is short. What was held before stays held. */
bool held_keep(struct held *held, enum piece piece, const char *bytes, size_t length);

static inline bool held_any(const struct held *held)
{
	return held->pieces.data != NULL;
}

/*
 * Give the pieces to the receiver one by one. True if it took all of them. False if it did not take
 * one whole: *answer is what it returned, and that piece and the rest stay held.
 */
typedef size_t held_receiver(void *context, enum piece piece, char *bytes, size_t length);
bool held_deliver(struct held *held, held_receiver *receive, void *context, size_t *answer);

void held_forget(struct held *held);

#endif
