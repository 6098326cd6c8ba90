#include "keeper.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

enum { KEPT_PER_LIFE = 4 }; /* so that one that comes late is not the lock's end */

static void pause_for(long milliseconds)
{
	const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* Over when the lock is lost, or the store. */
static void keep(const struct store_place *place, const struct store_lock *lock)
{
	struct store *store;
	bool mine = true;

	if (store_open(place, &store, NULL))
		return;
	while (mine) {
		pause_for(lock->life_ms / KEPT_PER_LIFE);
		if (store_keep(store, lock, &mine, NULL))
			mine = false;
	}
	store_close(store);
}

pid_t keeper_start(const struct store_place *place, const struct store_lock *lock)
{
	pid_t kept_for = getpid();
	pid_t keeper = fork();

	if (keeper != 0)
		return keeper;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == kept_for)
		keep(place, lock);
	_exit(0);
}

void keeper_end(pid_t keeper)
{
	if (keeper < 0)
		return;
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
}
