#include "supply/attempt.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/profile.h"
#include "core/settings.h"
#include "core/source.h"
#include "core/token.h"
#include "core/trace.h"
#include "libexec.h"
#include "process.h"
#include "supply/fleetclient.h"
#include "supply/mintclient.h"
#include "supply/parameters.h"
#include "supply/secret.h"
#include "supply/secretsource.h"

/*
 * A hash of the variables that affect a token request. A remembered failure counts only in the
 * environment in which it happened, so correcting a variable helps at once. A secret in a variable
 * is hashed too; libexec_sum_text() says why that is safe.
 */
static long sum_environment(const struct supply *supply)
{
	const struct settings *settings = supply->settings;
	struct source source = source_choose(settings, supply->profile);
	bool in_variable = source.kind == SOURCE_VARIABLE || source.kind == SOURCE_API_KEY;

	return libexec_sum_environment() ^
	       libexec_sum_text(source.name, in_variable ? source.text : NULL) ^
	       libexec_sum_text("SYPHT_CAINFO", settings->cainfo) ^
	       libexec_sum_text("SYPHT_TIMEOUT", settings->timeout);
}

void attempt_prepare(struct attempt *attempt)
{
	cache_get_state(attempt->cache, attempt->supply->clock(), &attempt->state);
}

enum status attempt_allowed(const struct attempt *attempt, struct failure *failure)
{
	const struct supply *supply = attempt->supply;
	const struct state_failure *last = &attempt->state.failure;
	time_t now = supply->clock();
	long pause = state_pause(&attempt->state, now);

	if (pause > 0)
		return status_fail(failure, STATUS_REFUSED,
			"the API refuses even fresh tokens of profile '%s'; the next is fetched in "
			"%ld s",
			supply->profile->name, pause);
	/*
	 * The attempt failed while this process waited for the lock. That failure is the answer to
	 * this process too, even if the pause after it has passed: otherwise each of many waiting
	 * processes would ask the endpoint in turn.
	 */
	if (last->at >= attempt->began)
		now = last->at;
	if (!state_is_still(last, supply->settings, supply->profile, now) ||
		last->environment != sum_environment(supply))
		return STATUS_OK;
	return status_fail(failure, last->status, "%.200s (asked less than %ld s ago)",
		last->reason.reason, (long)(last->retry_from - last->at));
}

/*
 * Do not remember a missing or unsafe secret: looking again costs no request, and the user may be
 * about to put it right. Nor a timeout that is due to a shorter deadline of our own.
 */
static bool is_worth_remembering(const struct attempt *attempt, enum status status)
{
	return status != STATUS_NO_SECRET && status != STATUS_UNSAFE &&
	       status != STATUS_NO_MEMORY && !(status == STATUS_TIMEOUT && attempt->hurried);
}

/*
 * A file system cannot be unmounted while it holds the working directory of a process. Leave it
 * only after the secret was read: its path, or the command that prints it, may be relative.
 */
static void leave_directory(const struct attempt *attempt)
{
	if (attempt->renewing && chdir("/") != 0)
		trace_say(attempt->supply->trace, "chdir to /: %s", strerror(errno));
}

static enum status ask_once(struct attempt *attempt, struct token *token, struct failure *failure)
{
	const struct supply *supply = attempt->supply;
	struct secret secret = SECRET_INIT;
	const struct fleetclient member = {supply, &secret, &attempt->state, attempt->renewing};
	long left_ms = (long)(attempt->deadline - process_milliseconds());
	enum status status;

	/* before the secret is read, so that a change from here on shows */
	source_mark_all(supply->settings, supply->profile, attempt->marks);
	trace_say(supply->trace, "profile %s: client secret from %s", supply->profile->name,
		source_choose(supply->settings, supply->profile).name);
	status = secretsource_ask(supply->settings, supply->profile, left_ms, &secret, failure);
	leave_directory(attempt);
	if (!status && supply->profile->shared_store)
		status = fleetclient_obtain(&member, attempt->deadline, token, failure);
	else if (!status)
		status = mintclient_run(supply, &secret, NULL, attempt->deadline, token, failure);
	secret_release(&secret);
	return status;
}

/*
 * Whether what was refused, or did not fit together, has been replaced in the meantime. A command
 * leaves no mark, but makes another assertion: the endpoint may have seen the first one before, in
 * a request whose answer was lost.
 */
static bool may_have_changed(
	const struct attempt *attempt, enum status status, const struct failure *failure)
{
	const struct supply *supply = attempt->supply;
	char marks[SOURCE_MARKS_BYTES];

	if ((status != STATUS_REFUSED && status != STATUS_NO_SECRET) || failure->retry_after_s > 0)
		return false;
	/* leave_directory() broke relative paths; and the token at hand is still good */
	if (attempt->renewing)
		return false;
	if (status == STATUS_REFUSED &&
		source_choose(supply->settings, supply->profile).kind == SOURCE_ASSERTION_COMMAND)
		return true;
	source_mark_all(supply->settings, supply->profile, marks);
	return strcmp(marks, attempt->marks) != 0;
}

enum status attempt_make_uncached(
	struct attempt *attempt, struct token *token, struct failure *failure)
{
	enum status status = ask_once(attempt, token, failure);

	if (!may_have_changed(attempt, status, failure))
		return status;
	trace_say(attempt->supply->trace,
		"profile %s: asking once more, as the secret may have changed: %s",
		attempt->supply->profile->name, failure->reason);
	return ask_once(attempt, token, failure);
}

/*
 * Write the token first. If the process dies in between, the record is out of date, which costs one
 * request. In the other order the record would say that all is well, and there would be no token.
 */
static void keep_token(struct attempt *attempt, const struct token *token)
{
	const struct supply *supply = attempt->supply;
	struct failure unwritten;

	state_succeed(&attempt->state, supply->clock());
	if (cache_put(attempt->cache, token, &unwritten))
		trace_say(supply->trace, "the token is not cached: %s", unwritten.reason);
	if (cache_put_state(attempt->cache, &attempt->state, &unwritten))
		trace_say(supply->trace, "nothing is remembered: %s", unwritten.reason);
}

enum status attempt_make(struct attempt *attempt, struct token *token, struct failure *failure)
{
	const struct supply *supply = attempt->supply;
	struct state_failure last = {.environment = sum_environment(supply)};
	struct failure unwritten;

	last.status = attempt_make_uncached(attempt, token, failure);
	if (!last.status) {
		keep_token(attempt, token);
	} else if (is_worth_remembering(attempt, last.status)) {
		last.reason = *failure;
		memcpy(last.marks, attempt->marks, sizeof(last.marks));
		state_fail(&attempt->state, &last, failure->retry_after_s, supply->clock());
		if (cache_put_state(attempt->cache, &attempt->state, &unwritten))
			trace_say(supply->trace, "nothing is remembered: %s", unwritten.reason);
	}
	return last.status;
}
