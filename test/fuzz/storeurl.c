/*
 * URLs of shared stores: what is accepted can be shown, and what is shown leads to the same place
 * and tells neither user nor password.
 */
#include "core/storeurl.h"

#include "core/buffer.h"
#include "fuzz.h"

static void check(const struct storeurl *url, const char *text)
{
	struct buffer shown = BUFFER_INIT(2L * STOREURL_TEXT_MAX);
	struct storeurl again;

	assert(storeurl_has_password(text) == (url->password[0] != '\0'));
	assert(url->user[0] == '\0' || url->password[0] != '\0');
	assert(url->port > 0 && url->port <= 65535);
	assert(url->database >= 0 && url->database <= STOREURL_DATABASE_MAX);
	assert(storeurl_show(text, &shown) == STATUS_OK);
	assert(storeurl_parse(&again, shown.data));
	assert(again.user[0] == '\0' && again.password[0] == '\0');
	assert(again.kind == url->kind && strcmp(again.place, url->place) == 0);
	assert(again.port == url->port && again.database == url->database);
	storeurl_clear(&again);
	buffer_release(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct storeurl url;

	if (storeurl_parse(&url, text))
		check(&url, text);
	storeurl_clear(&url);
	free(text);
	return 0;
}
