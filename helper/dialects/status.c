#include "status.h"

#include "../buffer.h"
#include "../cache.h"
#include "../profile.h"
#include "../secret.h"
#include "../settings.h"

struct listing {
	struct call *call;
	enum status status;
};

static enum status write_token(const struct call *call, const struct profile *profile)
{
	struct buffer *reply = call->reply;
	char *path = settings_cache_path(call->settings);
	time_t now = call->clock();
	struct timespec changed = secret_changed(call->settings, profile);
	struct cache cache = CACHE_INIT;
	struct token token = TOKEN_INIT;
	struct failure failure = {""};
	enum status status;

	if (cache_open(&cache, path, profile, false, &failure) == STATUS_UNSAFE)
		status = buffer_printf(reply, "  token     refused: %s\n", failure.reason);
	else if (!cache_get(&cache, now, &token) || !token_usable(&token, now))
		status = buffer_printf(reply, "  token     none cached\n");
	else
		status = buffer_printf(reply, "  token     %lld seconds left%s%s\n",
			(long long)(token_usable_until(&token) - now),
			token.scope ? ", scope " : "", token.scope ? token.scope : "");
	if (!status && cache_get_failure(&cache, now, &changed, &failure))
		status = buffer_printf(reply, "  refusal   %s\n", failure.reason);
	token_release(&token);
	cache_close(&cache);
	buffer_free_text(path);
	return status;
}

static enum status write_profile(const struct call *call, const struct profile *profile)
{
	struct buffer *reply = call->reply;
	enum status status = buffer_printf(reply, "profile %s\n", profile->name);

	for (size_t i = 0; i < profile->origin.count && !status; i++)
		status = buffer_printf(reply, "  origin    %s\n", profile->origin.items[i]);
	if (!status)
		status = buffer_printf(reply, "  endpoint  %s\n",
			profile->token_url ? profile->token_url : profile->issuer);
	if (!status)
		status = buffer_printf(reply, "  client    %s\n",
			profile->client_id ? profile->client_id : "as the secret's source says");
	if (!status)
		status = buffer_printf(
			reply, "  secret    %s\n", secret_source(call->settings, profile));
	return status ? status : write_token(call, profile);
}

static bool list(struct profile *profile, void *context)
{
	struct listing *listing = context;

	listing->status = write_profile(listing->call, profile);
	profile_free(profile);
	return listing->status == STATUS_OK;
}

enum status status_show(struct call *call, struct failure *failure)
{
	struct listing listing = {.call = call};
	enum status status =
		profile_each(call->settings, call->profile_name, list, &listing, failure);

	if (!status && listing.status)
		status = status_fail(failure, listing.status, "out of memory");
	return status;
}
