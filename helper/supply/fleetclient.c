#include "supply/fleetclient.h"

#include <string.h>

#include "core/attributes.h"
#include "core/profile.h"
#include "core/settings.h"
#include "core/state.h"
#include "core/token.h"
#include "core/trace.h"
#include "libexec.h"
#include "process.h"
#include "supply/mintclient.h"
#include "supply/parameters.h"
#include "supply/secret.h"

/*
 * Time limits for the store, as parts of the time that is left, with a maximum each. They add up to
 * three seconds: that is what a broken store may cost, as a token can be minted without it.
 */
enum {
	ANSWER_PART = 10, /* one answer */
	ANSWER_MAX_MS = 1000,
	PATIENCE_PART = 5, /* all answers, until the holder of the lock is seen to be alive */
	PATIENCE_MAX_MS = 2000,
	LAST_WORD_MAX_MS = 1000, /* a verb after which nothing is waited for */
	LOCK_PART = 5, /* the lock of a dead holder; a living one extends it (sypht-fleet, hold) */
	LOCK_MAX_MS = 3000,
	LEAST_MS = 20,
	LAST_LOOK_MS = 700, /* kept for look_once_more() */
};

/* What sypht-fleet answers to look: a token, the right to mint the next one, or neither. */
struct offer {
	struct token token;     /* value NULL: none */
	char *owner;            /* our name in the lock, if we are to mint; or NULL */
	long long serial;       /* of the token, or for the one that we are to mint */
	long rest_s;            /* the endpoint must not be asked for so long; 0: it may be */
	struct failure trouble; /* why there is neither; "": another member took too long */
};

struct limits {
	long left_ms;
	long answer_ms;
	long patience_ms;
	long lock_ms;
};

static long bounded_ms(long milliseconds, long most)
{
	if (milliseconds > most)
		return most;
	return milliseconds > LEAST_MS ? milliseconds : LEAST_MS;
}

static struct limits limits_by(long long deadline)
{
	long left_ms = (long)(deadline - process_milliseconds());

	return (struct limits){
		.left_ms = left_ms,
		.answer_ms = bounded_ms(left_ms / ANSWER_PART, ANSWER_MAX_MS),
		.patience_ms = bounded_ms(left_ms / PATIENCE_PART, PATIENCE_MAX_MS),
		.lock_ms = bounded_ms(left_ms / LOCK_PART, LOCK_MAX_MS),
	};
}

static const char *name_of(const struct fleetclient *member)
{
	return member->supply->profile->name;
}

/* ---- asking sypht-fleet ---- */

struct question {
	const char *verb;
	bool waits; /* for another member's token */
	long long deadline;
	const struct offer *offer; /* which lock; NULL: the verb is about none */
	const struct token *token; /* which token; likewise */
};

/* A member that only reports does not need the answer, so it waits for less time. */
static long patience_ms(const struct question *question, const struct limits *limits)
{
	return question->waits ? limits->patience_ms
			       : bounded_ms(limits->patience_ms, LAST_WORD_MAX_MS);
}

/* The lines for sypht-fleet. The request for sypht-mint follows them. */
static enum status add_rows(
	const struct fleetclient *member, const struct question *question, struct buffer *out)
{
	const struct supply *supply = member->supply;
	const struct profile *profile = supply->profile;
	const struct offer *offer = question->offer;
	struct limits limits = limits_by(question->deadline);
	const struct attributes_row rows[] = {
		{"verb", question->verb, 0},
		{"store", profile->shared_store, 0},
		{"rejected", supply->rejected, 0},
		{"fresh", NULL, member->renewing},
		{"owner", offer ? offer->owner : NULL, 0},
		{"now", NULL, (long long)supply->clock()},
		{"answer_ms", NULL, limits.answer_ms},
		{"patience_ms", NULL, patience_ms(question, &limits)},
		{"wait_ms", NULL, question->waits ? limits.left_ms : 0},
		{"lock_ms", NULL, limits.lock_ms},
		{"min_valid", NULL, supply->min_valid},
		{"max_lifetime", NULL, profile->max_lifetime},
		{"serial", NULL, offer ? offer->serial : member->state->serial},
		{0},
	};
	enum status status = attributes_add_rows(out, rows);

	return status || !question->token ? status : token_write(question->token, out);
}

static enum status read_refusal(const struct attributes *answer, struct failure *failure)
{
	const char *error = attributes_get(answer, "error");

	return error ? status_fail(failure, STATUS_UNREACHABLE, "%s", error) : STATUS_OK;
}

static enum status ask_fleet(const struct fleetclient *member, const struct question *question,
	struct attributes *answer, struct failure *failure)
{
	struct buffer request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct limits limits = limits_by(question->deadline);
	long timeout_ms = question->waits ? limits.left_ms : patience_ms(question, &limits);
	enum status status = add_rows(member, question, &request);

	if (!status)
		status = mintclient_write_request(
			member->supply, member->secret, limits.left_ms, &request);
	if (status)
		status_fail(failure, status, "the request is too long");
	else if (limits.left_ms <= 0)
		status = status_fail(failure, STATUS_TIMEOUT, "no time left to ask it");
	else
		status = libexec_ask("sypht-fleet", &request, timeout_ms, answer, failure);
	buffer_release(&request);
	return status ? status : read_refusal(answer, failure);
}

/* ---- what it answers ---- */

static bool read_token(
	const struct fleetclient *member, const struct attributes *answer, struct token *token)
{
	time_t now = member->supply->clock();

	return token_read(token, answer) &&
	       token_is_believable(token, member->supply->profile->max_lifetime, now) &&
	       token_usable(token, now);
}

static void offer_release(struct offer *offer)
{
	token_release(&offer->token);
	buffer_free_text(offer->owner);
}

static void look_into_store(
	const struct fleetclient *member, bool waits, long long deadline, struct offer *offer)
{
	const struct question question = {.verb = "look", .waits = waits, .deadline = deadline};
	struct attributes answer = ATTRIBUTES_INIT;
	const char *reason;

	*offer = (struct offer){.token = TOKEN_INIT};
	if (ask_fleet(member, &question, &answer, &offer->trouble) == STATUS_OK) {
		reason = attributes_get(&answer, "reason");
		offer->serial = attributes_number(&answer, "serial");
		if (!read_token(member, &answer, &offer->token))
			token_release(&offer->token);
		offer->owner = buffer_duplicate(attributes_get(&answer, "owner"));
		offer->rest_s = (long)attributes_number(&answer, "rest");
		status_fail(&offer->trouble, STATUS_OK, "%s",
			offer->rest_s > 0 && reason ? reason : "");
	}
	attributes_release(&answer);
}

/* ---- minting ---- */

/* Send a verb whose failure harms only the other members: the trace says what came of it. */
static enum status tell_fleet(
	const struct fleetclient *member, const struct question *question, struct failure *failure)
{
	struct attributes answer = ATTRIBUTES_INIT;
	const char *outcome = "nothing to be done any more";
	enum status status = ask_fleet(member, question, &answer, failure);

	if (status)
		outcome = failure->reason;
	else if (attributes_get(&answer, "done"))
		outcome = "done";
	trace_say(member->supply->trace, "profile %s: shared store, %s: %s", name_of(member),
		question->verb, outcome);
	attributes_release(&answer);
	return status;
}

/*
 * Release the lock at the end, with the token or without one. Otherwise the other members would
 * wait until it expires.
 */
static enum status mint_for_all(const struct fleetclient *member, const struct offer *offer,
	long long deadline, struct token *token, struct failure *failure)
{
	struct question hold = {.verb = "hold", .deadline = deadline, .offer = offer};
	struct question last = {.verb = "release", .deadline = deadline, .offer = offer};
	struct buffer rows = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct failure untold;
	enum status status = add_rows(member, &hold, &rows);

	if (!status)
		status = mintclient_run(
			member->supply, member->secret, &rows, deadline, token, failure);
	if (status == STATUS_SYSTEM) /* if sypht-fleet fails, mint the token here */
		status = mintclient_run(
			member->supply, member->secret, NULL, deadline, token, failure);
	if (!status) {
		last.verb = "put";
		last.token = token;
	}
	if (tell_fleet(member, &last, &untold))
		trace_say(member->supply->trace,
			"profile %s: other members wait until the lock ends", name_of(member));
	buffer_release(&rows);
	return status;
}

static enum status take_offer(
	const struct fleetclient *member, struct offer *offer, struct token *token)
{
	char fingerprint[TOKEN_FINGERPRINT_BYTES];

	*token = offer->token;
	offer->token = (struct token)TOKEN_INIT;
	token_fingerprint(token->value, fingerprint);
	trace_say(member->supply->trace,
		"profile %s: token %s from the shared store, %lld seconds left", name_of(member),
		fingerprint, (long long)(token->expires - member->supply->clock()));
	return STATUS_OK;
}

/* Another member may have stored a token while ours could not be minted. */
static enum status look_once_more(const struct fleetclient *member, long long deadline,
	struct token *token, struct failure *failure)
{
	struct offer offer;
	enum status status = STATUS_TIMEOUT;

	look_into_store(member, false, deadline, &offer);
	if (offer.token.value) {
		status = take_offer(member, &offer, token);
		failure->reason[0] = '\0';
	}
	offer_release(&offer);
	return status;
}

/*
 * Without the store, or because another member took too long. While a good token is left, the other
 * member may take as long as it wants: a second request would only add to the endpoint's load.
 */
static enum status mint_for_oneself(const struct fleetclient *member, const struct offer *offer,
	long long deadline, struct token *token, struct failure *failure)
{
	bool waited = offer->trouble.reason[0] == '\0';
	long left_ms = (long)(deadline - process_milliseconds());
	enum status status;

	if (waited && member->renewing)
		return status_fail(failure, STATUS_TIMEOUT,
			"another machine is still renewing the token; try again later");
	trace_say(member->supply->trace, "profile %s: shared store: %s; minting without it",
		name_of(member),
		waited ? "no token came of another member's turn" : offer->trouble.reason);
	status = mintclient_run(member->supply, member->secret, NULL,
		waited ? deadline - bounded_ms(left_ms / 2, LAST_LOOK_MS) : deadline, token,
		failure);
	if (status && waited && look_once_more(member, deadline, token, failure) == STATUS_OK)
		status = STATUS_OK;
	return status;
}

/* The endpoint limits the client, not the machine, so its Retry-After holds for all members. */
static enum status keep_off(const struct offer *offer, struct failure *failure)
{
	return status_fail(failure, STATUS_REFUSED,
		"%.170s (told to another machine; asked again in %ld s)", offer->trouble.reason,
		offer->rest_s);
}

enum status fleetclient_obtain(const struct fleetclient *member, long long deadline,
	struct token *token, struct failure *failure)
{
	struct offer offer;
	enum status status;

	look_into_store(member, true, deadline, &offer);
	if (offer.token.value) {
		status = take_offer(member, &offer, token);
	} else if (offer.rest_s > 0) {
		status = keep_off(&offer, failure);
	} else if (offer.owner) {
		trace_say(member->supply->trace, "profile %s: minting for the fleet",
			name_of(member));
		status = mint_for_all(member, &offer, deadline, token, failure);
	} else {
		status = mint_for_oneself(member, &offer, deadline, token, failure);
	}
	if (!status && offer.serial > 0)
		member->state->serial = offer.serial;
	offer_release(&offer);
	return status;
}

enum status fleetclient_drop(const struct fleetclient *member, const struct token *token,
	long long deadline, struct failure *failure)
{
	const struct question question = {.verb = "drop", .deadline = deadline, .token = token};
	struct failure reason;

	/* the dropped token has this serial; refuse it even if the store puts it back */
	if (member->state->serial > 0)
		member->state->serial++;
	if (tell_fleet(member, &question, &reason))
		return status_fail(failure, STATUS_UNREACHABLE,
			"the token may still be in the shared store: %.180s", reason.reason);
	return STATUS_OK;
}

static enum status write_ping(const struct supply *supply, const struct secret *secret,
	const struct limits *limits, struct buffer *request)
{
	const struct attributes_row rows[] = {
		{"verb", "ping", 0},
		{"store", supply->profile->shared_store, 0},
		{"answer_ms", NULL, limits->answer_ms},
		{"patience_ms", NULL, limits->patience_ms},
		{0},
	};
	bool known = secret->client_secret || secret->private_key;
	enum status status = attributes_add_rows(request, rows);

	if (!status && known)
		return mintclient_write_request(supply, secret, limits->left_ms, request);
	if (!status)
		status = attributes_add(request, "cainfo", supply->settings->cainfo);
	return status ? status : buffer_append_text(request, "\n");
}

enum status fleetclient_ping(const struct supply *supply, const struct secret *secret,
	long *took_ms, struct failure *failure)
{
	struct buffer request = BUFFER_INIT(ATTRIBUTES_MAX_BYTES);
	struct attributes answer = ATTRIBUTES_INIT;
	long long start = process_milliseconds();
	struct limits limits = limits_by(start + settings_timeout_s(supply->settings) * 1000);
	enum status status = STATUS_OK;

	if (write_ping(supply, secret, &limits, &request))
		status = status_no_memory(failure);
	else
		status = libexec_ask("sypht-fleet", &request, limits.patience_ms, &answer, failure);
	if (!status)
		status = read_refusal(&answer, failure);
	if (!status)
		*took_ms = (long)(process_milliseconds() - start);
	attributes_release(&answer);
	buffer_release(&request);
	return status;
}
