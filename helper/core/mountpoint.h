#ifndef MOUNTPOINT_H
#define MOUNTPOINT_H

#include <limits.h>
#include <stdbool.h>

/* The mount that a file lies on. */
struct mountpoint {
	char place[PATH_MAX];
	bool read_only;
	bool in_memory; /* tmpfs or ramfs */
};

/* path is absolute and without symbolic links. False: /proc/self/mountinfo does not tell. */
bool mountpoint_find(const char *path, struct mountpoint *mountpoint);

/* Whether place is directory or lies below it. */
bool mountpoint_is_below(const char *place, const char *directory);

#endif
