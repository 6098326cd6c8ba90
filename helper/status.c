#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* ASCII's, and those that UTF-8 writes as C2 80 to C2 9F, which some terminals obey as well. */
static void replace_controls(char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f)
			*text = '?';
		else if (byte == 0xc2 && (text[1] & 0xe0) == 0x80)
			text[0] = text[1] = '?';
	}
}

enum status status_fail(struct failure *failure, enum status status, const char *format, ...)
{
	int saved_errno = errno;
	va_list arguments;

	if (failure) {
		va_start(arguments, format);
		vsnprintf(failure->reason, sizeof(failure->reason), format, arguments);
		va_end(arguments);
		replace_controls(failure->reason);
	}
	errno = saved_errno;
	return status;
}

int status_exit_code(enum status status)
{
	switch (status) {
	case STATUS_OK:
		return 0;
	case STATUS_MALFORMED:
	case STATUS_USAGE:
	case STATUS_CONFIG:
		return 2;
	default:
		return 1;
	}
}
