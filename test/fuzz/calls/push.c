/* HTTP/2 push, as lib/http2.c of libcurl does it. */
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "hooks.h"
#include "server.h"

static void drop(struct fake_easy *easy)
{
	easy->multi = NULL;
	fake_easy_cleanup(easy);
}

void push_response(struct fake_easy *parent)
{
	struct fake_multi *multi = parent->multi;
	struct fake_easy *pushed;
	const struct fake_easy *outer;
	int answer;

	if (!multi->push || multi->count == FAKE_MULTI_MAX)
		return;
	pushed = fake_is_hooked() ? hook_easy_duphandle(FAKE_INNER, parent)
				  : fake_easy_duphandle(parent);
	if (!pushed)
		return;
	free(pushed->url);
	pushed->url = strdup("https://api.example/pushed");
	outer = server_calls(parent);
	multi->busy = true;
	answer = multi->push(parent, pushed, 0, NULL, multi->push_data);
	multi->busy = false;
	server_calls(outer);
	if (answer != CURL_PUSH_OK) {
		drop(pushed);
		return;
	}
	server_expect(pushed);
	pushed->multi = multi;
	multi->easies[multi->count++] = pushed;
	transfer_start(pushed);
	pushed->transfer.at = parent->transfer.at;
	pushed->transfer.answer =
		(struct fake_answer){.status = 200, .pieces = 1, .piece_bytes = 10};
	pushed->transfer.stage = FAKE_HEAD_COMES;
}
