/*
 * What may lie in a token's place: an entry of ours, or nothing. The input is such a file; where it
 * does not begin with "token_url=", the profile's own key is put before it.
 */
#include "core/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/attributes.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/state.h"
#include "core/token.h"
#include "fuzz.h"

enum { NOW = 1800000000, MAX_LIFETIME = 3600 };

static char token_url[] = "https://auth.example/token";
static char client_id[] = "id";
static char scope[] = "read";
static char resource[] = "urn:a";
static char *resources[] = {resource};

static const struct profile profile = {
	.token_url = token_url,
	.client_id = client_id,
	.scope = scope,
	.resource = {.items = resources, .count = 1},
	.max_lifetime = MAX_LIFETIME,
};

#define KEY "token_url=https://auth.example/token\nclient_id=id\nscope=read\nresource[]=urn:a\n"

static char directory[256];
static struct settings settings;
static struct cache cache = CACHE_INIT;

static void remove_directory(void)
{
	static const char *const suffixes[] = {"token", "state"};
	char name[64];

	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s.%s", cache.digest, suffixes[i]);
		unlinkat(cache.directory, name, 0);
	}
	rmdir(directory);
}

static void open_once(void)
{
	const char *place = getenv("TMPDIR");

	if (cache.directory >= 0)
		return;
	snprintf(directory, sizeof(directory), "%s/fuzz-cache-XXXXXX", place ? place : "/tmp");
	assert(mkdtemp(directory));
	settings.cache_dir = directory;
	assert(cache_open(&cache, &settings, &profile, false, NULL) == STATUS_OK);
	atexit(remove_directory);
}

static void put(const char *suffix, const uint8_t *data, size_t size)
{
	char name[64];
	size_t key = size >= 10 && memcmp(data, "token_url=", 10) == 0 ? 0 : strlen(KEY);
	int fd;

	snprintf(name, sizeof(name), "%s.%s", cache.digest, suffix);
	fd = openat(cache.directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && write(fd, KEY, key) == (ssize_t)key);
	assert(write(fd, data, size) == (ssize_t)size);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token token = TOKEN_INIT;
	struct state state;

	open_once();
	put("token", data, size);
	if (cache_get(&cache, NOW, &token)) {
		assert(token_is_b64token(token.value));
		assert(token_lifetime(&token) > 0 && token_lifetime(&token) <= MAX_LIFETIME);
		assert(token.expires <= NOW + MAX_LIFETIME + 2);
		assert(token_usable_until(&token) <= token.expires);
		assert(token_renew_from(&token) <= token_usable_until(&token));
	}
	token_release(&token);

	put("state", data, size);
	cache_get_state(&cache, NOW, &state);
	assert(strpbrk(state.failure.reason.reason, "\r\n") == NULL);
	assert(state.failure.retry_from <= NOW + 2 + STATE_PAUSE_REFUSED_S);
	assert(state_pause(&state, NOW) <= 2 + STATE_PAUSE_REPLACE_S);
	return 0;
}
