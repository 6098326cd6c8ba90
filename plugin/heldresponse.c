#include "heldresponse.h"

#include <string.h>

/* Precedes the bytes of each piece. */
struct head {
	enum piece piece;
	size_t length;
};

/* Keep the pieces apart: the application gets each in a call of its own, as libcurl made it. */
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

/* A callback that pauses gets the same piece again, so count a piece only after it was taken. */
bool held_deliver(struct held *held, held_receiver *receive, void *context, size_t *answer)
{
	while (held->given < held->pieces.length) {
		struct head head;
		char *at = held->pieces.data + held->given;

		memcpy(&head, at, sizeof(head));
		*answer = receive(context, head.piece, at + sizeof(head), head.length);
		if (*answer != head.length)
			return false;
		held->given += sizeof(head) + head.length;
	}
	held_forget(held);
	return true;
}

void held_forget(struct held *held)
{
	buffer_release(&held->pieces);
	held->given = 0;
}
