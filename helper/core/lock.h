#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

/*
 * The lock on one token's files: flock(2) on a file, which the kernel frees when the holder dies. A
 * stopped holder (Ctrl-Z) does not die, so the holder also touches the file several times a second
 * while it runs. If a waiter sees no such heartbeat for LOCK_PATIENCE_MS, it passes the holder by:
 * it locks the file of the next generation.
 *
 *	stem.lock       held by a process that is stopped
 *	stem.lock1      held by the process that passed it by
 *
 * A holder has lost the lock once the file of the next generation exists. Before it puts a file in
 * place, it must look for that file (lock_next_name()). A process that holds all generations
 * removes the higher ones.
 */
enum { LOCK_GENERATIONS = 8, LOCK_PATIENCE_MS = 2000, LOCK_NAME_BYTES = 32 };

struct lock {
	int directory;                     /* the caller's */
	const char *stem;                  /* the caller's */
	int descriptors[LOCK_GENERATIONS]; /* -1: not held */
	int generation;                    /* the highest that is held; -1: none */
};

#define LOCK_INIT \
	{ \
		.directory = -1, .generation = -1 \
	}

/*
 * Waits at most timeout_ms; 0 does not wait. If timeout_ms is not much more than LOCK_PATIENCE_MS,
 * it passes a stopped holder by sooner, but not within a second. Uses SIGALRM and ITIMER_REAL until
 * lock_release(). False: errno says why (EWOULDBLOCK: it is held; EINTR: held until the timeout).
 */
bool lock_take(struct lock *lock, int directory, const char *stem, long timeout_ms);

/* The name of the file that exists once this holder was passed by. */
void lock_next_name(const struct lock *lock, char out[LOCK_NAME_BYTES]);

/* Whether this process holds the lock and was passed by. */
bool lock_is_lost(const struct lock *lock);

/* Restart the heartbeat in a forked child, which shares the lock but inherits no timer. */
void lock_go_on(const struct lock *lock);

/* Free once all processes that share it have released it or ended. Does nothing if not held. */
void lock_release(struct lock *lock);

#endif
