#include "dialects/shell.h"

#include "core/buffer.h"

/* Nothing is quoted: a b64token has no character that curl or a shell would interpret. */
static enum status answer_token(
	struct call *call, const char *before, const char *after, struct failure *failure)
{
	enum status status = call_find_url(call, failure);

	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && buffer_printf(call->reply, "%s%s%s\n", before, call->token.value, after))
		status = status_no_memory(failure);
	return status;
}

enum status shell_token(struct call *call, struct failure *failure)
{
	return answer_token(call, "", "", failure);
}

enum status shell_authorization(struct call *call, struct failure *failure)
{
	return answer_token(call, "Bearer ", "", failure);
}

enum status shell_header(struct call *call, struct failure *failure)
{
	return answer_token(call, "Authorization: Bearer ", "", failure);
}

enum status shell_curl_config(struct call *call, struct failure *failure)
{
	return answer_token(call, "oauth2-bearer = \"", "\"", failure);
}
