#include "core/mountpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_PLACE = 4, FIELD_OPTIONS = 5 };

bool mountpoint_is_below(const char *place, const char *directory)
{
	size_t length = strlen(directory);

	while (length > 1 && directory[length - 1] == '/')
		length--;
	if (length == 1 && *directory == '/')
		return true;
	return strncmp(place, directory, length) == 0 &&
	       (place[length] == '\0' || place[length] == '/');
}

/* mountinfo writes blanks and backslashes in paths in octal (proc(5)). */
static void decode_octal(char *text)
{
	char *to = text;

	while (*text != '\0') {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			const char digits[] = {text[1], text[2], text[3], '\0'};

			*to++ = (char)strtol(digits, NULL, 8);
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* The whole option: "ro" must not match "errors=remount-ro". */
static bool has_option(const char *options, const char *wanted)
{
	size_t length = strlen(wanted);

	for (const char *p = options; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		if (strncmp(p, wanted, length) == 0 && strchr(",\n", p[length]))
			return true;
	}
	return false;
}

/*
 * 36 35 98:0 /root /place rw,noatime shared:1 - ext4 /dev/root rw,errors=continue
 * The mount can be read-only (field 6), and so can the file system (the last field).
 */
static bool read_line(char *line, struct mountpoint *mountpoint)
{
	char *behind = strstr(line, " - "); /* before it, the number of fields varies */
	char *fields[FIELD_OPTIONS + 1];
	char *rest = line;
	char *type;
	char *super = NULL;

	if (!behind)
		return false;
	*behind = '\0';
	for (int i = 0; i <= FIELD_OPTIONS; i++) {
		fields[i] = strsep(&rest, " ");
		if (!fields[i])
			return false;
	}
	rest = behind + strlen(" - ");
	type = strsep(&rest, " ");
	if (rest && strsep(&rest, " "))
		super = rest;
	decode_octal(fields[FIELD_PLACE]);
	if (strlen(fields[FIELD_PLACE]) >= sizeof(mountpoint->place))
		return false;
	snprintf(mountpoint->place, sizeof(mountpoint->place), "%s", fields[FIELD_PLACE]);
	mountpoint->read_only =
		has_option(fields[FIELD_OPTIONS], "ro") || (super && has_option(super, "ro"));
	mountpoint->in_memory = strcmp(type, "tmpfs") == 0 || strcmp(type, "ramfs") == 0;
	return true;
}

/* Find the deepest mount. Of several mounts on one place the last counts: it hides the others. */
bool mountpoint_find(const char *path, struct mountpoint *mountpoint)
{
	FILE *table = fopen("/proc/self/mountinfo", "re");
	struct mountpoint other;
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (table && getline(&line, &size, table) > 0) {
		if (!read_line(line, &other) || !mountpoint_is_below(path, other.place) ||
			(found && strlen(other.place) < strlen(mountpoint->place)))
			continue;
		*mountpoint = other;
		found = true;
	}
	free(line);
	if (table)
		fclose(table);
	return found;
}
