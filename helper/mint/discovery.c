#include "mint/discovery.h"

#include <stdbool.h>
#include <string.h>

#include "core/origin.h"
#include "json.h"
#include "mint/quote.h"
#include "mint/transfer.h"

enum { METADATA_MAX_BYTES = 1 << 20, URL_MAX_BYTES = 4096, HTTP_OK = 200, QUOTED_MAX_BYTES = 80 };

#define WELL_KNOWN_OAUTH  "/.well-known/oauth-authorization-server"
#define WELL_KNOWN_OPENID "/.well-known/openid-configuration"

typedef enum status place_writer(const char *issuer, struct buffer *url);

/* Without a slash at the end, as a path follows. */
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

/*
 * Compare every byte (RFC 8414, 3.3). Otherwise one issuer could publish another's name, and get
 * the secrets of its clients.
 */
static bool is_of_issuer(const struct json *metadata, const char *expected)
{
	const char *issuer = json_text(json_member(metadata, "issuer"));

	return issuer && strcmp(issuer, expected) == 0;
}

static enum status refuse_metadata(
	const struct transfer *transfer, const struct json *metadata, struct failure *failure)
{
	const char *issuer = json_text(json_member(metadata, "issuer"));

	if (metadata)
		return status_fail(failure, STATUS_REFUSED,
			TRANSFER_URL ": the metadata are those of issuer '%s'; correct issuer",
			transfer->url, quote_text(issuer, QUOTED_MAX_BYTES, NULL).text);
	return status_fail(failure, STATUS_OK,
		TRANSFER_URL ": HTTP status %ld, and no metadata; correct issuer, or set token_url",
		transfer->url, transfer->http_status);
}

/*
 * Get the issuer's metadata. NULL with STATUS_OK: there are none at that place. NULL with
 * STATUS_REFUSED: they are another issuer's.
 */
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
	if (!status && !is_of_issuer(*metadata, discovery->issuer)) {
		status = refuse_metadata(&transfer, *metadata, failure);
		json_free(*metadata);
		*metadata = NULL;
	}
	buffer_release(&reply);
	return status;
}

/* The secret goes to this URL, which came over the network: it must be https, or loopback. */
static bool is_endpoint(const char *url)
{
	struct origin origin;

	for (const char *p = url; *p != '\0'; p++) {
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '#')
			return false;
	}
	return origin_from_url(&origin, url) && origin_may_carry(&origin);
}

/* RFC 8705, 5: where clients show a certificate, the server may listen elsewhere. */
static const char *find_endpoint(const struct discovery *discovery, const struct json *metadata)
{
	const struct json *aliases = json_member(metadata, "mtls_endpoint_aliases");
	const char *alias = json_text(json_member(aliases, "token_endpoint"));

	return discovery->mutual_tls && alias ? alias
					      : json_text(json_member(metadata, "token_endpoint"));
}

static enum status read_metadata(const struct discovery *discovery, const char *url,
	const struct json *metadata, struct buffer *token_url, struct failure *failure)
{
	const char *endpoint = find_endpoint(discovery, metadata);

	if (!endpoint)
		return status_fail(failure, STATUS_REFUSED,
			TRANSFER_URL ": the metadata name no token_endpoint; set token_url", url);
	if (!is_endpoint(endpoint))
		return status_fail(failure, STATUS_REFUSED,
			TRANSFER_URL ": token_endpoint '%s' is not an https URL; set token_url",
			url, quote_text(endpoint, QUOTED_MAX_BYTES, NULL).text);
	if (buffer_append_text(token_url, endpoint))
		return status_fail(failure, STATUS_REFUSED,
			TRANSFER_URL ": token_endpoint is too long; set token_url", url);
	return STATUS_OK;
}

/* Try one place after the other. Metadata of another issuer make a better reason than none. */
static enum status find_metadata(const struct discovery *discovery, struct buffer *url,
	struct json **metadata, struct failure *failure)
{
	place_writer *const places[] = {write_oauth_url, write_openid_url};
	enum status verdict = STATUS_OK;

	*metadata = NULL;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !*metadata; i++) {
		struct failure reason;
		enum status status;

		buffer_clear(url);
		if (places[i](discovery->issuer, url))
			return status_fail(failure, STATUS_CONFIG, "issuer: the URL is too long");
		status = fetch(discovery, url->data, metadata, &reason);
		if (status || !verdict) {
			verdict = status;
			*failure = reason;
		}
		if (status && status != STATUS_REFUSED)
			return status;
	}
	return *metadata ? STATUS_OK : STATUS_REFUSED;
}

enum status discovery_find(
	const struct discovery *discovery, struct buffer *token_url, struct failure *failure)
{
	struct buffer url = BUFFER_INIT(URL_MAX_BYTES);
	struct json *metadata;
	enum status status = find_metadata(discovery, &url, &metadata, failure);

	if (!status)
		status = read_metadata(discovery, url.data, metadata, token_url, failure);
	json_free(metadata);
	buffer_release(&url);
	return status;
}
