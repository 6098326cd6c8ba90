#include "fleet/notice.h"

#include <stdlib.h>
#include <time.h>

#include "core/attributes.h"
#include "fleet/seal.h"

long long notice_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum status notice_close(const struct seal *seal, const struct notice *notice, struct buffer *out)
{
	const struct {
		const char *key;
		long long value;
	} numbers[] = {
		{"at_ms", notice->at_ms},
		{"minting", notice->minting},
		{"elapsed_ms", notice->elapsed_ms},
		{"took_ms", notice->took_ms},
		{"until", notice->until},
	};
	struct buffer lines = BUFFER_INIT(NOTICE_MAX_BYTES / 2);
	enum status status = attributes_add(
		&lines, "reason", notice->reason.reason[0] != '\0' ? notice->reason.reason : NULL);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !status; i++)
		status = attributes_add_number(&lines, numbers[i].key, numbers[i].value);
	buffer_clear(out);
	if (!status)
		status = seal_close_lines(seal, &lines, out);
	buffer_release(&lines);
	return status;
}

static long long number(const struct attributes *lines, const char *key)
{
	const char *text = attributes_get(lines, key);
	long long value = text ? strtoll(text, NULL, 10) : 0;

	return value > 0 ? value : 0;
}

bool notice_open(const struct seal *seal, const struct buffer *sealed, struct notice *notice)
{
	struct attributes lines = ATTRIBUTES_INIT;
	const char *reason;
	bool good;

	*notice = (struct notice){0};
	good = sealed->length > 0 && seal_open_lines(seal, sealed, &lines);
	if (good) {
		notice->at_ms = number(&lines, "at_ms");
		notice->minting = number(&lines, "minting") == 1;
		notice->elapsed_ms = number(&lines, "elapsed_ms");
		notice->took_ms = number(&lines, "took_ms");
		notice->until = number(&lines, "until");
		reason = attributes_get(&lines, "reason");
		status_fail(&notice->reason, STATUS_OK, "%s", reason ? reason : "");
	}
	attributes_release(&lines);
	return good;
}
