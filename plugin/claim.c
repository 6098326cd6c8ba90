#include "claim.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A thread id has at most 22 bits. The count distinguishes successive claims of one thread. */
enum { THREAD_BITS = 22, THREAD_MASK = (1 << THREAD_BITS) - 1 };

/* From <linux/futex.h>, which not every C library's headers come with. */
enum { FUTEX_PRIVATE_WAIT = 128 + 0, FUTEX_PRIVATE_WAKE = 128 + 1 };

static unsigned own_thread(void)
{
	return (unsigned)syscall(SYS_gettid) & THREAD_MASK;
}

/*
 * If this thread itself is the holder, it has jumped out of its work: otherwise it would not be
 * here.
 */
static bool is_at_work(unsigned holder)
{
	unsigned thread = holder & THREAD_MASK;

	return thread && thread != own_thread() &&
	       (syscall(SYS_tgkill, getpid(), thread, 0) == 0 || errno != ESRCH);
}

static void end_claim(void *argument)
{
	struct hold *hold = argument;
	unsigned holder = hold->holder;

	if (atomic_compare_exchange_strong(&hold->claim->holder, &holder, 0))
		syscall(SYS_futex, &hold->claim->holder, FUTEX_PRIVATE_WAKE, 1, NULL, NULL, 0);
	pthread_setcancelstate(hold->cancel_state, NULL);
}

static bool take_from(struct claim *claim, struct hold *hold, unsigned before)
{
	static atomic_uint count;

	hold->claim = claim;
	hold->holder = own_thread() | atomic_fetch_add(&count, 1) << THREAD_BITS;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &hold->cancel_state);
	if (!atomic_compare_exchange_strong(&claim->holder, &before, hold->holder)) {
		pthread_setcancelstate(hold->cancel_state, NULL);
		return false;
	}
	escape_watch(&hold->escape, end_claim, hold);
	return true;
}

bool claim_try(struct claim *claim, struct hold *hold)
{
	unsigned holder = atomic_load(&claim->holder);

	return !is_at_work(holder) && take_from(claim, hold, holder);
}

static time_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void claim_take(struct claim *claim, struct hold *hold, long seconds)
{
	const struct timespec a_second = {.tv_sec = 1};
	unsigned seen = 0;
	time_t since = 0;

	while (!claim_try(claim, hold)) {
		unsigned holder = atomic_load(&claim->holder);
		time_t now = clock_now();

		if (holder != seen) {
			seen = holder;
			since = now;
		}
		if (holder && now - since >= seconds + CLAIM_PATIENCE_S &&
			take_from(claim, hold, holder))
			return;
		if (holder)
			syscall(SYS_futex, &claim->holder, FUTEX_PRIVATE_WAIT, holder, &a_second,
				NULL, 0);
	}
}

void claim_release(struct hold *hold)
{
	escape_unwatch(&hold->escape);
	end_claim(hold);
}
