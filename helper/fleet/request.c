#include "fleet/request.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/attributes.h"
#include "process.h"

/* A day: the member that mints next wants to know how long the last mint took. */
enum { NOTICE_LIFE_MS = 24 * 60 * 60 * 1000 };

long long request_number(const struct request *request, const char *key)
{
	return attributes_number(request->asked, key);
}

const char *request_text(const struct request *request, const char *key)
{
	const char *value = attributes_get(request->asked, key);

	return value ? value : "";
}

time_t request_now(const struct request *request)
{
	long long passed_ms = process_milliseconds() - request->started;

	return (time_t)(request_number(request, "now") + passed_ms / 1000);
}

struct redis_lock request_lock(const struct request *request, const char *owner)
{
	return (struct redis_lock){
		.name = request->lock_name,
		.owner = owner,
		.life_ms = (long)request_number(request, "lock_ms"),
	};
}

/* Prepared before the alarm: its handler may only use async-signal-safe functions. */
static char late_answer[64];
static int late_exit_code;

static void end_late(int signal)
{
	ssize_t written = write(STDOUT_FILENO, late_answer, strlen(late_answer));

	(void)signal;
	_exit(written > 0 ? late_exit_code : 1);
}

enum status request_reach(struct request *request, struct failure *failure)
{
	const struct itimerval off = {0};
	struct itimerval limit = {
		.it_value.tv_sec = request->place.answer_ms / 1000,
		.it_value.tv_usec = request->place.answer_ms % 1000 * 1000,
	};
	enum status status;

	snprintf(late_answer, sizeof(late_answer), "status=%d\nerror=%s\n\n", STATUS_TIMEOUT,
		"it cannot be reached in time");
	late_exit_code = status_exit_code(STATUS_TIMEOUT);
	signal(SIGALRM, end_late);
	setitimer(ITIMER_REAL, &limit, NULL);
	status = redis_open(&request->place, &request->store, failure);
	setitimer(ITIMER_REAL, &off, NULL);
	/* until a sign of life of the holder extends it; see patience_ms() in lookup.c */
	if (!status)
		redis_limit(
			request->store, request->started + request_number(request, "patience_ms"));
	return status;
}

void request_tell(const struct request *request, struct redis *store, const struct notice *notice)
{
	struct buffer sealed = BUFFER_INIT(NOTICE_MAX_BYTES);
	struct failure unheard;

	if (notice_close(&request->seal, notice, &sealed) ||
		redis_set(store, request->notice_name, &sealed, NOTICE_LIFE_MS, &unheard))
		buffer_clear(&sealed); /* the others then judge by the lock alone */
	buffer_release(&sealed);
}

void request_give_up(const struct request *request, const struct redis_lock *lock)
{
	struct failure unheard;

	if (redis_release(request->store, lock, &unheard))
		return;
}
