#include "dialects/credentials.h"

#include <string.h>

#include "core/buffer.h"
#include "core/profile.h"
#include "core/profiles.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/trace.h"
#include "supply/credentialfile.h"
#include "supply/external.h"
#include "supply/secret.h"

static long timeout_ms(const struct call *call)
{
	return settings_timeout_s(call->settings) * 1000;
}

/* ---- one profile ---- */

/*
 * Report that the token could not be dropped everywhere, although the change that the caller asked
 * for was made.
 */
static enum status fail_in_part(const struct profile *profile, const char *done, enum status status,
	const struct failure *reason, struct failure *failure)
{
	return status_fail(failure, status, "profile %.40s: %s, but %.160s", profile->name, done,
		reason->reason);
}

static enum status keep_secret(struct call *call, const struct profile *profile,
	const struct secret *secret, struct failure *failure)
{
	if (profile->client_secret_helper)
		return external_store(profile, secret, timeout_ms(call), failure);
	return credentialfile_put(call->settings, profile, secret, failure);
}

/*
 * Drop the tokens before the secret is replaced: the fleet's copy can only be found with the old
 * secret. If that fails, keep the new secret all the same, and report it.
 */
enum status credentials_keep(struct call *call, const struct profile *profile,
	const struct secret *secret, struct failure *failure)
{
	struct failure reason;
	enum status erased = call_erase(call, profile, NULL, &reason);
	enum status status = keep_secret(call, profile, secret, failure);

	if (status || !erased)
		return status;
	return fail_in_part(profile, "client credentials kept", erased, &reason, failure);
}

void credentials_keep_token(const struct call *call, const struct profile *profile)
{
	enum source_kind kind = source_choose(call->settings, profile).kind;
	struct failure failure;

	if (kind != SOURCE_LOGIN && kind != SOURCE_HELPER)
		return;
	if (call_keep(call, profile, &failure))
		trace_say(call->trace, "the token is not cached: %s", failure.reason);
}

static enum status drop_secret(
	struct call *call, const struct profile *profile, bool *was_kept, struct failure *failure)
{
	enum status status = credentialfile_erase(call->settings, profile, was_kept, failure);

	if (!status && profile->client_secret_helper) {
		status = external_erase(
			profile, profile->client_id, NULL, timeout_ms(call), failure);
		*was_kept = *was_kept || !status;
	}
	return status;
}

/* The tokens first, as above. The user wants the secret gone even if that fails. */
enum status credentials_drop(
	struct call *call, const struct profile *profile, bool *was_kept, struct failure *failure)
{
	struct failure reason;
	enum status erased = call_erase(call, profile, NULL, &reason);
	enum status status = drop_secret(call, profile, was_kept, failure);

	if (status || !erased)
		return status;
	return fail_in_part(profile,
		*was_kept ? "client credentials dropped" : "no client credentials were kept",
		erased, &reason, failure);
}

/* ---- all profiles of an origin ---- */

struct walk;
typedef enum status profile_changer(struct walk *walk, const struct profile *profile);

struct walk {
	struct call *call;
	struct credentials_change *change;
	profile_changer *at_origin;
	profile_changer *at_endpoint;
	struct failure *failure;
	enum status status;
	bool stored;   /* by some profile at least */
	bool declined; /* by some profile; failure says why */
};

static bool is_endpoint_of(const struct profile *profile, const struct origin *origin)
{
	const char *url = profile_endpoint(profile);
	struct origin endpoint;

	return origin_from_url(&endpoint, url) && origin_equal(&endpoint, origin);
}

static bool change_profile(struct profile *profile, void *context)
{
	struct walk *walk = context;
	struct credentials_change *change = walk->change;
	bool covered = profile_covers(profile, &change->origin);
	bool endpoint = !covered && is_endpoint_of(profile, &change->origin);

	change->matched = change->matched || covered || endpoint;
	if (covered)
		walk->status = walk->at_origin(walk, profile);
	if (endpoint)
		walk->status = walk->at_endpoint(walk, profile);
	profile_free(profile);
	return walk->status == STATUS_OK;
}

static enum status walk_all(struct call *call, struct credentials_change *change,
	profile_changer *at_origin, profile_changer *at_endpoint, struct failure *failure)
{
	struct walk walk = {
		.call = call,
		.change = change,
		.at_origin = at_origin,
		.at_endpoint = at_endpoint,
		.failure = failure,
	};
	struct failure unusable = {.reason = ""};
	enum status status =
		profiles_each(call->settings, call->profile_name, change_profile, &walk, &unusable);

	/* profiles before an error in the config were visited; the error is the better reason */
	if (status)
		*failure = unusable;
	if (!status && walk.declined && !walk.stored)
		return STATUS_NO_SECRET;
	return status ? status : walk.status;
}

/*
 * Whether client credentials in use would be replaced. Only then must the endpoint accept the new
 * ones first: a wrong secret must not replace one that works. If a file or a command is the source,
 * stored credentials are not in use.
 */
static bool replaces_kept(const struct walk *walk, const struct profile *profile)
{
	enum source_kind kind = source_choose(walk->call->settings, profile).kind;
	struct secret kept = SECRET_INIT;
	bool found = false;

	if (kind == SOURCE_HELPER)
		found = external_get(profile, timeout_ms(walk->call), &kept, NULL) == STATUS_OK;
	else if (profile->auth_method <= AUTHMETHOD_POST && kind != SOURCE_FILE &&
		 kind != SOURCE_COMMAND)
		found = credentialfile_get(walk->call->settings, profile, &kept, NULL) ==
				STATUS_OK &&
			kept.client_secret;
	secret_release(&kept);
	return found;
}

static enum status prove_and_keep(
	struct walk *walk, const struct profile *profile, const struct secret *secret)
{
	struct call *call = walk->call;
	bool proven = replaces_kept(walk, profile);
	enum status status = proven ? call_prove(call, profile, secret, walk->failure) : STATUS_OK;

	if (!status)
		status = credentials_keep(call, profile, secret, walk->failure);
	if (!status && proven)
		credentials_keep_token(call, profile);
	token_release(&call->token);
	return status;
}

/* Several clients may share an endpoint. A profile that names one accepts no other's secret. */
static enum status store_at_endpoint(struct walk *walk, const struct profile *profile)
{
	const struct credentials_change *change = walk->change;
	struct secret secret = SECRET_INIT;
	enum status status;

	if (!change->username || *change->username == '\0' || !change->password ||
		*change->password == '\0')
		return STATUS_OK;
	if (profile->client_id && strcmp(profile->client_id, change->username) != 0) {
		walk->declined = true;
		status_fail(walk->failure, STATUS_NO_SECRET,
			"nothing stored: profile '%s' is for client %.40s", profile->name,
			profile->client_id);
		return STATUS_OK;
	}
	status = secret_set(&secret, change->username, change->password, walk->failure);
	if (!status)
		status = prove_and_keep(walk, profile, &secret);
	walk->stored = walk->stored || !status;
	secret_release(&secret);
	return status;
}

static enum status approve_at_origin(struct walk *walk, const struct profile *profile)
{
	if (walk->change->token)
		call_approve(walk->call, profile, walk->change->token);
	return STATUS_OK;
}

enum status credentials_store(
	struct call *call, struct credentials_change *change, struct failure *failure)
{
	return walk_all(call, change, approve_at_origin, store_at_endpoint, failure);
}

/*
 * git erases with the password that was rejected. Drop only that token: another process may have
 * replaced it with a good one meanwhile.
 */
static enum status erase_at_origin(struct walk *walk, const struct profile *profile)
{
	if (!call_accepts_user(profile, walk->change->username))
		return STATUS_OK;
	return call_erase(walk->call, profile, walk->change->password, walk->failure);
}

/* As in git's own helpers: a given field must equal the stored one, a missing one matches any. */
static bool is_kept(const struct walk *walk, const struct profile *profile)
{
	const struct credentials_change *change = walk->change;
	struct secret secret = SECRET_INIT;
	bool matches = false;

	if (credentialfile_get(walk->call->settings, profile, &secret, NULL) == STATUS_OK &&
		secret.client_secret)
		matches =
			(!change->username || strcmp(change->username, secret.client_id) == 0) &&
			(!change->password || strcmp(change->password, secret.client_secret) == 0);
	secret_release(&secret);
	return matches;
}

static enum status erase_at_endpoint(struct walk *walk, const struct profile *profile)
{
	const struct credentials_change *change = walk->change;
	bool kept = is_kept(walk, profile);
	struct failure reason;
	enum status erased = STATUS_OK;
	enum status status = STATUS_OK;

	if (kept || profile->client_secret_helper)
		erased = call_erase(walk->call, profile, NULL, &reason);
	if (kept)
		status = credentialfile_erase(walk->call->settings, profile, &kept, walk->failure);
	if (!status && profile->client_secret_helper)
		status = external_erase(profile, change->username, change->password,
			timeout_ms(walk->call), walk->failure);
	if (status || !erased)
		return status;
	return fail_in_part(profile, "client credentials dropped", erased, &reason, walk->failure);
}

enum status credentials_erase(
	struct call *call, struct credentials_change *change, struct failure *failure)
{
	return walk_all(call, change, erase_at_origin, erase_at_endpoint, failure);
}
