#include "discovery.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"
#include "origin.h"
#include "transfer.h"

enum { METADATA_MAX_BYTES = 1 << 20, URL_MAX_BYTES = 4096, HTTP_OK = 200 };

#define WELL_KNOWN_OAUTH  "/.well-known/oauth-authorization-server"
#define WELL_KNOWN_OPENID "/.well-known/openid-configuration"

typedef enum status place_writer(const char *issuer, struct buffer *url);

/* The issuer without a slash at its end, which is left out before something is put behind it. */
static int length_of(const char *issuer)
{
	size_t length = strlen(issuer);

	return (int)(length > 0 && issuer[length - 1] == '/' ? length - 1 : length);
}

/* RFC 8414, 3: between host and path. */
static enum status write_oauth_url(const char *issuer, struct buffer *url)
{
	const char *host = strstr(issuer, "://") + 3;
	int start = (int)(host - issuer + (long)strcspn(host, "/?"));
	int length = length_of(issuer);

	return buffer_printf(url, "%.*s" WELL_KNOWN_OAUTH "%.*s", start, issuer,
		length > start ? length - start : 0, issuer + start);
}

/* OpenID Connect Discovery, 4: behind the path. */
static enum status write_openid_url(const char *issuer, struct buffer *url)
{
	return buffer_printf(url, "%.*s" WELL_KNOWN_OPENID, length_of(issuer), issuer);
}

/* The reply, or NULL where there is nothing of the kind at that place. */
static enum status fetch(const struct discovery *discovery, const char *url, struct json **metadata,
	struct failure *failure)
{
	struct buffer reply = BUFFER_INIT(METADATA_MAX_BYTES);
	struct transfer transfer = {
		.url = url,
		.cainfo = discovery->cainfo,
		.deadline = discovery->deadline,
		.reply = &reply,
		.story = discovery->story,
	};
	enum status status = transfer_run(&transfer, failure);

	*metadata = NULL;
	if (!status && transfer.http_status == HTTP_OK)
		*metadata = json_read(buffer_text(&reply), reply.length);
	if (!status && !*metadata)
		status_fail(failure, STATUS_OK, TRANSFER_URL ": HTTP status %ld, and no metadata",
			url, transfer.http_status);
	buffer_release(&reply);
	return status;
}

static bool is_endpoint(const char *url)
{
	struct origin origin;

	for (const char *p = url; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '#')
			return false;
	}
	return origin_from_url(&origin, url) && origin_may_carry(&origin);
}

static enum status read_metadata(const struct discovery *discovery, const char *url,
	const struct json *metadata, struct buffer *token_url, struct failure *failure)
{
	const char *issuer = json_text(json_member(metadata, "issuer"));
	const char *endpoint = json_text(json_member(metadata, "token_endpoint"));

	if (!issuer || strcmp(issuer, discovery->issuer) != 0)
		return status_fail(failure, STATUS_REFUSED,
			TRANSFER_URL ": the metadata are of issuer '%.80s'", url,
			issuer ? issuer : "");
	if (!endpoint)
		return status_fail(
			failure, STATUS_REFUSED, TRANSFER_URL ": names no token_endpoint", url);
	if (!is_endpoint(endpoint))
		return status_fail(failure, STATUS_REFUSED,
			TRANSFER_URL ": token_endpoint '%.80s' is no https URL", url, endpoint);
	if (buffer_append_text(token_url, endpoint))
		return status_fail(
			failure, STATUS_REFUSED, TRANSFER_URL ": token_endpoint is too long", url);
	return STATUS_OK;
}

enum status discovery_find(
	const struct discovery *discovery, struct buffer *token_url, struct failure *failure)
{
	place_writer *const places[] = {write_oauth_url, write_openid_url};
	const size_t count = sizeof(places) / sizeof(places[0]);
	struct buffer url = BUFFER_INIT(URL_MAX_BYTES);
	struct json *metadata = NULL;
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && !metadata && !status; i++) {
		buffer_clear(&url);
		if (places[i](discovery->issuer, &url))
			status = status_fail(failure, STATUS_CONFIG, "issuer: the URL is too long");
		else
			status = fetch(discovery, url.data, &metadata, failure);
	}
	if (!status && !metadata)
		status = STATUS_REFUSED; /* the last fetch() said why */
	if (!status)
		status = read_metadata(discovery, url.data, metadata, token_url, failure);
	json_free(metadata);
	buffer_release(&url);
	return status;
}
