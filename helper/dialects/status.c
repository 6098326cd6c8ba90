#include "dialects/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/directory.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/storeurl.h"
#include "dialects/explain.h"
#include "dialects/profilestatus.h"
#include "process.h"
#include "supply/fleetclient.h"
#include "supply/secret.h"
#include "supply/supply.h"

/* ---- where things are, and whether they can be used ---- */

/* A missing config is no mistake, as profile sypht is built in. */
static enum status write_config_place(const struct call *call)
{
	char *path = settings_config_path(call->settings);
	enum status status;

	if (!path)
		status = buffer_append_text(
			call->reply, "config    no place for one: HOME is not set\n");
	else
		status = buffer_printf(call->reply, "config    %s%s\n", path,
			access(path, F_OK) == 0
				? ""
				: ": does not exist, so the built-in profile is used");
	buffer_free_text(path);
	return status;
}

/* Whether a missing directory could be made: the nearest parent that exists decides. */
static bool can_be_made(char *path)
{
	char *slash = strrchr(path, '/');

	while (slash && slash > path) {
		*slash = '\0';
		if (access(path, F_OK) == 0)
			return access(path, W_OK | X_OK) == 0;
		slash = strrchr(path, '/');
	}
	return access("/", W_OK) == 0;
}

/* Open it as a request for a token would, so that the same reason is found. */
static enum status write_cache_place(const struct call *call)
{
	struct buffer *reply = call->reply;
	char *path = settings_cache_path(call->settings);
	struct failure reason = {.reason = ""};
	const char *remark = "";
	int directory = -1;
	enum status found;
	enum status status;

	if (!path)
		return buffer_append_text(reply,
			"cache     none: HOME is not set, so each call asks for a token; set "
			"SYPHT_CACHE_DIR\n");
	status = buffer_printf(reply, "cache     %s", path);
	found = directory_open(&directory, path, false, "cache", &reason);
	/* say what follows from it: without a cache each call costs a request, but none fails */
	if (found == STATUS_SYSTEM && errno == ENOENT)
		remark = can_be_made(path) ? "not made yet"
					   : "cannot be made, so each call asks for a token; set "
					     "SYPHT_CACHE_DIR";
	else if (found)
		remark = reason.reason;
	else if (faccessat(directory, ".", W_OK, 0) != 0)
		remark = "cannot be written, so each call asks for a token";
	if (directory >= 0)
		close(directory);
	if (!status)
		status = buffer_printf(reply, "%s%s\n", *remark != '\0' ? ": " : "", remark);
	buffer_free_text(path);
	return status;
}

/* ---- a profile ---- */

/* Seconds, not a time: clocks of machines differ, and so do time zones. */
static enum status write_token(const struct profilestatus *account, struct buffer *reply)
{
	const struct token *token = &account->token;
	enum status status;

	if (account->cache_refused.reason[0] != '\0')
		status = buffer_printf(
			reply, "  token     refused: %s\n", account->cache_refused.reason);
	else if (!token->value)
		status = buffer_printf(reply, "  token     none cached\n");
	else
		status =
			buffer_printf(reply, "  token     %lld seconds left%s%s\n", account->left_s,
				token->scope ? ", scope " : "", token->scope ? token->scope : "");
	if (!status && account->scope_narrower)
		status = buffer_printf(
			reply, "  warning   asked for scope %s\n", account->profile->scope);
	if (!status && account->refusal.reason[0] != '\0')
		status = buffer_printf(reply, "  refusal   %s\n", account->refusal.reason);
	return status;
}

/* The identity of a client that proves itself by an assertion or a certificate. */
static enum status write_identity(const struct profilestatus *account, const struct call *call)
{
	const char *subject = attributes_get(&account->identity, "subject");
	const char *issuer = attributes_get(&account->identity, "issuer");
	long long expires = attributes_number(&account->identity, "expires");
	long long warn_from = attributes_number(&account->identity, "warn_from");
	struct buffer *reply = call->reply;
	long long now = (long long)call->clock();
	long long left_s = expires - now;
	enum status status;

	if (!subject && !issuer && expires == 0)
		return STATUS_OK;
	status = buffer_printf(reply, "  identity  %s%s%s", subject ? subject : "no subject",
		issuer ? ", from " : "", issuer ? issuer : "");
	if (!status && expires > 0)
		status = buffer_printf(
			reply, left_s > 0 ? ", expires in %lld s" : ", expired", left_s);
	if (!status)
		status = buffer_append_text(reply, "\n");
	if (!status && warn_from > 0 && left_s > 0 && now >= warn_from)
		status = buffer_printf(reply,
			"  warning   the certificate expires in %lld days; replace it\n",
			left_s / 86400);
	return status;
}

/* Ask for a token and drop it: the cache must not change because somebody looks at it. */
static enum status write_online(const struct profilestatus *account, struct call *call)
{
	const struct supply supply = call_parameters(call, account->profile);
	long long start = process_milliseconds();
	/* without a secret there is nothing to ask with, and that is the reason to show */
	struct failure reason = account->secret_refused;
	struct token token = TOKEN_INIT;
	enum status status = account->secret_status;

	if (!status)
		status = supply_prove(&supply, &account->secret, &token, &reason);
	token_release(&token);
	if (status) {
		call->exit_code = status_exit_code(status);
		return buffer_printf(call->reply, "  online    %s\n", reason.reason);
	}
	return buffer_printf(call->reply, "  online    the endpoint gave a token, after %lld ms\n",
		process_milliseconds() - start);
}

/* A store that does not work is shown, but is no failure: tokens are minted without it. */
static enum status write_store(const struct profilestatus *account, struct call *call)
{
	const struct profile *profile = account->profile;
	const struct supply supply = call_parameters(call, account->profile);
	struct buffer *reply = call->reply;
	struct failure reason = {.reason = ""};
	enum status status;
	long took_ms;

	if (!profile->shared_store)
		return STATUS_OK;
	/* storeurl_show(), as the URL may hold a password */
	status = buffer_append_text(reply, "  store     ");
	if (!status)
		status = storeurl_show(profile->shared_store, reply);
	if (status)
		return status;
	if (!call->online)
		return buffer_append_text(reply, "\n");
	if (fleetclient_ping(&supply, &account->secret, &took_ms, &reason))
		return buffer_printf(reply, ": %s\n", reason.reason);
	return buffer_printf(reply, ": answers after %ld ms\n", took_ms);
}

/* What comes from the config is first, then what was found out. */
static enum status write_account(const struct profilestatus *account, struct call *call)
{
	const struct profile *profile = account->profile;
	const char *flaw = account->secret_refused.reason;
	struct buffer *reply = call->reply;
	enum status status = buffer_printf(reply, "profile %s\n", profile->name);

	for (size_t i = 0; i < profile->origin.count && !status; i++)
		status = buffer_printf(reply, "  origin    %s\n", profile->origin.items[i]);
	if (!status)
		status = buffer_printf(reply, "  endpoint  %s\n", profile_endpoint(profile));
	if (!status)
		status = write_store(account, call);
	if (!status)
		status = buffer_printf(reply, "  client    %s\n  secret    %s\n",
			account->client_id ? account->client_id : "set by the source of the secret",
			account->source ? account->source : "none is stored or configured");
	if (!status)
		status = write_identity(account, call);
	/* with --online the same reason follows in the line "online" */
	if (!status && *flaw != '\0' && !call->online)
		status = buffer_printf(
			reply, "  %s%s\n", account->source ? "error     " : "warning   ", flaw);
	/* --online comes last: the lines before it still show what the cache held */
	if (!status)
		status = write_token(account, reply);
	return !status && call->online ? write_online(account, call) : status;
}

/* A profile that cannot be used sets the exit code, but the others are shown as well. */
enum status status_show(struct call *call, struct failure *failure)
{
	struct origin origin;
	enum status status = STATUS_OK;

	if (call->url)
		status = call_read_url(call, &origin, failure);
	if (status)
		return status;
	if (write_config_place(call) || write_cache_place(call) ||
		settings_warn(call->settings, "warning   ", call->reply))
		return status_no_memory(failure);
	/* sets call->profile, so that only this profile is shown below */
	if (call->url) {
		status = explain_write(call, &origin, failure);
		if (!status && !call->profile)
			call->exit_code = 1;
	}
	return status ? status : profilestatus_each(call, write_account, failure);
}
