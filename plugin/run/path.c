#include "run/path.h"

#include <stdio.h>
#include <string.h>

/* snprintf() tells the length that was needed, so a path that was cut is noticed. */
bool path_join(char path[PATH_MAX], const char *directory, size_t length, const char *name)
{
	const char *slash = length > 0 && directory[length - 1] != '/' ? "/" : "";
	int printed;

	if (length >= PATH_MAX)
		return false;
	printed = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, directory, slash, name);
	return printed >= 0 && printed < PATH_MAX;
}

bool path_copy(char path[PATH_MAX], const char *from)
{
	return path_join(path, "", 0, from);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
