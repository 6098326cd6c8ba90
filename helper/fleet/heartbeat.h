#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include <sys/types.h>

struct notice;
struct request;
struct redis_lock;

/*
 * A child process that renews a lock of the shared store, until heartbeat_end() or until its parent
 * dies. So the lock can be short-lived, and a member that dies delays the others only briefly. The
 * child also writes notices, which tell the fleet that this member is minting.
 */
struct heartbeat {
	pid_t process; /* -1: none could be started; the lock expires */
	int line;      /* a pipe to it, for the last notice */
};

struct heartbeat heartbeat_start(const struct request *request, const struct redis_lock *lock);

/* The child writes the last notice before it ends, if the store answers at once. */
void heartbeat_end(const struct heartbeat *heartbeat, const struct notice *last);

#endif
