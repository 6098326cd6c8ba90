#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <unistd.h>

#include "attributes.h"
#include "directory.h"
#include "profile.h"
#include "token.h"

enum { FILE_MAX_BYTES = 2 * TOKEN_MAX_BYTES, NAME_MAX_BYTES = 32, CLOCK_SLACK_S = 2 };

/* ---- what tells one token from another ---- */

/* Rows of the key; every file of the cache begins with them. */
static enum status write_key(const struct profile *profile, struct buffer *out)
{
	const char *url = profile->token_url ? profile->token_url : profile->issuer;
	enum status status = attributes_add(out, "token_url", url);

	if (!status)
		status = attributes_add(out, "client_id", profile->client_id);
	if (!status)
		status = attributes_add(out, "scope", profile->scope);
	if (!status)
		status = attributes_add(out, "audience", profile->audience);
	for (size_t i = 0; i < profile->resource.count && !status; i++)
		status = attributes_add(out, "resource[]", profile->resource.items[i]);
	return status;
}

/* FNV-1a, 64 bits. It only has to spread names: what a file holds is compared in full. */
static void digest(const struct profile *profile, char out[17])
{
	struct buffer key = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	uint64_t hash = 14695981039346656037U;

	out[0] = '\0';
	if (write_key(profile, &key) == STATUS_OK) {
		for (size_t i = 0; i < key.length; i++)
			hash = (hash ^ (unsigned char)key.data[i]) * 1099511628211U;
		snprintf(out, 17, "%016" PRIx64, hash);
	}
	buffer_release(&key);
}

static bool same(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static bool is_for(const struct attributes *entry, const struct profile *profile)
{
	const char *url = profile->token_url ? profile->token_url : profile->issuer;
	const char *resource = NULL;

	for (size_t i = 0; i < profile->resource.count; i++) {
		resource = attributes_next(entry, "resource[]", resource);
		if (!resource || strcmp(resource, profile->resource.items[i]) != 0)
			return false;
	}
	return !attributes_next(entry, "resource[]", resource) &&
	       same(attributes_get(entry, "token_url"), url) &&
	       same(attributes_get(entry, "client_id"), profile->client_id) &&
	       same(attributes_get(entry, "scope"), profile->scope) &&
	       same(attributes_get(entry, "audience"), profile->audience);
}

enum status cache_open(struct cache *cache, const char *path, const struct profile *profile,
	bool create, struct failure *failure)
{
	*cache = (struct cache)CACHE_INIT;
	cache->profile = profile;
	digest(profile, cache->digest);
	if (!path)
		return status_fail(failure, STATUS_SYSTEM,
			"no cache directory: neither SYPHT_CACHE_DIR nor HOME is set");
	return directory_open(&cache->directory, path, create, "cache", failure);
}

void cache_close(struct cache *cache)
{
	if (cache->directory >= 0)
		close(cache->directory);
	cache->directory = -1;
}

/* ---- files ---- */

static void name_file(const struct cache *cache, const char *suffix, char out[NAME_MAX_BYTES])
{
	snprintf(out, NAME_MAX_BYTES, "%s.%s", cache->digest, suffix);
}

/* A file that was written to its end, about this profile. */
static bool read_entry(const struct cache *cache, const char *suffix, struct attributes *entry,
	struct timespec *modified)
{
	char name[NAME_MAX_BYTES];

	if (cache->directory < 0)
		return false;
	name_file(cache, suffix, name);
	entry->text.limit = FILE_MAX_BYTES;
	return directory_read(cache->directory, name, &entry->text, modified) &&
	       attributes_split(entry, NULL) == STATUS_OK && entry->closed &&
	       is_for(entry, cache->profile);
}

static enum status write_entry(const struct cache *cache, const char *suffix,
	const struct buffer *content, struct failure *failure)
{
	char name[NAME_MAX_BYTES];

	if (cache->directory < 0)
		return status_fail(failure, STATUS_SYSTEM, "there is no cache directory");
	name_file(cache, suffix, name);
	return directory_write(cache->directory, name, content, failure);
}

static enum status remove_entry(
	const struct cache *cache, const char *suffix, struct failure *failure)
{
	char name[NAME_MAX_BYTES];

	if (cache->directory < 0)
		return STATUS_OK;
	name_file(cache, suffix, name);
	return directory_remove(cache->directory, name, NULL, failure);
}

/* Digits only, so that nothing overflows or turns negative. */
static bool get_number(const struct attributes *entry, const char *key, long long *number)
{
	enum { DIGITS_MAX = 15 };
	const char *text = attributes_get(entry, key);
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (digits == 0 || digits > DIGITS_MAX || text[digits] != '\0')
		return false;
	*number = strtoll(text, NULL, 10);
	return true;
}

/* ---- tokens ---- */

bool cache_get(const struct cache *cache, time_t now, struct token *token)
{
	struct attributes entry = ATTRIBUTES_INIT;
	struct token found = TOKEN_INIT;
	const char *value;
	long long obtained;
	long long expires;
	bool good = false;

	if (read_entry(cache, "token", &entry, NULL) && get_number(&entry, "obtained", &obtained) &&
		get_number(&entry, "expires", &expires)) {
		found.obtained = (time_t)obtained;
		found.expires = (time_t)expires;
		value = attributes_get(&entry, "credential");
		if (value && token_is_b64token(value) &&
			token_is_believable(&found, cache->profile->max_lifetime, now)) {
			found.cached = true;
			found.value = buffer_duplicate(value);
			found.scope = buffer_duplicate(attributes_get(&entry, "granted_scope"));
			good = found.value != NULL;
		}
	}
	attributes_release(&entry);
	if (good)
		*token = found;
	return good;
}

enum status cache_put(const struct cache *cache, const struct token *token, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	enum status status = write_key(cache->profile, &content);

	if (!status)
		status = attributes_add_number(&content, "obtained", (long long)token->obtained);
	if (!status)
		status = attributes_add_number(&content, "expires", (long long)token->expires);
	if (!status)
		status = attributes_add(&content, "granted_scope", token->scope);
	if (!status)
		status = attributes_add(&content, "credential", token->value);
	if (!status)
		status = buffer_append(&content, "\n", 1); /* without it a reader calls it torn */
	if (status)
		status_fail(failure, status, "cache: the token does not fit into an entry");
	else
		status = write_entry(cache, "token", &content, failure);
	if (!status)
		status = remove_entry(cache, "failed", failure);
	buffer_release(&content);
	return status;
}

enum status cache_erase(const struct cache *cache, struct failure *failure)
{
	enum status status = remove_entry(cache, "token", failure);

	return status ? status : remove_entry(cache, "failed", failure);
}

/* ---- serials ---- */

long long cache_get_serial(const struct cache *cache)
{
	struct attributes entry = ATTRIBUTES_INIT;
	long long serial = 0;

	if (!read_entry(cache, "serial", &entry, NULL) || !get_number(&entry, "serial", &serial))
		serial = 0;
	attributes_release(&entry);
	return serial;
}

enum status cache_put_serial(const struct cache *cache, long long serial, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	enum status status = write_key(cache->profile, &content);

	if (!status)
		status = attributes_add_number(&content, "serial", serial);
	if (!status)
		status = buffer_append(&content, "\n", 1);
	if (!status)
		status = write_entry(cache, "serial", &content, failure);
	buffer_release(&content);
	return status;
}

/* ---- replacements ---- */

enum status cache_put_replacement(
	const struct cache *cache, const struct token *token, struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);
	char fingerprint[TOKEN_FINGERPRINT_BYTES];

	enum status status = write_key(cache->profile, &content);

	token_fingerprint(token->value, fingerprint);
	if (!status)
		status = attributes_add(&content, "replacement", fingerprint);
	if (!status)
		status = buffer_append(&content, "\n", 1);
	if (!status)
		status = write_entry(cache, "replaced", &content, failure);
	buffer_release(&content);
	return status;
}

bool cache_is_replacement(const struct cache *cache, const struct token *token)
{
	struct attributes entry = ATTRIBUTES_INIT;
	char fingerprint[TOKEN_FINGERPRINT_BYTES];
	bool replacement;

	token_fingerprint(token->value, fingerprint);
	replacement = read_entry(cache, "replaced", &entry, NULL) &&
		      same(attributes_get(&entry, "replacement"), fingerprint);
	attributes_release(&entry);
	return replacement;
}

enum status cache_forget_replacement(const struct cache *cache, struct failure *failure)
{
	return remove_entry(cache, "replaced", failure);
}

/* ---- failures ---- */

void cache_put_failure(
	const struct cache *cache, time_t now, enum status status, const struct failure *failure)
{
	struct buffer content = BUFFER_INIT(FILE_MAX_BYTES);

	if (write_key(cache->profile, &content) == STATUS_OK &&
		attributes_add_number(&content, "failed", (long long)now) == STATUS_OK &&
		attributes_add_number(&content, "status", status) == STATUS_OK &&
		attributes_add(&content, "error", failure->reason) == STATUS_OK &&
		buffer_append(&content, "\n", 1) == STATUS_OK &&
		write_entry(cache, "failed", &content, NULL) != STATUS_OK &&
		remove_entry(cache, "failed", NULL) != STATUS_OK)
		buffer_clear(&content); /* an older failure stays until its time is over */
	buffer_release(&content);
}

static bool is_older(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec < other->tv_sec ||
	       (one->tv_sec == other->tv_sec && one->tv_nsec < other->tv_nsec);
}

enum status cache_get_failure(const struct cache *cache, time_t now, const struct timespec *changed,
	struct failure *failure)
{
	struct attributes entry = ATTRIBUTES_INIT;
	struct timespec written;
	long long failed;
	long long code = STATUS_OK;
	enum status status = STATUS_OK;

	if (read_entry(cache, "failed", &entry, &written) && is_older(changed, &written) &&
		get_number(&entry, "failed", &failed) && get_number(&entry, "status", &code) &&
		failed <= now + CLOCK_SLACK_S && now < failed + CACHE_FAILURE_S &&
		code > STATUS_OK && code <= STATUS_SYSTEM && attributes_get(&entry, "error"))
		status = status_fail(
			failure, (enum status)code, "%s", attributes_get(&entry, "error"));
	attributes_release(&entry);
	return status;
}

/* ---- the lock ---- */

static void do_nothing(int signal_number)
{
	(void)signal_number;
}

/* flock(2) has no time limit of its own; a signal that comes again and again cannot be missed. */
static int lock_within(int fd, long timeout_ms)
{
	const struct sigaction interrupt = {.sa_handler = do_nothing};
	const struct itimerval off = {0};
	struct itimerval timer = {.it_interval = {.tv_usec = 50000}};
	struct sigaction before;
	sigset_t alarms;
	sigset_t mask;
	struct timespec start;
	struct timespec now;
	int result;

	timer.it_value.tv_sec = timeout_ms / 1000;
	timer.it_value.tv_usec = timeout_ms % 1000 * 1000;
	clock_gettime(CLOCK_MONOTONIC, &start);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigaction(SIGALRM, &interrupt, &before);
	sigprocmask(SIG_UNBLOCK, &alarms, &mask);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (;;) {
		result = flock(fd, LOCK_EX);
		if (result == 0 || errno != EINTR)
			break;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 >=
			timeout_ms)
			break;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &before, NULL);
	return result;
}

int cache_lock(const struct cache *cache, long timeout_ms)
{
	char name[NAME_MAX_BYTES];
	int result;
	int fd;

	if (cache->directory < 0) {
		errno = ENOENT;
		return -1;
	}
	name_file(cache, "lock", name);
	fd = openat(cache->directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		0600);
	if (fd < 0)
		return -1;

	result = flock(fd, LOCK_EX | LOCK_NB);
	if (result != 0 && errno == EWOULDBLOCK && timeout_ms > 0)
		result = lock_within(fd, timeout_ms);
	if (result != 0) {
		int saved_errno = errno;

		close(fd);
		errno = saved_errno;
		return -1;
	}
	return fd;
}
