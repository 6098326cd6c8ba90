#include "inject.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "origin.h"
#include "policy.h"
#include "replay.h"
#include "scope.h"
#include "supplier.h"
#include "trace.h"

/* Of the protocols a redirect may lead to, those that know nothing of bearer tokens. */
enum { SAFE_REDIRECTS = CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FTP | CURLPROTO_FTPS };

/* Option by option, as curl_easy_setopt() wants them. */
static CURLcode set_long(const struct easy *easy, CURLoption option, long value)
{
	return easy->libcurl->own.easy_setopt(easy->handle, option, value);
}

static CURLcode set_text(const struct easy *easy, CURLoption option, const char *value)
{
	return easy->libcurl->own.easy_setopt(easy->handle, option, value);
}

static bool is_traced(void)
{
	const struct settings *settings = scope_settings();

	return settings && settings->trace;
}

__attribute__((format(printf, 2, 3), cold)) static void say(
	const struct realm *realm, const char *format, ...)
{
	struct buffer line = BUFFER_INIT(TRACE_LINE_MAX);
	struct trace trace = TRACE_OFF;
	char text[FAILURE_MAX_BYTES + 64];
	va_list arguments;

	if (!is_traced())
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	trace_open(&trace, "sypht-preload", scope_settings());
	if (realm && origin_write(&realm->origin, &line) == STATUS_OK)
		trace_say(&trace, "request to %s: %s", buffer_text(&line), text);
	else
		trace_say(&trace, "request: %s", text);
	trace_close(&trace);
	buffer_release(&line);
}

/* The safe ones among names, and whether there are others. */
static long safe_among(const char *names, bool *others)
{
	static const struct {
		const char *name;
		long bits;
	} safe[] = {
		{"http", CURLPROTO_HTTP},
		{"https", CURLPROTO_HTTPS},
		{"ftp", CURLPROTO_FTP},
		{"ftps", CURLPROTO_FTPS},
		{"all", SAFE_REDIRECTS},
	};
	long found = 0;

	*others = false;
	for (const char *end; *names; names = *end ? end + 1 : end) {
		long bits = 0;

		end = names + strcspn(names, ",");
		for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
			if (strlen(safe[i].name) == (size_t)(end - names) &&
				strncasecmp(names, safe[i].name, (size_t)(end - names)) == 0)
				bits = safe[i].bits;
		found |= bits;
		*others |= bits == 0 || bits == SAFE_REDIRECTS;
	}
	return found;
}

/*
 * CVE-2025-14524: until 8.18 a bearer could follow a redirect to another protocol that knows bearer
 * tokens, where the application allows such redirects. It is not allowed them for this once.
 */
static void narrow_redirects(struct easy *easy)
{
	long allowed = easy->redir_protocols & SAFE_REDIRECTS;
	bool others = easy->redir_protocols & ~SAFE_REDIRECTS;

	if (easy->redir_protocols_text.set)
		allowed = safe_among(easy->redir_protocols_text.bytes, &others);
	else if (!(easy->facts & FACT_REDIR_PROTOCOLS))
		return;
	if (!others)
		return;
	easy->redirects_restricted = true;
	set_long(easy, CURLOPT_REDIR_PROTOCOLS, allowed);
}

static void restore_protocols(struct easy *easy, CURLoption number_option, long number,
	CURLoption text_option, const struct text *text)
{
	if (text->set)
		set_text(easy, text_option, text->bytes);
	else
		set_long(easy, number_option, number);
}

/*
 * UNRESTRICTED_AUTH sends a bearer wherever a redirect leads. So does, until 8.19, an entry that
 * .netrc has for the host a redirect leads to (CVE-2026-3783).
 */
static bool put_token(struct easy *easy, const char *token)
{
	if (set_text(easy, CURLOPT_XOAUTH2_BEARER, token))
		return false;
	easy->carried = CARRIED_TOKEN;
	if (easy->unrestricted_auth)
		set_long(easy, CURLOPT_UNRESTRICTED_AUTH, 0);
	if (easy->netrc)
		set_long(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	narrow_redirects(easy);
	replay_watch(easy);
	if (!easy->bearer_only)
		easy->bearer_only =
			set_long(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK;
	return easy->bearer_only;
}

/* Without a bearer it says nothing, so it may wait for the first transfer that has none. */
static void restore_auth(struct easy *easy)
{
	if (easy->bearer_only)
		set_long(easy, CURLOPT_HTTPAUTH, (long)easy->http_auth);
	easy->bearer_only = false;
}

static void take_token(struct easy *easy)
{
	set_text(easy, CURLOPT_XOAUTH2_BEARER, NULL);
	if (easy->unrestricted_auth)
		set_long(easy, CURLOPT_UNRESTRICTED_AUTH, easy->unrestricted_auth);
	if (easy->netrc)
		set_long(easy, CURLOPT_NETRC, easy->netrc);
	if (easy->redirects_restricted)
		restore_protocols(easy, CURLOPT_REDIR_PROTOCOLS, easy->redir_protocols,
			CURLOPT_REDIR_PROTOCOLS_STR, &easy->redir_protocols_text);
	easy->redirects_restricted = false;
}

static void put_doom(struct easy *easy, const char *reason)
{
	set_long(easy, CURLOPT_PROTOCOLS, 0);
	easy->carried = CARRIED_DOOM;
	easy->doom = buffer_duplicate(reason);
}

static void take_doom(struct easy *easy)
{
	/* libcurl's default: all bits */
	restore_protocols(easy, CURLOPT_PROTOCOLS,
		easy->facts & FACT_PROTOCOLS ? easy->protocols : -1L, CURLOPT_PROTOCOLS_STR,
		&easy->protocols_text);
	free(easy->doom);
	easy->doom = NULL;
}

void inject_undo(struct easy *easy)
{
	int error = errno;

	if (easy->carried == CARRIED_TOKEN)
		take_token(easy);
	else if (easy->carried == CARRIED_DOOM)
		take_doom(easy);
	easy->carried = CARRIED_NOTHING;
	replay_stop(easy);
	if (easy->watched)
		multi_unwatch(easy);
	errno = error;
}

static void doom(struct easy *easy, const struct realm *realm, const struct failure *failure)
{
	if (scope_passes_on_failure()) {
		say(realm, "sent without a token: %s", failure->reason);
		return;
	}
	easy->realm = realm;
	put_doom(easy, *failure->reason ? failure->reason : "memory was short");
	say(realm, "not sent: %s", failure->reason);
}

static void put_leased(struct easy *easy, const struct realm *realm, const struct lease *lease)
{
	static const struct failure failure = {"libcurl does not take the token"};

	easy->realm = realm;
	memcpy(easy->fingerprint, lease->fingerprint, sizeof(easy->fingerprint));
	if (easy->multi)
		multi_watch(easy, policy_may_change(easy, realm));
	if (put_token(easy, lease->token)) {
		if (is_traced())
			say(realm, "carries token %s of profile %s", lease->fingerprint,
				supplier_profile(realm->supplier));
		return;
	}
	inject_undo(easy);
	doom(easy, realm, &failure);
}

static void supply(struct easy *easy, const struct realm *realm)
{
	struct failure failure;
	struct lease lease;

	failure.reason[0] = '\0';
	if (!realm->supplier) {
		doom(easy, realm, realm->broken);
	} else if (supplier_lease(realm->supplier, &realm->origin, &lease, &failure)) {
		doom(easy, realm, &failure);
	} else {
		put_leased(easy, realm, &lease);
		supplier_return(&lease);
	}
}

void inject(struct easy *easy)
{
	int error = errno;
	struct verdict verdict = policy_judge(easy);

	inject_undo(easy);
	easy->replay.reported = 0;
	if (verdict.realm && !verdict.reason)
		supply(easy, verdict.realm);
	else if (is_traced())
		say(verdict.realm, "left alone: %s",
			verdict.reason ? verdict.reason : "not in scope");
	if (easy->carried != CARRIED_TOKEN)
		restore_auth(easy);
	errno = error;
}

/* The token was refused: put another in its place. */
static bool renew(struct easy *easy)
{
	const struct realm *realm = easy->realm;
	struct failure failure = {""};
	struct lease lease;
	bool renewed;

	if (supplier_replace(
		    realm->supplier, &realm->origin, easy->fingerprint, &lease, &failure)) {
		say(realm, "401 on token %s stands: %s", easy->fingerprint, failure.reason);
		return false;
	}
	renewed = set_text(easy, CURLOPT_XOAUTH2_BEARER, lease.token) == CURLE_OK;
	if (renewed && is_traced())
		say(realm, "401 on token %s, sent again with %s", easy->fingerprint,
			lease.fingerprint);
	memcpy(easy->fingerprint, lease.fingerprint, sizeof(easy->fingerprint));
	supplier_return(&lease);
	return renewed;
}

/* A CURLU or the environment may have changed since the token was put on. */
static bool may_stay(const struct easy *easy)
{
	struct verdict verdict = policy_judge(easy);

	return verdict.realm == easy->realm && !verdict.reason;
}

bool inject_again(struct easy *easy, CURLcode result)
{
	int error = errno;
	bool again = easy->carried == CARRIED_TOKEN && replay_due(easy, result) && may_stay(easy) &&
		     renew(easy);

	if (again)
		replay_begin(easy, result);
	errno = error;
	return again;
}

/*
 * What became of the token. A refusal that had to be delivered costs this request, but not the
 * next.
 */
static void note_outcome(const struct easy *easy)
{
	struct supplier *supplier = easy->realm->supplier;
	long response = 0;

	if (easy->replay.refused && easy->replay.phase != REPLAY_SECOND) {
		if (is_traced())
			say(easy->realm, "401 on token %s delivered", easy->fingerprint);
		supplier_drop(supplier, &easy->realm->origin, easy->fingerprint);
	} else if (supplier_on_probation(supplier)) {
		easy->libcurl->own.easy_getinfo(easy->handle, CURLINFO_RESPONSE_CODE, &response);
		if (response && response != HTTP_UNAUTHORIZED)
			supplier_approve(supplier);
	}
}

CURLcode inject_settle(struct easy *easy, CURLcode result)
{
	int error = errno;

	if (easy->carried == CARRIED_TOKEN) {
		note_outcome(easy);
		result = replay_finish(easy, result);
	}
	if (easy->carried == CARRIED_DOOM && result == CURLE_UNSUPPORTED_PROTOCOL) {
		result = CURLE_LOGIN_DENIED;
		if (easy->error_buffer)
			snprintf(easy->error_buffer, CURL_ERROR_SIZE, "sypht: %s",
				easy->doom ? easy->doom : "memory was short");
	}
	inject_undo(easy);
	errno = error;
	return result;
}

void inject_recheck(struct multi *multi)
{
	struct easy *easy, *next;

	for (easy = multi->watched; easy; easy = next) {
		next = easy->watched_next;
		if (!may_stay(easy))
			inject_undo(easy);
	}
}

/* In curl_easy_perform(), or in a multi handle that was made to work since it was added. */
static bool has_started(const struct easy *easy)
{
	const struct multi *multi = multi_of(easy);

	return easy->performing || !multi || multi->drives != easy->multi_drives;
}

CURLcode inject_change(struct easy *easy, CURLcode (*setopt)(CURL *, CURLoption, ...),
	CURLoption option, union setting setting)
{
	bool again = !has_started(easy);
	CURLcode code;

	inject_undo(easy);
	code = setting_pass(setopt, easy->handle, option, setting);
	if (code == CURLE_OK)
		options_observe(easy, option, setting);
	if (again)
		inject(easy);
	return code;
}

void inject_clean_copy(CURL *handle, const struct easy *original)
{
	struct easy carrier = *original;
	struct easy *copy;

	carrier.handle = handle;
	carrier.doom = NULL;
	carrier.multi = NULL;
	carrier.watched = false;
	carrier.replay.held = (struct held)HELD_INIT;
	inject_undo(&carrier);
	restore_auth(&carrier);
	copy = easy_duplicate(handle, original);
	if (copy)
		replay_adopt(copy);
	else
		replay_step_aside(&carrier);
}
