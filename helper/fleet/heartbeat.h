#ifndef HEARTBEAT_H
#define HEARTBEAT_H

#include <sys/types.h>

struct notice;
struct session;
struct store_lock;

/*
 * A process that keeps a lock of the shared store alive for as long as this one lives and does not
 * end it, so that a lock that nobody keeps can be short-lived. All the while it tells the fleet by
 * notices that a member is minting.
 */
struct keeper {
	pid_t process; /* -1: there is none, and the lock will end by itself */
	int line;      /* to it, for the last notice */
};

struct keeper keeper_start(const struct session *session, const struct store_lock *lock);

/* The keeper puts the last notice there before it ends, if the store takes it at once. */
void keeper_end(const struct keeper *keeper, const struct notice *last);

#endif
