#ifndef HELDRESPONSE_H
#define HELDRESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

/*
 * A response that is kept back: its headers and its body, piece by piece, in the order they came.
 */
enum { HELD_MAX_BYTES = 256 * 1024 };

enum piece { PIECE_HEADER, PIECE_BODY };

struct held {
	struct buffer pieces;
	size_t given; /* how many bytes of it were handed out */
};

#define HELD_INIT \
	{ \
		.pieces = BUFFER_INIT(HELD_MAX_BYTES) \
	}

/* False: it would become too much, or memory is short; what was held so far still is. */
bool held_keep(struct held *held, enum piece piece, const char *bytes, size_t length);

static inline bool held_any(const struct held *held)
{
	return held->pieces.data != NULL;
}

/*
 * Hand out piece by piece what the receiver takes whole. True: nothing is left. False: *answer is
 * what the receiver returned for the first piece that it did not take, which stays.
 */
typedef size_t held_receiver(void *context, enum piece piece, char *bytes, size_t length);
bool held_deliver(struct held *held, held_receiver *receive, void *context, size_t *answer);

void held_forget(struct held *held);

#endif
