#include "dialects/keyring.h"

#include <string.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/profile.h"
#include "dialects/credentials.h"
#include "supply/external.h"

static enum status check_words(const struct call *call, struct failure *failure)
{
	if (call->operands[0] && call->operands[1])
		return STATUS_OK;
	return status_fail(failure, STATUS_USAGE, "usage: keyring get|set|del URL USER");
}

enum status keyring_get(struct call *call, struct failure *failure)
{
	enum status status = check_words(call, failure);

	if (!status)
		status = call_find_server(call, call->operands[0], failure);
	if (status)
		return status;
	/* keyring prints nothing if it knows no password; pip then asks the user */
	if (!call->profile || !call->profile->basic_username ||
		!call_accepts_user(call->profile, call->operands[1])) {
		call->exit_code = 1;
		return STATUS_OK;
	}
	status = call_supply(call, NULL, failure);
	if (!status && buffer_printf(call->reply, "%s\n", call->token.value))
		status = status_no_memory(failure);
	return status;
}

/* Like keyring, take the secret from stdin, without the line end that a terminal adds. */
static enum status read_secret(struct buffer *secret, struct failure *failure)
{
	enum status status = buffer_read(secret, STDIN_FILENO);

	if (status || memchr(buffer_text(secret), '\0', secret->length))
		return status_fail(
			failure, STATUS_MALFORMED, "no secret on stdin, or one that is too long");
	if (secret->length > 0)
		secret->data[strcspn(secret->data, "\r\n")] = '\0';
	return STATUS_OK;
}

static enum status make_change(struct call *call, struct buffer *secret, credentials_changer *make,
	struct failure *failure)
{
	struct credentials_change change = {.username = call->operands[1]};
	enum status status = STATUS_OK;

	/* del has no secret: then whatever is kept for this user goes */
	if (secret)
		change.password = buffer_text(secret);
	if (call_origin_of_server(&change.origin, call->operands[0]))
		status = make(call, &change, failure);
	/* keyring's users expect that set has stored something, so silence would mislead them */
	if (!status && !change.matched)
		status = status_fail(failure, STATUS_NO_SECRET,
			"no profile names the origin or the token endpoint %s", call->operands[0]);
	return status;
}

enum status keyring_set(struct call *call, struct failure *failure)
{
	struct buffer secret = BUFFER_INIT(EXTERNAL_MAX_BYTES);
	enum status status = check_words(call, failure);

	if (!status)
		status = read_secret(&secret, failure);
	if (!status)
		status = make_change(call, &secret, credentials_store, failure);
	buffer_release(&secret);
	return status;
}

enum status keyring_del(struct call *call, struct failure *failure)
{
	enum status status = check_words(call, failure);

	return status ? status : make_change(call, NULL, credentials_erase, failure);
}
