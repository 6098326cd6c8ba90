#include "fleet/notice.h"

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
	const char *reason = notice->reason.reason;
	const struct attributes_row rows[] = {
		{"at_ms", NULL, notice->at_ms},
		{"minting", NULL, notice->minting},
		{"elapsed_ms", NULL, notice->elapsed_ms},
		{"took_ms", NULL, notice->took_ms},
		{"until", NULL, notice->until},
		{"reason", *reason != '\0' ? reason : NULL, 0},
		{0},
	};
	struct buffer lines = BUFFER_INIT(NOTICE_MAX_BYTES / 2);
	enum status status = attributes_add_rows(&lines, rows);

	buffer_clear(out);
	if (!status)
		status = seal_close_lines(seal, &lines, out);
	buffer_release(&lines);
	return status;
}

/* Numbers are read by attributes_number(), so a bug of a writer cannot make one negative. */
bool notice_open(const struct seal *seal, const struct buffer *sealed, struct notice *notice)
{
	struct attributes lines = ATTRIBUTES_INIT;
	const char *reason;
	bool good;

	/* there may be none yet, or one that was sealed with an older secret */
	*notice = (struct notice){0};
	good = sealed->length > 0 && seal_open_lines(seal, sealed, &lines);
	if (good) {
		notice->at_ms = attributes_number(&lines, "at_ms");
		notice->minting = attributes_number(&lines, "minting") == 1;
		notice->elapsed_ms = attributes_number(&lines, "elapsed_ms");
		notice->took_ms = attributes_number(&lines, "took_ms");
		notice->until = attributes_number(&lines, "until");
		reason = attributes_get(&lines, "reason");
		status_fail(&notice->reason, STATUS_OK, "%s", reason ? reason : "");
	}
	attributes_release(&lines);
	return good;
}
