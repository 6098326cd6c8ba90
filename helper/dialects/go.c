#include "go.h"

#include <string.h>
#include <unistd.h>

#include "../buffer.h"
#include "../profile.h"

enum { HEAD_MAX_BYTES = 64 * 1024 };

/* Whether the head of an HTTP response on stdin, if any, is one of status 401. */
static bool is_unauthorized(void)
{
	struct buffer head = BUFFER_INIT(HEAD_MAX_BYTES);
	enum status status = buffer_read(&head, STDIN_FILENO);
	const char *text = buffer_text(&head);
	const char *code = text + strcspn(text, " \r\n");
	bool unauthorized = status != STATUS_SYSTEM && strncmp(text, "HTTP/", 5) == 0 &&
			    strncmp(code, " 401", 4) == 0 && strspn(code + 1, "0123456789") == 3;

	buffer_release(&head);
	return unauthorized;
}

/* go knows https only. */
static enum status write_origins(const struct call *call)
{
	const struct profile *profile = call->profile;
	enum status status = STATUS_OK;
	struct origin origin;

	for (size_t i = 0; i < profile->origin.count && !status; i++) {
		if (!origin_from_url(&origin, profile->origin.items[i]) || !origin.secure)
			continue;
		status = origin_write(&origin, call->reply);
		if (!status)
			status = buffer_append_text(call->reply, "/\n");
	}
	return status;
}

static enum status write_block(const struct call *call)
{
	enum status status = write_origins(call);

	if (status || call->reply->length == 0)
		return status;
	return buffer_printf(call->reply, "\nAuthorization: Bearer %s\n\n", call->token.value);
}

enum status go_answer(struct call *call, struct failure *failure)
{
	enum status status = call->url ? call_find_server(call, call->url, failure)
				       : call_find_profile(call, NULL, failure);

	if (status || !call->profile)
		return status;
	if (call->url && is_unauthorized())
		status = call_erase(call, call->profile, NULL, failure);
	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && write_block(call))
		status = status_fail(failure, STATUS_NO_MEMORY, "out of memory");
	return status;
}
