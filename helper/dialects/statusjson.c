#include "dialects/statusjson.h"

#include "core/profile.h"
#include "core/storeurl.h"
#include "dialects/profilestatus.h"
#include "json.h"

enum { STORE_MAX_BYTES = 1024 };

/* "" is null in JSON, so that a program can ask whether there is a reason. */
static const char *reason_of(const struct failure *failure)
{
	return failure->reason[0] != '\0' ? failure->reason : NULL;
}

static enum status add_origins(struct buffer *out, const struct profile_list *origins)
{
	enum status status = buffer_append_text(out, ",\"origins\":[");

	for (size_t i = 0; i < origins->count && !status; i++)
		status = json_printf(out, i > 0 ? ",%s" : "%s", origins->items[i]);
	return status ? status : buffer_append_text(out, "]");
}

static enum status add_token(struct buffer *out, const struct profilestatus *account)
{
	char time[JSON_TIME_BYTES];
	enum status status;

	/* never the token itself: this output ends up in bug reports */
	if (!account->token.value)
		return buffer_append_text(out, ",\"token\":null");
	status = json_printf(out,
		",\"token\":{\"seconds_left\":%lld,\"usable_until\":%s,\"scope\":%s",
		account->left_s, json_time(token_usable_until(&account->token), time),
		account->token.scope);
	return status ? status
		      : buffer_printf(out, ",\"scope_narrower\":%s}",
				account->scope_narrower ? "true" : "false");
}

/* An object, or null for a client that has only a secret. */
static enum status add_identity(struct buffer *out, const struct attributes *identity)
{
	const char *subject = attributes_get(identity, "subject");
	const char *issuer = attributes_get(identity, "issuer");
	long long expires = attributes_number(identity, "expires");
	char time[JSON_TIME_BYTES];

	if (!subject && !issuer && expires == 0)
		return buffer_append_text(out, ",\"identity\":null");
	return json_printf(out, ",\"identity\":{\"expires\":%s,\"subject\":%s,\"issuer\":%s}",
		expires > 0 ? json_time((time_t)expires, time) : NULL, subject, issuer);
}

static enum status write_account(const struct profilestatus *account, struct call *call)
{
	const struct profile *profile = account->profile;
	struct buffer store = BUFFER_INIT(STORE_MAX_BYTES);
	struct buffer *out = call->reply;
	enum status status = json_printf(out,
		out->length > 0 ? ",{\"name\":%s" : "{\"profiles\":[{\"name\":%s", profile->name);

	if (!status && profile->shared_store)
		status = storeurl_show(profile->shared_store, &store); /* without its password */
	if (!status)
		status = add_origins(out, &profile->origin);
	if (!status)
		status = json_printf(out,
			",\"token_url\":%s,\"issuer\":%s,\"shared_store\":%s,\"client_id\":%s,"
			"\"secret_source\":%s,\"secret_refused\":%s",
			profile->token_url, profile->issuer, store.data, account->client_id,
			account->source, reason_of(&account->secret_refused));
	if (!status)
		status = add_identity(out, &account->identity);
	if (!status)
		status = add_token(out, account);
	if (!status)
		status = json_printf(out, ",\"cache_refused\":%s,\"refusal\":%s}",
			reason_of(&account->cache_refused), reason_of(&account->refusal));
	buffer_release(&store);
	return status;
}

enum status statusjson_show(struct call *call, struct failure *failure)
{
	enum status status = profilestatus_each(call, write_account, failure);
	/* valid JSON also if there is no profile */
	const char *end = call->reply->length > 0 ? "]}\n" : "{\"profiles\":[]}\n";

	if (!status && buffer_append_text(call->reply, end))
		status = status_no_memory(failure);
	return status;
}
