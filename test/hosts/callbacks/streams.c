#include <stdlib.h>
#include <string.h>

#include "cell.h"

/*
 * Several transfers at once, which share a connection where the server speaks HTTP/2: the cell's
 * own, companions that ask for the same and for no more, and what the server pushes.
 */
enum { COMPANIONS = 5, GUESTS_MAX = 16, WAIT_MS = 100, PATIENCE_MS = 12000 };

struct guest {
	CURL *easy;
	char name[16];
	bool pushed;
	size_t bytes;
	int ends;
	CURLcode result;
};

struct gathering {
	struct cell *cell;
	struct guest guests[GUESTS_MAX];
	size_t count;
	int ends; /* of the cell's own transfer */
	CURLcode result;
};

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
	struct guest *guest = context;

	(void)bytes;
	guest->bytes += size * count;
	return size * count;
}

static struct guest *welcome(struct gathering *gathering, CURL *easy, const char *name)
{
	struct guest *guest = &gathering->guests[gathering->count++];

	guest->easy = easy;
	snprintf(guest->name, sizeof(guest->name), "%s", name);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, guest);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, guest);
	return guest;
}

static void invite(struct gathering *gathering, size_t number)
{
	struct cell *cell = gathering->cell;
	CURL *easy = curl_easy_init();
	char name[16], url[256];

	snprintf(name, sizeof(name), "stream %zu", number);
	snprintf(url, sizeof(url), "%s.%zu", cell->url, number);
	welcome(gathering, easy, name);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	cell_authenticate(easy, true);
	curl_multi_add_handle(cell->multi, easy);
}

static int receive_push(
	CURL *parent, CURL *pushed, size_t count, struct curl_pushheaders *headers, void *context)
{
	struct gathering *gathering = context;

	(void)parent;
	(void)count;
	if (gathering->cell->push == PUSH_DENIED || gathering->count == GUESTS_MAX)
		return CURL_PUSH_DENY;
	(void)headers;
	welcome(gathering, pushed, "push")->pushed = true;
	return CURL_PUSH_OK;
}

static void read_ends(struct gathering *gathering)
{
	CURLMsg *message;
	int queued;

	while ((message = curl_multi_info_read(gathering->cell->multi, &queued))) {
		struct guest *guest = NULL;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &guest);
		if (message->easy_handle == gathering->cell->easy) {
			gathering->ends++;
			gathering->result = message->data.result;
		} else if (guest) {
			guest->ends++;
			guest->result = message->data.result;
		}
	}
}

/* Not all libcurls tell that what was pushed has ended: that is not waited for. */
static bool is_over(const struct gathering *gathering)
{
	bool over = gathering->ends > 0;

	for (size_t i = 0; i < gathering->count; i++)
		over &= gathering->guests[i].pushed || gathering->guests[i].ends > 0;
	return over;
}

/* What was pushed is the application's handle now: it is used again, for a stranger. */
static void farewell(struct gathering *gathering, struct guest *guest)
{
	struct cell *cell = gathering->cell;
	long code = 0;

	curl_easy_getinfo(guest->easy, CURLINFO_RESPONSE_CODE, &code);
	curl_multi_remove_handle(cell->multi, guest->easy);
	if (!guest->pushed) {
		cell_remark(cell, "%s: %d ends, %d %ld %zu", guest->name, guest->ends,
			guest->result, code, guest->bytes);
	} else {
		cell_authenticate(guest->easy, false);
		curl_easy_setopt(guest->easy, CURLOPT_URL, cell->stranger);
		guest->bytes = 0;
		guest->result = curl_easy_perform(guest->easy);
		cell_remark(cell, "push, then again: %d %zu", guest->result, guest->bytes);
	}
	curl_easy_cleanup(guest->easy);
}

CURLcode drive_streams(struct cell *cell)
{
	struct gathering gathering = {.cell = cell};
	int running = 1;

	if (!cell->multi)
		cell->multi = curl_multi_init();
	if (cell->push != PUSH_NONE) {
		curl_multi_setopt(cell->multi, CURLMOPT_PUSHFUNCTION, receive_push);
		curl_multi_setopt(cell->multi, CURLMOPT_PUSHDATA, &gathering);
	}
	curl_easy_setopt(cell->easy, CURLOPT_PIPEWAIT, 1L);
	curl_multi_add_handle(cell->multi, cell->easy);
	for (size_t i = 1; cell->transfer == 0 && i <= COMPANIONS; i++)
		invite(&gathering, i);
	while (running && !is_over(&gathering)) {
		curl_multi_perform(cell->multi, &running);
		curl_multi_poll(cell->multi, NULL, 0, running ? WAIT_MS : 0, NULL);
		cell_resume(cell);
		read_ends(&gathering);
	}
	curl_multi_remove_handle(cell->multi, cell->easy);
	for (size_t i = 0; i < gathering.count; i++)
		farewell(&gathering, &gathering.guests[i]);
	curl_multi_setopt(cell->multi, CURLMOPT_PUSHFUNCTION, NULL);
	if (gathering.ends != 1)
		cell_remark(cell, "told %d times that it ended", gathering.ends);
	return gathering.result;
}
