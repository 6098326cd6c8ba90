#include "held.h"

#include <string.h>

/* What stands before the bytes of each piece. */
struct head {
	enum piece piece;
	size_t length;
};

bool held_keep(struct held *held, enum piece piece, const char *bytes, size_t length)
{
	const struct head head = {.piece = piece, .length = length};
	struct buffer *pieces = &held->pieces;
	size_t before = pieces->length;

	if (buffer_append(pieces, &head, sizeof(head)))
		return false;
	if (buffer_append(pieces, bytes, length)) {
		pieces->length = before;
		return false;
	}
	return true;
}

bool held_deliver(struct held *held, held_receiver *deliver, void *context)
{
	char *bytes = held->pieces.data;
	size_t at = 0;
	bool taken = true;

	while (taken && at < held->pieces.length) {
		struct head head;

		memcpy(&head, bytes + at, sizeof(head));
		at += sizeof(head);
		taken = deliver(context, head.piece, bytes + at, head.length);
		at += head.length;
	}
	held_forget(held);
	return taken;
}

void held_forget(struct held *held)
{
	buffer_release(&held->pieces);
}
