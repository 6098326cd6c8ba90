#include "core/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

enum status status_fail(struct failure *failure, enum status status, const char *format, ...)
{
	/* one byte more than a reason holds shows text_fit() where its last character ends */
	char whole[FAILURE_MAX_BYTES + 1];
	int saved_errno = errno;
	va_list arguments;

	if (failure) {
		va_start(arguments, format);
		vsnprintf(whole, sizeof(whole), format, arguments);
		va_end(arguments);
		whole[text_fit(whole, FAILURE_MAX_BYTES - 1)] = '\0';
		text_clean(whole);
		memcpy(failure->reason, whole, strlen(whole) + 1);
		failure->retry_after_s = 0;
	}
	errno = saved_errno;
	return status;
}

enum status status_no_memory(struct failure *failure)
{
	return status_fail(failure, STATUS_NO_MEMORY, "out of memory");
}

/* Scripts tell by 2 that repeating is useless before a person has corrected something. */
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
