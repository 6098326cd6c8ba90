#include "inject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/buffer.h"
#include "notice.h"
#include "policy.h"
#include "replay.h"
#include "scope.h"
#include "supplier.h"

/* Protocols that a redirect may lead to and that send no bearer token. */
enum { SAFE_REDIRECTS = CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FTP | CURLPROTO_FTPS };

/* The safe protocols among names; others: whether there are unsafe ones. */
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
 * CVE-2025-14524: before 8.18 a bearer could follow a redirect to another protocol that sends
 * bearers, such as IMAP, if the application allows that protocol. Do not allow it for this
 * transfer.
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
	easy->load.redirects_restricted = true;
	easy_set(easy, CURLOPT_REDIR_PROTOCOLS, allowed);
}

static void restore_protocols(struct easy *easy, CURLoption number_option, long number,
	CURLoption text_option, const struct text *text)
{
	if (text->set)
		easy_set(easy, text_option, text->bytes);
	else
		easy_set(easy, number_option, number);
}

static bool pin_proxy(struct easy *easy)
{
	char *exempt = policy_exempt(easy, easy->load.realm);

	easy->load.proxy_pinned = exempt && easy_set(easy, CURLOPT_NOPROXY, exempt) == CURLE_OK;
	free(exempt);
	return easy->load.proxy_pinned;
}

/*
 * From 8.0 on, libcurl forgets its URL when a CURLU is set, also the URL of a transfer under way,
 * which it reads again when it retries on a new connection. Give that URL back. A transfer that has
 * yet to start reads the CURLU.
 */
static void set_url_handle(struct easy *easy, CURLU *handle)
{
	const char *before = easy->seat.performing || easy->seat.multi ? easy_url(easy) : NULL;
	char *url = before ? buffer_duplicate(before) : NULL;

	easy_set(easy, CURLOPT_CURLU, handle);
	if (url && !easy_url(easy))
		easy_set(easy, CURLOPT_URL, url);
	free(url);
}

/*
 * CURLOPT_UNRESTRICTED_AUTH sends the bearer wherever a redirect leads. So does, before 8.19, a
 * .netrc entry for the host of the redirect (CVE-2026-3783).
 */
static bool put_token(struct easy *easy, const char *token, bool exposed)
{
	if (easy_set(easy, CURLOPT_XOAUTH2_BEARER, token))
		return false;
	easy->load.carried = CARRIED_TOKEN;
	if (easy->load.pinned_url) {
		set_url_handle(easy, easy->load.pinned_url);
		easy->load.url_pinned = true;
	}
	if (exposed && !(easy->facts & FACT_NO_PROXY) && !pin_proxy(easy))
		return false;
	if (easy->unrestricted_auth)
		easy_set(easy, CURLOPT_UNRESTRICTED_AUTH, 0);
	if (easy->netrc)
		easy_set(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	narrow_redirects(easy);
	replay_watch(easy);
	if (!easy->load.bearer_only)
		easy->load.bearer_only =
			easy_set(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK;
	return easy->load.bearer_only;
}

/*
 * Without a bearer, CURLAUTH_BEARER has no effect. So restore it before the first transfer without
 * a token, which saves two calls on each transfer with one.
 */
static void restore_auth(struct easy *easy)
{
	if (easy->load.bearer_only)
		easy_set(easy, CURLOPT_HTTPAUTH, (long)easy->http_auth);
	easy->load.bearer_only = false;
}

static void take_token(struct easy *easy)
{
	easy_set(easy, CURLOPT_XOAUTH2_BEARER, NULL);
	if (easy->load.proxy_pinned)
		easy_set(easy, CURLOPT_NOPROXY, easy->no_proxy.set ? easy->no_proxy.bytes : NULL);
	if (easy->unrestricted_auth)
		easy_set(easy, CURLOPT_UNRESTRICTED_AUTH, easy->unrestricted_auth);
	if (easy->netrc)
		easy_set(easy, CURLOPT_NETRC, easy->netrc);
	if (easy->load.redirects_restricted)
		restore_protocols(easy, CURLOPT_REDIR_PROTOCOLS, easy->redir_protocols,
			CURLOPT_REDIR_PROTOCOLS_STR, &easy->redir_protocols_text);
	easy->load.proxy_pinned = easy->load.redirects_restricted = false;
}

/* A transfer without an allowed protocol fails before it connects, in every version. */
static void put_doom(struct easy *easy, const char *reason)
{
	easy_set(easy, CURLOPT_PROTOCOLS, 0);
	easy->load.carried = CARRIED_DOOM;
	easy->load.doom = buffer_duplicate(reason);
}

static void take_doom(struct easy *easy)
{
	/* -1 is libcurl's default */
	restore_protocols(easy, CURLOPT_PROTOCOLS,
		easy->facts & FACT_PROTOCOLS ? easy->protocols : -1L, CURLOPT_PROTOCOLS_STR,
		&easy->protocols_text);
}

/* Restore the options of libcurl's handle; the record keeps the rest. */
static void restore(struct easy *easy)
{
	if (easy->load.carried == CARRIED_TOKEN)
		take_token(easy);
	else if (easy->load.carried == CARRIED_BLANK)
		easy_set(easy, CURLOPT_XOAUTH2_BEARER, NULL);
	else if (easy->load.carried == CARRIED_DOOM)
		take_doom(easy);
	easy->load.carried = CARRIED_NOTHING;
	replay_stop(easy);
}

/*
 * The duplicate stays on the handle until the next transfer. From 8.0 on, setting a CURLU makes
 * libcurl forget the effective URL, which the application may still ask for.
 */
static void unpin_url(struct easy *easy)
{
	if (easy->load.url_pinned)
		set_url_handle(easy, easy->url_handle);
	inject_forget_url(easy);
}

void inject_forget_url(struct easy *easy)
{
	if (easy->load.pinned_url)
		easy->libcurl->own.url_cleanup(easy->load.pinned_url);
	easy->load.pinned_url = NULL;
	easy->load.url_pinned = false;
}

void inject_undo(struct easy *easy)
{
	if (!easy->load.carried)
		return;
	restore(easy);
	free(easy->load.doom);
	easy->load.doom = NULL;
	if (easy->seat.counted)
		multi_discount(easy);
}

static void doom(struct easy *easy, const struct realm *realm, const struct failure *failure)
{
	if (scope_passes_on_failure()) {
		notice(realm, "sent without a token: %s", failure->reason);
		return;
	}
	put_doom(easy, *failure->reason ? failure->reason : "memory was short");
	notice(realm, "not sent: %s", failure->reason);
}

static void put_leased(struct easy *easy, const struct verdict *verdict, const struct lease *lease)
{
	static const struct failure failure = {.reason = "libcurl does not accept the token"};
	const struct realm *realm = verdict->realm;

	memcpy(easy->load.fingerprint, lease->fingerprint, sizeof(easy->load.fingerprint));
	if (put_token(easy, lease->token, verdict->exposed)) {
		if (easy->seat.multi)
			multi_count(easy);
		if (notice_wanted())
			notice(realm, "carries token %s of profile %s", lease->fingerprint,
				supplier_profile(realm->supplier));
		return;
	}
	inject_undo(easy);
	doom(easy, realm, &failure);
}

static void supply(struct easy *easy, const struct verdict *verdict)
{
	const struct realm *realm = verdict->realm;
	struct failure failure;
	struct lease lease;

	failure.reason[0] = '\0';
	if (!realm->supplier) {
		doom(easy, realm, realm->broken);
	} else if (supplier_lease(realm->supplier, &realm->origin, &lease, &failure)) {
		doom(easy, realm, &failure);
	} else {
		put_leased(easy, verdict, &lease);
		supplier_return(&lease);
	}
}

/* libcurl forgets CURLOPT_URL when it performs with a CURLU. */
static void pin_url(struct easy *easy)
{
	unpin_url(easy);
	easy->load.pinned_url = easy->libcurl->own.url_dup(easy->url_handle);
	easy->url.set = false;
}

static void decide(struct easy *easy)
{
	static const struct failure starved = {.reason = "memory was short"};
	struct verdict verdict;

	if (easy->url_handle)
		pin_url(easy);
	policy_judge(easy, &verdict);
	easy->load.realm = verdict.realm;
	if (verdict.unknown)
		doom(easy, NULL, &starved);
	else if (verdict.realm && !verdict.reason)
		supply(easy, &verdict);
	else if (notice_wanted())
		notice(verdict.realm, "left alone: %s",
			verdict.reason ? verdict.reason : "not in scope");
}

/*
 * libcurl (at least up to 8.14) composes the Authorization header before it rewinds a form, and
 * before it seeks to where an upload resumes. If that fails, the header stays in the handle and is
 * sent with its next request, to whichever host.
 */
static bool leaves_header(const struct easy *easy, CURLcode result)
{
	switch (result) {
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_FTP_COULDNT_USE_REST:
	case CURLE_OUT_OF_MEMORY:
		return true;
	case CURLE_READ_ERROR:
	case CURLE_PARTIAL_FILE:
		return easy->facts & (FACT_UPLOAD | FACT_POST | FACT_FORM);
	default:
		return false;
	}
}

/* Replace the header that libcurl may hold by an empty bearer. There is no way to remove it. */
static void blank(struct easy *easy)
{
	static const char reason[] = "libcurl still holds the token of a request that failed";

	if (!policy_yields(easy) && easy_set(easy, CURLOPT_XOAUTH2_BEARER, "") == CURLE_OK &&
		easy_set(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK) {
		easy->load.carried = CARRIED_BLANK;
		easy->load.bearer_only = true;
		return;
	}
	put_doom(easy, reason);
	notice(NULL, "not sent: %s", reason);
}

static void judge(struct easy *easy)
{
	if (easy->load.carried)
		inject_undo(easy);
	replay_forget(easy);
	decide(easy);
	if (easy->load.carried == CARRIED_TOKEN)
		return;
	restore_auth(easy);
	unpin_url(easy);
	if (easy->load.unsent && easy->load.carried == CARRIED_NOTHING)
		blank(easy);
}

void inject(struct easy *easy)
{
	easy->replay.source = easy->read;
	easy->replay.source_data = easy->read_data;
	judge(easy);
	easy->load.too_late = easy->load.carried != CARRIED_TOKEN;
}

/* Whether a transfer is under way that has sent no request yet. */
static bool is_waiting(const struct easy *easy)
{
	return easy_info(easy, CURLINFO_REQUEST_SIZE) == 0 &&
	       (easy->seat.performing || multi_of(easy));
}

void inject_anew(struct easy *easy)
{
	static const struct failure late = {
		.reason = "the transfer was changed after it had started"};
	const struct realm *before = easy->load.realm;

	if (!is_waiting(easy))
		return;
	judge(easy);
	easy->load.too_late |= easy->load.realm != before;
	if (easy->load.too_late && easy->load.carried == CARRIED_TOKEN) {
		inject_undo(easy);
		doom(easy, easy->load.realm, &late);
	}
}

bool inject_repeat(struct easy *easy, CURLcode result)
{
	bool again = replay_due(easy, result);

	if (again)
		replay_begin(easy, result);
	return again;
}

/* If a 401 had to be delivered, drop the token, so that the next request gets a new one. */
static void note_outcome(const struct easy *easy)
{
	struct supplier *supplier = easy->load.realm->supplier;
	long response;

	if (easy->replay.refused && easy->replay.phase != REPLAY_SECOND) {
		notice(easy->load.realm, "401 delivered");
		if (!easy->replay.renewed)
			supplier_drop(supplier, &easy->load.realm->origin, easy->load.fingerprint);
	} else if (supplier_on_probation(supplier)) {
		response = easy_info(easy, CURLINFO_RESPONSE_CODE);
		if (response)
			supplier_judge(
				supplier, &easy->load.realm->origin, response != HTTP_UNAUTHORIZED);
	}
}

/* Another error came first, such as no memory: it stands. */
static CURLcode report_doom(const struct easy *easy, CURLcode result)
{
	if (result != CURLE_UNSUPPORTED_PROTOCOL)
		return result;
	if (easy->error_buffer)
		snprintf(easy->error_buffer, CURL_ERROR_SIZE, "sypht: %s",
			easy->load.doom ? easy->load.doom : "memory was short");
	return CURLE_LOGIN_DENIED;
}

CURLcode inject_settle(struct easy *easy, CURLcode result)
{
	if (easy->load.carried == CARRIED_TOKEN)
		note_outcome(easy);
	else if (easy->load.carried == CARRIED_DOOM)
		result = report_doom(easy, result);
	if (easy->load.carried == CARRIED_TOKEN)
		easy->load.unsent = leaves_header(easy, result);
	else if (easy->load.carried == CARRIED_BLANK && result == CURLE_OK)
		easy->load.unsent = false;
	if (easy->replay.phase != REPLAY_OFF)
		result = replay_finish(easy, result);
	inject_undo(easy);
	return result;
}

void inject_abandon(struct easy *easy)
{
	if (easy->replay.phase != REPLAY_OFF && easy->replay.phase != REPLAY_PAUSED)
		replay_finish(easy, CURLE_OK);
	replay_drop(easy);
	inject_undo(easy);
}

bool inject_clean_copy(CURL *handle, const struct easy *original)
{
	struct easy *copy = easy_duplicate(handle, original);

	if (!copy)
		return false;
	if (copy->load.url_pinned)
		easy_set(copy, CURLOPT_CURLU, copy->url_handle);
	restore(copy);
	restore_auth(copy);
	copy->load = (struct load){0};
	replay_adopt(copy);
	return true;
}
