#ifndef HELD_H
#define HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

/*
 * A response that is kept back: its headers and its body, piece by piece, in the order they came.
 */
enum { HELD_MAX_BYTES = 256 * 1024 };

enum piece { PIECE_HEADER, PIECE_BODY };

struct held {
	struct buffer pieces;
};

#define HELD_INIT \
	{ \
		.pieces = BUFFER_INIT(HELD_MAX_BYTES) \
	}

/* False: it would become too much, or memory is short; what was held so far still is. */
bool held_keep(struct held *held, enum piece piece, const char *bytes, size_t length);

/*
 * Hand out every piece in order and forget it, until deliver() returns false; false then, and the
 * rest is forgotten too.
 */
typedef bool held_receiver(void *context, enum piece piece, char *bytes, size_t length);
bool held_deliver(struct held *held, held_receiver *deliver, void *context);

void held_forget(struct held *held);

#endif
