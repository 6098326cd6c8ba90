#include "fleet/redisrefusal.h"

#include <string.h>

/* What the fleet needs, as a Redis ACL spells it. */
#define ALLOW "; allow it ~sypht:* +get +set +del +exists +pexpire +eval"

/*
 * By the beginning of the error. Redis has codes, but also errors that all begin with ERR, and its
 * versions word some of them differently.
 */
static const struct {
	const char *begins;
	const char *words;
} REFUSALS[] = {
	{"READONLY", "it is read-only, a replica; name its primary in shared_store"},
	{"OOM", "it is full; give it more maxmemory"},
	{"MISCONF", "it cannot save to disk and refuses writes; see its log"},
	{"NOREPLICAS", "too few replicas are connected (min-replicas-to-write)"},
	{"NOAUTH", "it requires a password: shared_store = redis://:PASSWORD@HOST"},
	{"WRONGPASS", "user or password is wrong"},
	{"ERR invalid password", "user or password is wrong"},
	{"ERR AUTH ", "it has no password set; leave it out of shared_store"},
	{"ERR Client sent AUTH", "it has no password set; leave it out of shared_store"},
	{"DENIED", "it is in protected mode; give it a password, and put that into "
		   "shared_store"},
	{"NOPERM", "its user lacks a permission" ALLOW},
	{"ERR ACL failure", "its user lacks a permission" ALLOW},
	{"ERR The user executing", "its user lacks a permission" ALLOW},
	{"ERR Error running script", "its user lacks a permission" ALLOW},
	{"ERR unknown command", "it lacks a command that this program needs" ALLOW},
	{"NOSCRIPT", "it refuses to run scripts" ALLOW},
	{"LOADING", "it is still starting"},
	{"MASTERDOWN", "it is a replica that has lost its primary"},
	{"CLUSTERDOWN", "its cluster is down"},
	{"MOVED", "it is a node of a cluster; name a Redis that is not in a cluster"},
	{"ASK", "it is a node of a cluster; name a Redis that is not in a cluster"},
	{"BUSY", "it is busy with a script"},
	{"WRONGTYPE", "another program uses keys that begin with sypht:"},
	{"ERR max number of clients", "it has no room for another client (maxclients)"},
	{"ERR DB index", "it has no database with the number in shared_store"},
};

const char *redisrefusal_explain(const char *error)
{
	for (size_t i = 0; i < sizeof(REFUSALS) / sizeof(REFUSALS[0]); i++) {
		if (strncmp(error, REFUSALS[i].begins, strlen(REFUSALS[i].begins)) == 0)
			return REFUSALS[i].words;
	}
	return "it answered with an error that is not known here";
}
