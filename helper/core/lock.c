#include "core/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	BEAT_US = 250000,
	STOPPED_S = 5,       /* without waiting: a holder silent for so long may be stopped */
	SECOND_LOOK_MS = 50, /* a new holder may not have given its first heartbeat yet */
	SIGNAL_US = 200000,  /* how often a wait is interrupted */
	MINT_MS = 500,       /* time to keep for a token request after a holder is passed by */
	PATIENCE_LEAST_MS = 1000,
};

/* The result of an attempt on one generation. GONE: its file was removed, or never existed. */
enum attempt { ATTEMPT_HELD, ATTEMPT_PASSED_BY, ATTEMPT_GONE, ATTEMPT_FAILED };

static void name_generation(const char *stem, int generation, char out[LOCK_NAME_BYTES])
{
	if (generation == 0)
		snprintf(out, LOCK_NAME_BYTES, "%s.lock", stem);
	else
		snprintf(out, LOCK_NAME_BYTES, "%s.lock%d", stem, generation);
}

void lock_next_name(const struct lock *lock, char out[LOCK_NAME_BYTES])
{
	name_generation(lock->stem, lock->generation + 1, out);
}

static bool is_there(const struct lock *lock, int generation)
{
	char name[LOCK_NAME_BYTES];

	name_generation(lock->stem, generation, name);
	return faccessat(lock->directory, name, F_OK, 0) == 0;
}

bool lock_is_lost(const struct lock *lock)
{
	return lock->generation >= 0 && is_there(lock, lock->generation + 1);
}

static int open_generation(const struct lock *lock, int generation, bool create)
{
	char name[LOCK_NAME_BYTES];

	name_generation(lock->stem, generation, name);
	return openat(lock->directory, name,
		O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0), 0600);
}

/* Whether fd still is the file of that name: another process may have removed it, see lock.h. */
static bool is_in_place(const struct lock *lock, int generation, int fd)
{
	char name[LOCK_NAME_BYTES];
	struct stat ours;
	struct stat found;

	name_generation(lock->stem, generation, name);
	return fstat(fd, &ours) == 0 &&
	       fstatat(lock->directory, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == found.st_ino && ours.st_dev == found.st_dev;
}

/* ---- the heartbeat ---- */

/*
 * The heartbeat must go on while the holder waits in a system call, and end when it is stopped. The
 * signal of a timer does both, without a second process or thread.
 */
static volatile sig_atomic_t beating_descriptor = -1;
static struct sigaction action_before;
static sigset_t mask_before;

static void give_heartbeat(int signal_number)
{
	int error = errno;

	(void)signal_number;
	if (beating_descriptor >= 0)
		futimens(beating_descriptor, NULL);
	errno = error;
}

static void set_timer(long microseconds)
{
	struct itimerval timer = {.it_interval = {.tv_usec = microseconds}};

	timer.it_value = timer.it_interval;
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void catch_alarms(void)
{
	const struct sigaction action = {.sa_handler = give_heartbeat};
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigaction(SIGALRM, &action, &action_before);
	sigprocmask(SIG_UNBLOCK, &alarms, &mask_before);
}

static void leave_alarms(void)
{
	set_timer(0); /* first: by default SIGALRM ends the process */
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
	sigaction(SIGALRM, &action_before, NULL);
}

static void start_beating(int descriptor)
{
	futimens(descriptor, NULL);
	beating_descriptor = descriptor;
	set_timer(BEAT_US);
}

static bool same_time(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- waiting ---- */

/*
 * Whether flock(2) took the lock. If not, *sign is the time of the holder's last heartbeat. Waiters
 * only compare it with an earlier one, so no clock has to agree with the file system's.
 */
static bool try_flock(int fd, int operation, struct timespec *sign)
{
	struct stat found;
	int error;

	if (flock(fd, operation) == 0)
		return true;
	error = errno;
	if (fstat(fd, &found) == 0)
		*sign = found.st_mtim;
	errno = error;
	return false;
}

/*
 * A caller that does not wait judges by the wall clock whether the holder runs. A second look after
 * a short pause tells a stopped holder from one that has just taken the lock.
 */
static enum attempt look_once(int fd, const struct timespec *sign)
{
	const struct timespec pause = {.tv_nsec = SECOND_LOOK_MS * 1000000L};
	struct timespec later = *sign;

	if (time(NULL) - sign->tv_sec < STOPPED_S)
		return ATTEMPT_FAILED;
	nanosleep(&pause, NULL);
	if (try_flock(fd, LOCK_EX | LOCK_NB, &later))
		return ATTEMPT_HELD;
	return same_time(sign, &later) ? ATTEMPT_PASSED_BY : ATTEMPT_FAILED;
}

/* flock(2) has no timeout. SIGALRM interrupts it, and repeats in case one comes before the call. */
static enum attempt wait_for(const struct lock *lock, int generation, int fd,
	const struct timespec *first_sign, long long deadline, long patience_ms)
{
	struct timespec sign = *first_sign;
	struct timespec seen = sign;
	long long seen_at = now_ms();

	for (;;) {
		long long now;

		if (try_flock(fd, LOCK_EX, &sign))
			return ATTEMPT_HELD;
		if (errno != EINTR)
			return ATTEMPT_FAILED;
		now = now_ms();
		if (!same_time(&sign, &seen)) {
			seen = sign;
			seen_at = now;
		}
		if (now >= deadline) {
			errno = EINTR;
			return ATTEMPT_FAILED;
		}
		if (is_there(lock, generation + 1) || now - seen_at >= patience_ms)
			return ATTEMPT_PASSED_BY;
	}
}

/* ---- the generations ---- */

/* With little time, pass a stopped holder by sooner, so that a token request still fits in. */
static long patience_within(long timeout_ms)
{
	long patience_ms = timeout_ms - MINT_MS;

	if (patience_ms > LOCK_PATIENCE_MS)
		return LOCK_PATIENCE_MS;
	return patience_ms > PATIENCE_LEAST_MS ? patience_ms : PATIENCE_LEAST_MS;
}

static enum attempt wait_for_holder(const struct lock *lock, int generation, int fd,
	const struct timespec *sign, long long deadline, long timeout_ms)
{
	if (is_there(lock, generation + 1))
		return ATTEMPT_PASSED_BY;
	if (timeout_ms > 0)
		return wait_for(lock, generation, fd, sign, deadline, patience_within(timeout_ms));
	errno = EWOULDBLOCK;
	return look_once(fd, sign);
}

static enum attempt attempt_on(
	struct lock *lock, int generation, bool create, long long deadline, long timeout_ms)
{
	int fd = open_generation(lock, generation, create);
	struct timespec sign = {0};
	enum attempt attempt = ATTEMPT_FAILED;
	int error;

	if (fd < 0)
		return errno == ENOENT && generation > 0 ? ATTEMPT_GONE : ATTEMPT_FAILED;
	if (try_flock(fd, LOCK_EX | LOCK_NB, &sign))
		attempt = ATTEMPT_HELD;
	else if (errno == EWOULDBLOCK)
		attempt = wait_for_holder(lock, generation, fd, &sign, deadline, timeout_ms);
	if (attempt == ATTEMPT_HELD && !is_in_place(lock, generation, fd))
		attempt = ATTEMPT_GONE;
	if (attempt == ATTEMPT_HELD) {
		lock->descriptors[generation] = fd;
		return attempt;
	}
	error = errno;
	close(fd);
	errno = error;
	return attempt;
}

static void let_go(struct lock *lock)
{
	for (int i = 0; i < LOCK_GENERATIONS; i++) {
		if (lock->descriptors[i] >= 0)
			close(lock->descriptors[i]);
		lock->descriptors[i] = -1;
	}
	lock->generation = -1;
}

/* Highest first. A process that waits for a removed file starts again at generation 0. */
static void remove_higher(struct lock *lock)
{
	char name[LOCK_NAME_BYTES];

	for (int i = 0; i < lock->generation; i++)
		if (lock->descriptors[i] < 0)
			return;
	for (; lock->generation > 0; lock->generation--) {
		name_generation(lock->stem, lock->generation, name);
		unlinkat(lock->directory, name, 0);
		close(lock->descriptors[lock->generation]);
		lock->descriptors[lock->generation] = -1;
	}
}

/*
 * Try the generations from 0 up. HELD: go on, as a higher generation may exist; the lock is ours
 * once the next one does not. PASSED_BY: the holder is stopped, so create the next generation.
 * GONE: the file was removed after we opened it; then all may have changed, so start again at 0.
 */
static bool climb_generations(struct lock *lock, long timeout_ms)
{
	long long deadline = now_ms() + timeout_ms;
	bool create = true;
	int generation = 0;

	while (generation < LOCK_GENERATIONS) {
		enum attempt attempt = attempt_on(lock, generation, create, deadline, timeout_ms);

		if (attempt == ATTEMPT_FAILED)
			return false;
		if (attempt == ATTEMPT_GONE && generation > 0 &&
			lock->descriptors[generation - 1] >= 0) {
			lock->generation = generation - 1;
			return true;
		}
		create = attempt == ATTEMPT_PASSED_BY;
		generation++;
		if (attempt == ATTEMPT_GONE) {
			let_go(lock);
			create = true;
			generation = 0;
		}
	}
	lock->generation = lock->descriptors[LOCK_GENERATIONS - 1] >= 0 ? LOCK_GENERATIONS - 1 : -1;
	errno = EWOULDBLOCK;
	return lock->generation >= 0;
}

bool lock_take(struct lock *lock, int directory, const char *stem, long timeout_ms)
{
	int error;

	*lock = (struct lock){.directory = directory, .stem = stem, .generation = -1};
	for (int i = 0; i < LOCK_GENERATIONS; i++)
		lock->descriptors[i] = -1;
	catch_alarms();
	if (timeout_ms > 0)
		set_timer(SIGNAL_US);
	if (climb_generations(lock, timeout_ms)) {
		remove_higher(lock);
		start_beating(lock->descriptors[lock->generation]);
		return true;
	}
	error = errno;
	leave_alarms();
	let_go(lock);
	errno = error;
	return false;
}

void lock_go_on(const struct lock *lock)
{
	start_beating(lock->descriptors[lock->generation]);
}

void lock_release(struct lock *lock)
{
	if (lock->generation < 0)
		return;
	leave_alarms();
	beating_descriptor = -1;
	let_go(lock);
}
