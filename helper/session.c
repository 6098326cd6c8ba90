#include "session.h"

#include <stdlib.h>
#include <sys/time.h>

#include "attributes.h"
#include "process.h"

long long session_number(const struct session *session, const char *key)
{
	const char *text = attributes_get(session->asked, key);

	return text ? strtoll(text, NULL, 10) : 0;
}

const char *session_text(const struct session *session, const char *key)
{
	const char *value = attributes_get(session->asked, key);

	return value ? value : "";
}

time_t session_now(const struct session *session)
{
	long long passed_ms = process_milliseconds() - session->started;

	return (time_t)(session_number(session, "now") + passed_ms / 1000);
}

struct store_lock session_lock(const struct session *session, const char *owner)
{
	return (struct store_lock){
		.name = session->lock_name,
		.owner = owner,
		.life_ms = (long)session_number(session, "lock_ms"),
	};
}

enum status session_reach(struct session *session, struct failure *failure)
{
	const struct itimerval off = {0};
	struct itimerval limit = {
		.it_value.tv_sec = session->place.answer_ms * 2 / 1000,
		.it_value.tv_usec = session->place.answer_ms * 2 % 1000 * 1000,
	};
	enum status status;

	setitimer(ITIMER_REAL, &limit, NULL);
	status = store_open(&session->place, &session->store, failure);
	setitimer(ITIMER_REAL, &off, NULL);
	return status;
}

void session_give_up(const struct session *session, const struct store_lock *lock)
{
	struct failure unheard;

	if (store_release(session->store, lock, &unheard))
		return;
}
