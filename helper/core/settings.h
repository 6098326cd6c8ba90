#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

struct buffer;

/*
 * The settings from the environment, read once. Only this module reads SYPHT_
 * variables. In a set-uid program (AT_SECURE) all are unset. An empty variable
 * counts as unset. The environment owns the strings, except after settings_keep().
 */
enum { SETTINGS_TIMEOUT_DEFAULT_S = 30, SETTINGS_TIMEOUT_MAX_S = 3600 };

struct settings {
	const char *api_key;            /* SYPHT_API_KEY, client_id:client_secret */
	const char *auth_endpoint;      /* SYPHT_AUTH_ENDPOINT */
	const char *api_base_endpoint;  /* SYPHT_API_BASE_ENDPOINT */
	const char *audience;           /* SYPHT_AUDIENCE */
	const char *client_id;          /* SYPHT_CLIENT_ID */
	const char *client_secret;      /* SYPHT_CLIENT_SECRET */
	const char *client_secret_file; /* SYPHT_CLIENT_SECRET_FILE */
	const char *profile;            /* SYPHT_PROFILE */
	const char *config;             /* SYPHT_CONFIG */
	const char *cache_dir;          /* SYPHT_CACHE_DIR */
	const char *cainfo;             /* SYPHT_CAINFO, else CURL_CA_BUNDLE, else SSL_CERT_FILE */
	const char *timeout;            /* SYPHT_TIMEOUT, seconds: settings_timeout_s() */
	const char *on_failure;         /* SYPHT_ON_FAILURE: settings_passes_on_failure() */
	const char *trace;              /* SYPHT_TRACE */
	const char *credential;         /* SYPHT_CREDENTIAL */
	const char *config_home;        /* XDG_CONFIG_HOME if absolute */
	const char *cache_home;         /* XDG_CACHE_HOME if absolute */
	const char *home;               /* HOME if absolute */
	const char *credentials_dir;    /* CREDENTIALS_DIRECTORY, systemd.exec(5) */
	const char *kubernetes;         /* KUBERNETES_SERVICE_HOST, set in every pod */

	/* of Azure's workload identity, for profiles with provider = entra */
	const char *azure_authority_host;       /* AZURE_AUTHORITY_HOST */
	const char *azure_client_id;            /* AZURE_CLIENT_ID */
	const char *azure_federated_token_file; /* AZURE_FEDERATED_TOKEN_FILE */
	const char *azure_tenant_id;            /* AZURE_TENANT_ID */
};

void settings_read(struct settings *settings);

/*
 * Read and copy the settings, so that a change of the environment does not affect them. The plugin
 * needs this in its host's process. The copy is never freed, so call it once. False: no memory, and
 * settings is empty.
 */
bool settings_keep(struct settings *settings);

/* Whole seconds in 1..SETTINGS_TIMEOUT_MAX_S; the default if the value is unset or invalid. */
long settings_timeout_s(const struct settings *settings);

/* SYPHT_ON_FAILURE=pass; everything else means fail. */
bool settings_passes_on_failure(const struct settings *settings);

/*
 * Append a line for each variable with an invalid value. The line begins with prefix and says what
 * is used instead.
 */
enum status settings_warn(
	const struct settings *settings, const char *prefix, struct buffer *out) MUST_CHECK;

/*
 * Paths, for buffer_free_text(). NULL: errno is ENOENT if no variable names the home, or ENOMEM.
 * The config: $SYPHT_CONFIG, else $XDG_CONFIG_HOME/sypht/config, else ~/.config/sypht/config.
 * The stored client credentials: $XDG_CONFIG_HOME/sypht/credentials, else
 * ~/.config/sypht/credentials. The cache: $SYPHT_CACHE_DIR, else $XDG_CACHE_HOME/sypht, else
 * ~/.cache/sypht. settings_write_config_path() allocates nothing. It is false if no variable names
 * the home, or if the path does not fit into size bytes.
 */
char *settings_config_path(const struct settings *settings);
bool settings_write_config_path(const struct settings *settings, char *path, size_t size);
char *settings_credentials_path(const struct settings *settings);
char *settings_cache_path(const struct settings *settings);

#endif
