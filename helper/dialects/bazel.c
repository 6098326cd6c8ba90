#include "dialects/bazel.h"

#include <unistd.h>

#include "json.h"

enum { REQUEST_MAX_BYTES = 64 * 1024 }; /* a URI; servers refuse longer ones anyway */

static enum status write_answer(const struct call *call)
{
	char time[JSON_TIME_BYTES];

	enum status status = buffer_printf(
		call->reply, "{\"headers\":{\"Authorization\":[\"Bearer %s\"]}", call->token.value);

	return status ? status
		      : json_printf(call->reply, ",\"expires\":%s}\n",
				json_time(token_usable_until(&call->token), time));
}

static enum status answer_request(
	struct call *call, const struct json *request, struct failure *failure)
{
	enum status status;

	call->url = json_text(json_member(request, "uri"));
	if (!call->url)
		return status_fail(failure, STATUS_MALFORMED,
			"expected a JSON object with the string \"uri\" on stdin");
	status = call_find_url(call, failure);
	if (!status)
		status = call_supply(call, NULL, failure);
	if (!status && write_answer(call))
		status = status_no_memory(failure);
	call->url = NULL; /* it belongs to the request, which is about to be freed */
	return status;
}

enum status bazel_get(struct call *call, struct failure *failure)
{
	struct buffer input = BUFFER_INIT(REQUEST_MAX_BYTES);
	struct json *request = NULL;
	enum status status = buffer_read(&input, STDIN_FILENO);

	if (status) {
		status_fail(failure, status, "stdin is too long, or cannot be read");
	} else {
		request = json_read(buffer_text(&input), input.length);
		status = answer_request(call, request, failure);
	}
	json_free(request);
	buffer_release(&input);
	return status;
}
