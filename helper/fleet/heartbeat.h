#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include <sys/types.h>

struct notice;
struct request;
struct redis_lock;

/*
 * A process that keeps a lock of the shared store alive for as long as this one lives and does not
 * end it, so that a lock that nobody keeps can be short-lived. All the while it tells the fleet by
 * notices that a member is minting.
 */
struct heartbeat {
	pid_t process; /* -1: there is none, and the lock will end by itself */
	int line;      /* to it, for the last notice */
};

struct heartbeat heartbeat_start(const struct request *session, const struct redis_lock *lock);

/* The keeper puts the last notice there before it ends, if the store takes it at once. */
void heartbeat_end(const struct heartbeat *keeper, const struct notice *last);

#endif
