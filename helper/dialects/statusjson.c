#include "dialects/statusjson.h"

#include "core/profile.h"
#include "core/storeurl.h"
#include "dialects/profilestatus.h"
#include "json.h"

/* ,"name":"value" or ,"name":null */
static enum status add_text(struct buffer *out, const char *name, const char *value)
{
	enum status status = buffer_printf(out, ",\"%s\":", name);

	if (status)
		return status;
	return value ? json_write_text(out, value) : buffer_append_text(out, "null");
}

static const char *reason_of(const struct failure *failure)
{
	return failure->reason[0] != '\0' ? failure->reason : NULL;
}

static enum status add_origins(struct buffer *out, const struct profile_list *origins)
{
	enum status status = buffer_append_text(out, ",\"origins\":[");

	for (size_t i = 0; i < origins->count && !status; i++) {
		status = buffer_append_text(out, i > 0 ? "," : "");
		if (!status)
			status = json_write_text(out, origins->items[i]);
	}
	return status ? status : buffer_append_text(out, "]");
}

static enum status add_token(struct buffer *out, const struct profilestatus *account)
{
	enum status status;

	if (!account->token.value)
		return buffer_append_text(out, ",\"token\":null");
	status = buffer_printf(
		out, ",\"token\":{\"seconds_left\":%lld,\"usable_until\":", account->left_s);
	if (!status)
		status = json_write_time(out, token_usable_until(&account->token));
	if (!status)
		status = add_text(out, "scope", account->token.scope);
	if (!status)
		status = buffer_printf(
			out, ",\"scope_narrower\":%s}", account->scope_narrower ? "true" : "false");
	return status;
}

/* Without its password. */
static enum status add_store(struct buffer *out, const char *url)
{
	enum { SHOWN_MAX_BYTES = 1024 };
	struct buffer shown = BUFFER_INIT(SHOWN_MAX_BYTES);
	enum status status = url ? storeurl_show(url, &shown) : STATUS_OK;

	if (!status)
		status = add_text(out, "shared_store", shown.data);
	buffer_release(&shown);
	return status;
}

static enum status write_account(const struct profilestatus *account, struct call *call)
{
	const struct profile *profile = account->profile;
	struct buffer *out = call->reply;
	enum status status = buffer_append_text(
		out, out->length > 0 ? ",{\"name\":" : "{\"profiles\":[{\"name\":");

	if (!status)
		status = json_write_text(out, profile->name);
	if (!status)
		status = add_origins(out, &profile->origin);
	if (!status)
		status = add_text(out, "token_url", profile->token_url);
	if (!status)
		status = add_text(out, "issuer", profile->issuer);
	if (!status)
		status = add_store(out, profile->shared_store);
	if (!status)
		status = add_text(out, "client_id", account->client_id);
	if (!status)
		status = add_text(out, "secret_source", account->source);
	if (!status)
		status = add_text(out, "secret_refused", reason_of(&account->secret_refused));
	if (!status)
		status = add_token(out, account);
	if (!status)
		status = add_text(out, "cache_refused", reason_of(&account->cache_refused));
	if (!status)
		status = add_text(out, "refusal", reason_of(&account->refusal));
	return status ? status : buffer_append_text(out, "}");
}

enum status statusjson_show(struct call *call, struct failure *failure)
{
	enum status status = profilestatus_each(call, write_account, failure);
	const char *end = call->reply->length > 0 ? "]}\n" : "{\"profiles\":[]}\n";

	if (!status && buffer_append_text(call->reply, end))
		status = status_no_memory(failure);
	return status;
}
