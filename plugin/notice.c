#include "notice.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/buffer.h"
#include "core/trace.h"
#include "scope.h"

_Atomic(enum notice) notice_state;

/* Settings that could be read do not change any more. */
bool notice_ask(void)
{
	const struct settings *settings = scope_settings();

	if (settings)
		atomic_store(&notice_state, settings->trace ? NOTICE_ON : NOTICE_OFF);
	return settings && settings->trace;
}

/* One write for the whole line, so that lines of several threads do not mix. */
void notice(const struct realm *realm, const char *format, ...)
{
	struct buffer line = BUFFER_INIT(TRACE_LINE_MAX);
	struct trace trace = TRACE_OFF;
	char text[FAILURE_MAX_BYTES + 64];
	va_list arguments;

	if (!notice_wanted())
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	trace_open(&trace, "sypht-preload", scope_settings());
	if (realm && origin_write(&realm->origin, &line) == STATUS_OK)
		trace_say(&trace, "request to %s: %s", buffer_text(&line), text);
	else
		trace_say(&trace, "request: %s", text);
	trace_close(&trace);
	buffer_release(&line);
}
