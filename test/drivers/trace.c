/* trace TEXT: say it where SYPHT_TRACE says; exit 0 if errno was left alone. */
#include "core/trace.h"

#include <errno.h>

#include "core/settings.h"

int main(int argc, char **argv)
{
	struct settings settings;
	struct trace trace = TRACE_OFF;

	trace_say(&trace, "nobody hears this");
	settings_read(&settings);
	errno = 4711;
	trace_open(&trace, "driver", &settings);
	trace_say(&trace, "%s", argc > 1 ? argv[1] : "");
	trace_close(&trace);
	trace_say(&trace, "nor this");
	return errno != 4711;
}
