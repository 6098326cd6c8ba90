#include "app.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "seam.h"
#include "server.h"

/* What was seen ---------------------------------------------------------------------------- */

enum { BODY_BYTES = 23 };

struct sum {
	uint64_t ordered;
	uint64_t unordered;
};

static struct sum sums[2][APP_CHANNELS][SERVER_TRANSFERS_MAX];
static struct sum (*seen)[SERVER_TRANSFERS_MAX] = sums[0];
static int verbose = -1;

static bool is_verbose(void)
{
	if (verbose < 0)
		verbose = getenv("CALLS_TRACE") != NULL;
	return verbose;
}

void app_note(const char *what, const char *detail)
{
	if (is_verbose())
		fprintf(stderr, "  %s: %s\n", what, detail);
}

void app_trace(enum app_channel channel, unsigned key, unsigned long what, const char *text)
{
	static const char *const names[] = {"call", "out", "in", "wire"};
	struct sum *sum = &seen[channel][key];
	uint64_t hash = what * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (const char *p = text; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	sum->ordered = (sum->ordered ^ hash) * UINT64_C(0x9e3779b97f4a7c15);
	sum->unordered += hash;
	if (is_verbose())
		fprintf(stderr, "  %s %u: %ld %.60s\n", names[channel], key, (long)what, text);
}

static bool differ(enum app_channel channel, unsigned key)
{
	const struct sum *one = &sums[0][channel][key], *other = &sums[1][channel][key];

	/* the body is read twice where it is sent twice */
	if (channel == APP_IN && server_sent_twice(key))
		return false;
	if (channel == APP_OUT && handles_share(key))
		return one->unordered != other->unordered;
	return one->ordered != other->ordered;
}

const char *app_difference(void)
{
	static const char *const names[] = {"what calls returned", "what came into file",
		"what was read in transfer", "what was sent in transfer"};
	static char difference[80];

	for (int channel = 0; channel < APP_CHANNELS; channel++)
		for (unsigned key = 0; key < SERVER_TRANSFERS_MAX; key++)
			if (differ(channel, key)) {
				snprintf(difference, sizeof(difference), "%s %u", names[channel],
					key);
				return difference;
			}
	return NULL;
}

void app_run(const uint8_t *program, size_t size, bool plugin)
{
	const uint8_t *step = program + 1;

	fake_flavour.inner_hooked = *program & APP_INNER_HOOKED;
	fake_flavour.eight = *program & APP_EIGHT;
	seam_pass_on_failure(*program & APP_PASS);
	seen = sums[plugin ? 0 : 1];
	memset(seen, 0, sizeof(sums[0]));
	server_reset(plugin);
	handles_open(plugin);
	for (; step + APP_STEP_BYTES <= program + size && !server_is_full(); step += APP_STEP_BYTES)
		handles_step(step);
	handles_close();
	fake_check_empty();
}
