/*
 * The plugin as a guest: whatever calls an application makes of libcurl, a token goes to its origin
 * only, and the application sees what it would have seen without the plugin. The input is a program
 * of such calls: a byte that says under what circumstances, then four bytes for each step.
 */
#include <stdio.h>

#include "calls/app.h"
#include "calls/server.h"
#include "fuzz.h"

enum { STEPS_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *difference;

	if (size < 1 + APP_STEP_BYTES || size > 1 + STEPS_MAX * APP_STEP_BYTES)
		return 0;
	app_run(data, size, true);
	if (server_diverged())
		return 0;
	app_run(data, size, false);
	difference = server_diverged() ? NULL : app_difference();
	if (difference)
		server_finding("the application sees a difference: %s", difference);
	return 0;
}
