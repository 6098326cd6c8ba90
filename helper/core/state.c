#include "core/state.h"

#include <stddef.h>
#include <string.h>

#include "core/attributes.h"

enum { CLOCK_SLACK_S = 2, COUNT_MAX = 1000, RENEWAL_MAX_S = 3600 };

/* 5 s, doubled for each time in a row after the first, up to most. */
static long pause_after(long in_a_row, long most)
{
	long pause = STATE_PAUSE_S;

	while (in_a_row-- > 1 && pause < most)
		pause *= 2;
	return pause < most ? pause : most;
}

/* ---- events ---- */

/* With another secret, config or environment it is a new try, so its pause starts short again. */
static bool is_same_failure(const struct state_failure *one, const struct state_failure *other)
{
	return one->status == other->status && one->environment == other->environment &&
	       strcmp(one->marks, other->marks) == 0;
}

void state_fail(
	struct state *state, const struct state_failure *failure, long retry_after_s, time_t now)
{
	long in_a_row = is_same_failure(&state->failure, failure) ? state->failure.in_a_row : 0;
	long pause = STATE_PAUSE_S;

	if (in_a_row < COUNT_MAX)
		in_a_row++;
	if (failure->status == STATUS_REFUSED)
		pause = pause_after(in_a_row, STATE_PAUSE_REFUSED_S);
	if (retry_after_s > STATE_PAUSE_ASKED_S)
		retry_after_s = STATE_PAUSE_ASKED_S;
	if (pause < retry_after_s)
		pause = retry_after_s;
	state->failure = *failure;
	state->failure.at = now;
	state->failure.retry_from = now + pause;
	state->failure.in_a_row = in_a_row;
	state->renewing_until = 0;
}

/* A refusal counts as the next in a row until the pause has passed once more after replace_from. */
static bool is_long_ago(const struct state_refusal *refusal, time_t now)
{
	return now >= refusal->replace_from + pause_after(refusal->in_a_row, STATE_PAUSE_REPLACE_S);
}

/*
 * The first replacement is at once, as the token may just have been revoked. If the API refuses the
 * new one too, the token is not the reason: then each refusal must not cost a request.
 */
void state_refuse(struct state *state, const char *fingerprint, time_t now)
{
	struct state_refusal *refusal = &state->refusal;

	if (refusal->fingerprint[0] == '\0' || is_long_ago(refusal, now))
		*refusal = (struct state_refusal){.replace_from = now};
	memcpy(refusal->fingerprint, fingerprint, TOKEN_FINGERPRINT_BYTES);
}

/*
 * The replacement worked, so the refusal was about the old token alone. The limit is for an API
 * that accepts and refuses by turns: it must not make us ask the endpoint each time.
 */
void state_approve(struct state *state, time_t now)
{
	struct state_refusal *refusal = &state->refusal;

	if (refusal->in_a_row <= STATE_HEALS && now < refusal->replace_from)
		refusal->replace_from = now;
}

void state_succeed(struct state *state, time_t now)
{
	struct state_refusal *refusal = &state->refusal;

	state->failure = (struct state_failure){.status = STATUS_OK};
	state->renewing_until = 0;
	/* no refused token was replaced, so there is nothing to pause for */
	if (refusal->fingerprint[0] == '\0')
		return;
	if (refusal->in_a_row < COUNT_MAX)
		refusal->in_a_row++;
	refusal->replace_from = now + pause_after(refusal->in_a_row, STATE_PAUSE_REPLACE_S);
}

long state_pause(const struct state *state, time_t now)
{
	const struct state_refusal *refusal = &state->refusal;

	if (refusal->fingerprint[0] == '\0' || now >= refusal->replace_from)
		return 0;
	return (long)(refusal->replace_from - now);
}

bool state_is_still(const struct state_failure *failure, const struct settings *settings,
	const struct profile *profile, time_t now)
{
	char marks[SOURCE_MARKS_BYTES];

	if (failure->status == STATUS_OK || now >= failure->retry_from)
		return false;
	source_mark_all(settings, profile, marks);
	return strcmp(failure->marks, marks) == 0;
}

/* ---- the lines of the record ---- */

bool state_is_empty(const struct state *state)
{
	return state->failure.status == STATUS_OK && state->refusal.fingerprint[0] == '\0' &&
	       state->renewing_until == 0 && state->serial == 0;
}

enum status state_write(const struct state *state, struct buffer *out)
{
	const struct state_failure *failure = &state->failure;
	const struct state_refusal *refusal = &state->refusal;
	const struct attributes_row failure_rows[] = {
		{"failed", NULL, (long long)failure->at},
		{"retry_from", NULL, (long long)failure->retry_from},
		{"status", NULL, failure->status},
		{"failures", NULL, failure->in_a_row},
		{"environment", NULL, failure->environment},
		{"marks", failure->marks, 0},
		{"error", failure->reason.reason, 0},
		{0},
	};
	const struct attributes_row refusal_rows[] = {
		{"refused", refusal->fingerprint, 0},
		{"replace_from", NULL, (long long)refusal->replace_from},
		{"replacements", NULL, refusal->in_a_row},
		{0},
	};
	const struct attributes_row rows[] = {
		{"renewing_until", NULL, (long long)state->renewing_until},
		{"serial", NULL, state->serial},
		{0},
	};
	enum status status = STATUS_OK;

	if (failure->status)
		status = attributes_add_rows(out, failure_rows);
	if (!status && refusal->fingerprint[0] != '\0')
		status = attributes_add_rows(out, refusal_rows);
	return status ? status : attributes_add_rows(out, rows);
}

static bool copy_text(const struct attributes *entry, const char *key, char *out, size_t size)
{
	const char *text = attributes_get(entry, key);

	if (!text || strlen(text) >= size)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool is_within(long long least, long long value, long long most)
{
	return least <= value && value <= most;
}

/* Reject a failure from the future: the clock was set back, and its pause could last too long. */
static void read_failure(struct state_failure *failure, const struct attributes *entry, time_t now)
{
	struct state_failure found = {
		.at = (time_t)attributes_number(entry, "failed"),
		.retry_from = (time_t)attributes_number(entry, "retry_from"),
		.status = (enum status)attributes_number(entry, "status"),
		.in_a_row = (long)attributes_number(entry, "failures"),
		.environment = (long)attributes_number(entry, "environment"),
	};

	if (copy_text(entry, "marks", found.marks, sizeof(found.marks)) &&
		copy_text(entry, "error", found.reason.reason, sizeof(found.reason.reason)) &&
		is_within(STATUS_OK + 1, (long long)found.status, STATUS_SYSTEM) &&
		is_within(1, found.in_a_row, COUNT_MAX) &&
		is_within(1, found.at, now + CLOCK_SLACK_S) &&
		is_within(found.at, found.retry_from, found.at + STATE_PAUSE_REFUSED_S))
		*failure = found;
}

static void read_refusal(struct state_refusal *refusal, const struct attributes *entry, time_t now)
{
	struct state_refusal found = {
		.replace_from = (time_t)attributes_number(entry, "replace_from"),
		.in_a_row = (long)attributes_number(entry, "replacements"),
	};

	if (copy_text(entry, "refused", found.fingerprint, sizeof(found.fingerprint)) &&
		is_within(0, found.in_a_row, COUNT_MAX) &&
		is_within(1, found.replace_from, now + STATE_PAUSE_REPLACE_S + CLOCK_SLACK_S))
		*refusal = found;
}

void state_read(struct state *state, const struct attributes *entry, time_t now)
{
	long long renewing_until = attributes_number(entry, "renewing_until");

	/* each part is judged alone: a bad one must not take the others with it */
	*state = (struct state){.serial = attributes_number(entry, "serial")};
	read_failure(&state->failure, entry, now);
	read_refusal(&state->refusal, entry, now);
	if (is_within(now, renewing_until, now + RENEWAL_MAX_S))
		state->renewing_until = (time_t)renewing_until;
}
