/*
 * Libcurl programs by the dozen: each line on standard input says which callbacks and bodies one
 * uses, how it drives its handle, and where to:
 *
 *	ID DRIVE WORD+WORD... URL URL URL
 *
 * Three transfers on one handle: all the words say to the first URL, the same to the second, and
 * a plain GET to the third. What the callbacks saw is printed, and then "end ID".
 *
 * With BEARER in the environment it authenticates by itself at the origin of the first URL.
 */
#include <stdlib.h>
#include <string.h>

#include "cell.h"

enum { LINE_BYTES = 4096, TIMEOUT_MS = 10000, TRANSFERS = 3 };

static bool prepare(struct cell *cell, char *words)
{
	cell->easy = curl_easy_init();
	curl_easy_setopt(cell->easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	curl_easy_setopt(cell->easy, CURLOPT_ERRORBUFFER, cell->error);
	curl_easy_setopt(cell->easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(cell->easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(cell->easy, CURLOPT_NOSIGNAL, 1L);
	receive_apply(cell, "write");
	for (const char *word = strsep(&words, "+"); word; word = strsep(&words, "+"))
		if (!receive_apply(cell, word) && !hook_apply(cell, word) &&
			!body_apply(cell, word)) {
			fprintf(stderr, "no such word: %s\n", word);
			return false;
		}
	return true;
}

static bool same_origin(const char *url, const char *other)
{
	enum { AUTHORITY = sizeof("https://") };

	return strncmp(url, other, AUTHORITY + strcspn(url + AUTHORITY, "/")) == 0;
}

static void play(struct cell *cell, const char *way, char *const urls[TRANSFERS])
{
	for (; cell->transfer < TRANSFERS; cell->transfer++) {
		CURLcode result;

		if (cell->transfer > 0 && cell->body_once)
			body_remove(cell);
		if (cell->transfer == TRANSFERS - 1) {
			body_remove(cell);
			curl_easy_setopt(cell->easy, CURLOPT_CONNECT_ONLY, 0L);
			cell->raw = RAW_NOT;
		}
		cell_authenticate(cell->easy, same_origin(urls[0], urls[cell->transfer]));
		cell->url = urls[cell->transfer];
		cell->stranger = urls[1];
		curl_easy_setopt(cell->easy, CURLOPT_URL, urls[cell->transfer]);
		result = drive(cell, way);
		cell_report(cell, result);
		body_restart(cell);
	}
}

static void finish(struct cell *cell)
{
	curl_easy_cleanup(cell->easy);
	curl_multi_cleanup(cell->multi);
	curl_share_cleanup(cell->share);
	cell->easy = NULL;
	body_free(cell);
}

static bool act(char *line)
{
	static struct cell nothing;
	struct cell cell = nothing;
	const char *id = strsep(&line, " ");
	const char *way = strsep(&line, " ");
	char *words = strsep(&line, " ");
	char *urls[TRANSFERS];

	for (size_t i = 0; i < TRANSFERS; i++)
		urls[i] = strsep(&line, " ");
	if (!urls[TRANSFERS - 1] || !drive_known(way) || !prepare(&cell, words))
		return false;
	play(&cell, way, urls);
	finish(&cell);
	printf("end %s\n", id);
	return fflush(stdout) == 0;
}

int main(void)
{
	char line[LINE_BYTES];

	curl_global_init(CURL_GLOBAL_ALL);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!act(line)) {
			fprintf(stderr, "cannot be played: %s\n", line);
			return 2;
		}
	}
	curl_global_cleanup();
	return 0;
}
