#ifndef KEEPER_H
#define KEEPER_H

#include <sys/types.h>

struct store_lock;
struct store_place;

/*
 * A process that keeps a lock of the shared store alive for as long as this one lives and does not
 * end it, so that a lock that nobody keeps can be short-lived. -1: there is none, and the lock will
 * end by itself.
 */
pid_t keeper_start(const struct store_place *place, const struct store_lock *lock);
void keeper_end(pid_t keeper);

#endif
