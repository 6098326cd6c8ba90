#include "dialects/goauth.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/profile.h"
#include "dialects/challenge.h"

enum { HEAD_MAX_BYTES = 64 * 1024 };

/* ---- the head of a response ---- */

/* "HTTP/1.1 401 Unauthorized" or "HTTP/2.0 401". The text after the code means nothing. */
static bool is_unauthorized(const char *head)
{
	const char *code = head + strcspn(head, " \r\n");

	return strncasecmp(head, "HTTP/", 5) == 0 && strncmp(code, " 401", 4) == 0 &&
	       strspn(code + 1, "0123456789") == 3;
}

/* Add each WWW-Authenticate field, up to the empty line. Writes into head. */
static void read_challenges(char *head, struct challenges *challenges)
{
	static const char name[] = "www-authenticate:";
	char *rest = head;
	char *line;

	while ((line = strsep(&rest, "\n")) && *line != '\0' && *line != '\r') {
		line[strcspn(line, "\r")] = '\0';
		if (strncasecmp(line, name, sizeof(name) - 1) == 0)
			challenges_add(challenges, line + sizeof(name) - 1);
	}
}

/*
 * Whether the response whose head is on stdin refused the token of its request. A head that is too
 * long is read as far as it fits.
 */
static bool token_was_refused(void)
{
	struct buffer head = BUFFER_INIT(HEAD_MAX_BYTES);
	struct challenges challenges = CHALLENGES_INIT;
	enum status status = buffer_read(&head, STDIN_FILENO);

	if (status != STATUS_SYSTEM && head.length > 0 && is_unauthorized(head.data))
		read_challenges(head.data, &challenges);
	buffer_release(&head);
	return challenges.invalid_token;
}

/* ---- the answer ---- */

/*
 * Go looks the host up as the request's URL spells it, with its port. Go 1.24 finds no entry that
 * ends in a slash.
 */
static enum status write_authority(const char *url, struct buffer *reply)
{
	const char *authority = strstr(url, "://") + 3;
	size_t length = strcspn(authority, "/?#");
	const char *at = memrchr(authority, '@', length);

	if (at) {
		length -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	return buffer_printf(reply, "https://%.*s\n", (int)length, authority);
}

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
			status = buffer_append_text(call->reply, "\n");
	}
	return status;
}

static enum status write_block(const struct call *call)
{
	enum status status =
		call->url ? write_authority(call->url, call->reply) : write_origins(call);

	if (status || call->reply->length == 0)
		return status;
	return buffer_printf(call->reply, "\nAuthorization: Bearer %s\n\n", call->token.value);
}

/* Go fetches modules only by https, so for another scheme the answer is empty. */
static enum status find_profile(struct call *call, struct failure *failure)
{
	static const char scheme[] = "https://";

	if (!call->url)
		return call_find_default(call, failure);
	if (strncasecmp(call->url, scheme, sizeof(scheme) - 1) != 0)
		return STATUS_OK;
	return call_find_server(call, call->url, failure);
}

enum status go_answer(struct call *call, struct failure *failure)
{
	enum status status = find_profile(call, failure);

	if (status || !call->profile)
		return status;
	if (call->url && token_was_refused())
		status = call_refuse(call, failure);
	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && write_block(call))
		status = status_no_memory(failure);
	return status;
}
