#include "fleet/heartbeat.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet/redis.h"
#include "fleet/request.h"
#include "process.h"

enum {
	KEPT_PER_LIFE = 4, /* so that the lock survives an extension that comes late */
	LAST_WORD_MS = 400,
};

/*
 * Read the notice that ours will replace. It says how long the last mint took, which our notices
 * must go on saying.
 */
static void read_last_notice(
	const struct request *request, struct redis *store, struct notice *notice)
{
	struct buffer sealed = BUFFER_INIT(NOTICE_MAX_BYTES);
	struct failure unheard;

	*notice = (struct notice){0};
	if (redis_get(store, request->notice_name, &sealed, &unheard) ||
		!notice_open(&request->seal, &sealed, notice))
		notice->took_ms = 0;
	buffer_release(&sealed);
}

/*
 * Extend the lock and write notices until the lock or the store is lost, or until the parent sends
 * the last notice. If it closes the pipe without one, read() returns 0 and nothing more is written.
 */
static void keep_lock(const struct request *request, const struct redis_lock *lock, int line)
{
	const long long started = process_milliseconds();
	struct pollfd end = {.fd = line, .events = POLLIN};
	struct notice notice;
	struct notice last;
	struct redis *store;
	bool mine = true;

	if (redis_open(&request->place, &store, NULL))
		return;
	read_last_notice(request, store, &notice);
	notice.minting = true;
	notice.until = 0;
	while (mine) {
		notice.at_ms = notice_now_ms();
		notice.elapsed_ms = process_milliseconds() - started;
		request_tell(request, store, &notice);
		if (poll(&end, 1, (int)(lock->life_ms / KEPT_PER_LIFE)) > 0)
			break;
		if (redis_keep(store, lock, &mine, NULL))
			mine = false;
	}
	if (mine && read(line, &last, sizeof(last)) == (ssize_t)sizeof(last)) {
		last.took_ms = last.took_ms > 0 ? last.took_ms : notice.took_ms;
		request_tell(request, store, &last);
	}
	redis_close(store);
}

struct heartbeat heartbeat_start(const struct request *request, const struct redis_lock *lock)
{
	struct heartbeat heartbeat = {.process = -1, .line = -1};
	pid_t kept_for = getpid();
	int line[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		return heartbeat;
	heartbeat.process = fork();
	if (heartbeat.process == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(line[0]);
		/* a parent that died before prctl() sends no signal any more */
		if (getppid() == kept_for)
			keep_lock(request, lock, line[1]);
		_exit(0);
	}
	close(line[1]);
	heartbeat.line = line[0];
	return heartbeat;
}

void heartbeat_end(const struct heartbeat *heartbeat, const struct notice *last)
{
	struct pollfd end = {.fd = heartbeat->line, .events = POLLIN};

	if (heartbeat->process > 0 && write(heartbeat->line, last, sizeof(*last)) > 0)
		poll(&end, 1, LAST_WORD_MS);
	if (heartbeat->line >= 0)
		close(heartbeat->line);
	if (heartbeat->process <= 0)
		return;
	/* it must not extend a lock that is about to be released */
	kill(heartbeat->process, SIGKILL);
	waitpid(heartbeat->process, NULL, 0);
}
