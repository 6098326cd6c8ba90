#include "core/settings.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buffer.h"
#include "core/text.h"

#define FIELD(name) offsetof(struct settings, name)

/* The variables of each field; the first that is set wins. */
static const struct {
	const char *variable;
	size_t field;
	bool absolute; /* the XDG base directory specification ignores relative paths */
} SOURCES[] = {
	{"SYPHT_API_KEY", FIELD(api_key), false},
	{"SYPHT_AUTH_ENDPOINT", FIELD(auth_endpoint), false},
	{"SYPHT_API_BASE_ENDPOINT", FIELD(api_base_endpoint), false},
	{"SYPHT_AUDIENCE", FIELD(audience), false},
	{"SYPHT_CLIENT_ID", FIELD(client_id), false},
	{"SYPHT_CLIENT_SECRET", FIELD(client_secret), false},
	{"SYPHT_CLIENT_SECRET_FILE", FIELD(client_secret_file), false},
	{"SYPHT_PROFILE", FIELD(profile), false},
	{"SYPHT_CONFIG", FIELD(config), false},
	{"SYPHT_CACHE_DIR", FIELD(cache_dir), false},
	{"SYPHT_CAINFO", FIELD(cainfo), false},
	{"CURL_CA_BUNDLE", FIELD(cainfo), false},
	{"SSL_CERT_FILE", FIELD(cainfo), false},
	{"SYPHT_TIMEOUT", FIELD(timeout), false},
	{"SYPHT_ON_FAILURE", FIELD(on_failure), false},
	{"SYPHT_TRACE", FIELD(trace), false},
	{"SYPHT_CREDENTIAL", FIELD(credential), false},
	{"XDG_CONFIG_HOME", FIELD(config_home), true},
	{"XDG_CACHE_HOME", FIELD(cache_home), true},
	{"HOME", FIELD(home), true},
	{"CREDENTIALS_DIRECTORY", FIELD(credentials_dir), true},
	{"KUBERNETES_SERVICE_HOST", FIELD(kubernetes), false},
	{"AZURE_AUTHORITY_HOST", FIELD(azure_authority_host), false},
	{"AZURE_CLIENT_ID", FIELD(azure_client_id), false},
	{"AZURE_FEDERATED_TOKEN_FILE", FIELD(azure_federated_token_file), false},
	{"AZURE_TENANT_ID", FIELD(azure_tenant_id), false},
};

enum { SOURCE_COUNT = sizeof(SOURCES) / sizeof(SOURCES[0]) };

static const char **field_of(struct settings *settings, size_t i)
{
	return (const char **)(void *)((char *)settings + SOURCES[i].field);
}

/* const, as settings_read() borrows the values; those of settings_keep() are copies. */
static void forget_value(const char **field)
{
	union {
		const char *text;
		char *copy;
	} kept = {.text = *field};

	buffer_free_text(kept.copy);
	*field = NULL;
}

/* musl's getenv() compares each variable in full, which takes a third of a get from the cache. */
static const char *value_of(const char *name)
{
	size_t length = strlen(name);

	for (char **variable = environ; variable && *variable; variable++) {
		if (**variable == *name && strncmp(*variable, name, length) == 0 &&
			(*variable)[length] == '=')
			return *variable + length + 1;
	}
	return NULL;
}

void settings_read(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	/* in a set-user-ID program another user chose the environment */
	if (getauxval(AT_SECURE))
		return;
	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		const char **field = field_of(settings, i);
		const char *value = value_of(SOURCES[i].variable);

		/* an empty variable counts as unset, as people clear one by VAR= */
		if (!*field && value && *value != '\0' && (!SOURCES[i].absolute || *value == '/'))
			*field = value;
	}
}

bool settings_keep(struct settings *settings)
{
	struct settings now, kept = {0};
	bool whole = true;

	settings_read(&now);
	for (size_t i = 0; i < SOURCE_COUNT; i++) {
		const char *value = *field_of(&now, i);

		if (value && !*field_of(&kept, i))
			whole &= (*field_of(&kept, i) = buffer_duplicate(value)) != NULL;
	}
	/* all or nothing: a lost setting could send a token elsewhere */
	for (size_t i = 0; i < SOURCE_COUNT && !whole; i++)
		forget_value(field_of(&kept, i));
	*settings = kept;
	return whole;
}

/* ---- values that must be valid ---- */

/* An invalid value is a warning, not a failure: these variables tune what works without them. */

/* A number that is cut or that overflows is not what the user meant, so use the default. */
static bool is_timeout(const char *value)
{
	char *end;
	long seconds = strtol(value, &end, 10);

	return *end == '\0' && seconds >= 1 && seconds <= SETTINGS_TIMEOUT_MAX_S;
}

static bool is_reaction(const char *value)
{
	return strcmp(value, "fail") == 0 || strcmp(value, "pass") == 0;
}

static bool is_absolute(const char *value)
{
	return *value == '/';
}

/* A file that trace_open() would open or create. */
static bool is_writable(const char *path)
{
	struct stat found;
	char parent[PATH_MAX];
	int length = (int)(strrchr(path, '/') - path);

	if (lstat(path, &found) == 0)
		return S_ISREG(found.st_mode) && found.st_uid == geteuid() &&
		       access(path, W_OK) == 0;
	snprintf(parent, sizeof(parent), "%.*s/", length, path);
	return errno == ENOENT && access(parent, W_OK | X_OK) == 0;
}

static bool is_trace(const char *value)
{
	return strcmp(value, "0") == 0 || strcmp(value, "1") == 0 ||
	       (is_absolute(value) && is_writable(value));
}

static const struct {
	const char *variable;
	size_t field;
	bool (*accepts)(const char *value);
	const char *otherwise;
} RULES[] = {
	{"SYPHT_TIMEOUT", FIELD(timeout), is_timeout,
		"not a whole number of seconds from 1 to 3600; using 30"},
	{"SYPHT_ON_FAILURE", FIELD(on_failure), is_reaction, "neither fail nor pass; using fail"},
	{"SYPHT_TRACE", FIELD(trace), is_trace,
		"neither 1 nor the absolute path of a file to write; tracing is off"},
	{"SYPHT_CREDENTIAL", FIELD(credential), is_absolute,
		"not an absolute path; sypht-run cannot use it"},
};

/* The value is shown, as the user may have misspelt it; control characters are not. */
enum status settings_warn(const struct settings *settings, const char *prefix, struct buffer *out)
{
	enum status status = STATUS_OK;

	for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]) && !status; i++) {
		const char *value = *(
			const char *const *)(const void *)((const char *)settings + RULES[i].field);
		char shown[81]; /* a line of a terminal; the value may be anything */

		if (!value || RULES[i].accepts(value))
			continue;
		snprintf(shown, sizeof(shown), "%s", value);
		text_clean(shown);
		status = buffer_printf(out, "%s%s is '%s', %s\n", prefix, RULES[i].variable, shown,
			RULES[i].otherwise);
	}
	return status;
}

long settings_timeout_s(const struct settings *settings)
{
	if (!settings->timeout || !is_timeout(settings->timeout))
		return SETTINGS_TIMEOUT_DEFAULT_S;
	return strtol(settings->timeout, NULL, 10);
}

/* A misspelt value must not send a request without its token, so only this one does. */
bool settings_passes_on_failure(const struct settings *settings)
{
	return settings->on_failure && strcmp(settings->on_failure, "pass") == 0;
}

/* A path in parts, to be joined. */
struct path {
	const char *directory; /* NULL: no variable names the home */
	const char *below_home;
	const char *rest;
};

/* The order of the XDG Base Directory Specification, after a variable of our own. */
static struct path find_path(const struct settings *settings, const char *whole, const char *base,
	const char *below_home, const char *rest)
{
	if (whole)
		return (struct path){whole, "", ""};
	if (base)
		return (struct path){base, "", rest};
	return (struct path){settings->home, below_home, rest};
}

static struct path find_config(const struct settings *settings)
{
	return find_path(
		settings, settings->config, settings->config_home, "/.config", "/sypht/config");
}

/* Measured: snprintf(3) instead would add 900 instructions to each get. */
static size_t path_length(struct path path)
{
	return strlen(path.directory) + strlen(path.below_home) + strlen(path.rest);
}

static void write_path(struct path path, char *out)
{
	stpcpy(stpcpy(stpcpy(out, path.directory), path.below_home), path.rest);
}

/* NULL with errno ENOENT if no variable names the home. */
static char *make_path(struct path path)
{
	char *out = path.directory ? malloc(path_length(path) + 1) : NULL;

	if (out)
		write_path(path, out);
	else if (!path.directory)
		errno = ENOENT;
	return out;
}

bool settings_write_config_path(const struct settings *settings, char *path, size_t size)
{
	struct path config = find_config(settings);

	if (!config.directory || path_length(config) >= size)
		return false;
	write_path(config, path);
	return true;
}

char *settings_config_path(const struct settings *settings)
{
	return make_path(find_config(settings));
}

char *settings_credentials_path(const struct settings *settings)
{
	return make_path(
		find_path(settings, NULL, settings->config_home, "/.config", "/sypht/credentials"));
}

char *settings_cache_path(const struct settings *settings)
{
	return make_path(find_path(
		settings, settings->cache_dir, settings->cache_home, "/.cache", "/sypht"));
}
