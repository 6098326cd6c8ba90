#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

/*
 * The right to change one token's files, for programs of our own: flock(2) on a file, which the
 * kernel frees when its holder dies. A holder that is stopped (Ctrl-Z) does not die, so it also has
 * to show that it runs: it touches the file several times a second. Whoever waits and sees no such
 * sign for LOCK_PATIENCE_MS passes by, to the file of the next generation:
 *
 *	stem.lock       held by a process that is stopped
 *	stem.lock1      held by the one that passed by
 *
 * A holder was passed by once there is a file of a higher generation. It has to look, by
 * lock_next_name(), before it puts anything in place. Who holds all generations removes the higher
 * ones.
 */
enum { LOCK_GENERATIONS = 8, LOCK_PATIENCE_MS = 2000, LOCK_NAME_BYTES = 32 };

struct lock {
	int directory;                     /* the caller's */
	const char *stem;                  /* the caller's */
	int descriptors[LOCK_GENERATIONS]; /* -1: not held */
	int generation;                    /* the highest that is held; -1: none is */
};

#define LOCK_INIT \
	{ \
		.directory = -1, .generation = -1 \
	}

/*
 * Waits at most timeout_ms; 0 does not wait. Where that is not much more than LOCK_PATIENCE_MS it
 * passes by sooner, but not within a second. Uses SIGALRM and ITIMER_REAL until lock_release().
 * False: errno says why (EWOULDBLOCK: somebody holds it; EINTR: so long).
 */
bool lock_take(struct lock *lock, int directory, const char *stem, long timeout_ms);

/* The name of the file that is there once this holder was passed by. */
void lock_next_name(const struct lock *lock, char out[LOCK_NAME_BYTES]);

/* Whether it is held, and this holder was passed by. */
bool lock_is_lost(const struct lock *lock);

/* In a child that goes on with its parent's lock: timers do not come along. */
void lock_go_on(const struct lock *lock);

/* Free once every process that shares it has released it or ended. Does nothing if not held. */
void lock_release(struct lock *lock);

#endif
