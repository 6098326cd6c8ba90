/*
 * Calls libcurl in ways that are allowed and uncommon:  quirks WHAT URL FILE
 *
 * What came of it is printed, a line a transfer: CURLcode, response code, number of responses'
 * status lines and bytes of bodies that the application was given, and what else matters.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *url;
static const char *path;

/* What a callback is given, to tell whether it is what was set. */
struct sink {
	long bodies, headers, statuses, strangers;
	size_t pauses; /* how often to pause before a piece is taken */
	CURL *easy;
	CURLM *cleaned;
	CURLMcode cleanup;
	char text[512];
};

static struct sink sink;
static char header_place;

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
	if (context == &header_place) {
		sink.headers++;
		sink.statuses += strncmp(bytes, "HTTP/", 5) == 0;
		return size * count;
	}
	sink.strangers += context != &sink;
	if (sink.pauses > 0) {
		sink.pauses--;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (sink.cleaned)
		sink.cleanup = curl_multi_cleanup(sink.cleaned);
	sink.bodies += (long)(size * count);
	if (strlen(sink.text) + size * count < sizeof(sink.text))
		strncat(sink.text, bytes, size * count);
	return size * count;
}

static int progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	curl_easy_pause(context, CURLPAUSE_CONT);
	return 0;
}

static CURL *aimed(void)
{
	CURL *easy = curl_easy_init();

	sink = (struct sink){.easy = easy};
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &sink);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
	return easy;
}

static void report(CURL *easy, CURLcode result)
{
	long response = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	printf("%d %ld %ld%s\n", result, response, sink.statuses,
		sink.strangers ? " strangers" : "");
}

static void perform(CURL *easy)
{
	report(easy, curl_easy_perform(easy));
}

static CURLM *added(CURL *easy)
{
	CURLM *multi = curl_multi_init();

	curl_multi_add_handle(multi, easy);
	return multi;
}

static void drive(CURLM *multi)
{
	CURLMsg *message;
	int running = 1, queued;

	while (running && !curl_multi_perform(multi, &running) && running)
		curl_multi_poll(multi, NULL, 0, 1000, NULL);
	while ((message = curl_multi_info_read(multi, &queued)))
		report(message->easy_handle, message->data.result);
}

/* A source that tells whether it is read by whom it was made for. */
struct source {
	const char *text;
	size_t given;
};

static size_t give(char *bytes, size_t size, size_t count, void *context)
{
	struct source *source = context;
	size_t length = strlen(source->text + source->given);

	if (length > size * count)
		length = size * count;
	memcpy(bytes, source->text + source->given, length);
	source->given += length;
	return length;
}

static int seek(void *context, curl_off_t offset, int origin)
{
	(void)origin;
	((struct source *)context)->given = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* Streams of a form are read by the handle's read function, with pointers of their own. */
static void form_stream(void)
{
	struct source upload = {"upload", 0}, stream = {"stream", 0};
	struct curl_httppost *form = NULL, *last = NULL;
	CURL *easy = aimed();

	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(easy, CURLOPT_READDATA, &upload);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, &upload);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	perform(easy);
	curl_formadd(&form, &last, CURLFORM_COPYNAME, "a", CURLFORM_STREAM, &stream,
		CURLFORM_CONTENTSLENGTH, 6L, CURLFORM_END);
	curl_easy_setopt(easy, CURLOPT_HTTPPOST, form);
	perform(easy);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	perform(easy);
	printf("%zu %zu\n", upload.given, stream.given);
	curl_easy_cleanup(easy);
	curl_formfree(form);
}

/* A form that may be sent again, or not. */
static void form(int streams)
{
	struct source stream = {"stream", 0};
	struct curl_httppost *first = NULL, *last = NULL;
	CURL *easy = aimed();

	curl_formadd(
		&first, &last, CURLFORM_COPYNAME, "a", CURLFORM_COPYCONTENTS, "b", CURLFORM_END);
	curl_formadd(&first, &last, CURLFORM_COPYNAME, "f", CURLFORM_FILE, path, CURLFORM_END);
	if (streams)
		curl_formadd(&first, &last, CURLFORM_COPYNAME, "s", CURLFORM_STREAM, &stream,
			CURLFORM_CONTENTSLENGTH, 6L, CURLFORM_END);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(easy, CURLOPT_HTTPPOST, first);
	perform(easy);
	curl_easy_cleanup(easy);
	curl_formfree(first);
}

static void form_again(void)
{
	form(0);
}

static void form_stream_again(void)
{
	form(1);
}

/* Headers go to the write function where there is data for them, and no function. */
static void header_data(void)
{
	CURL *easy = aimed();

	perform(easy);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, &header_place);
	perform(easy);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
	perform(easy);
	curl_easy_cleanup(easy);
}

/* The body is what a file has from where it stands. */
static void offset(void)
{
	FILE *file = fopen(path, "rb");
	CURL *easy = aimed();

	fseek(file, 1000, SEEK_SET);
	curl_easy_setopt(easy, CURLOPT_READDATA, file);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	perform(easy);
	puts(strstr(sink.text, "\"body_bytes\"") ? strstr(sink.text, "\"body_bytes\"") : sink.text);
	curl_easy_cleanup(easy);
	fclose(file);
}

/* libcurl rewinds a file by itself where it is read by fread(). */
static void by_fread(void)
{
	FILE *file = fopen(path, "rb");
	CURL *easy = aimed();

	curl_easy_setopt(easy, CURLOPT_READFUNCTION, fread);
	curl_easy_setopt(easy, CURLOPT_READDATA, file);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	perform(easy);
	curl_easy_cleanup(easy);
	fclose(file);
}

static CURL *pausing(void)
{
	CURL *easy = aimed();

	sink.pauses = 3;
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, easy);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	return easy;
}

static void pauses(void)
{
	CURL *easy = pausing();

	perform(easy);
	printf("%ld\n", sink.bodies);
	curl_easy_cleanup(easy);
}

static void pauses_multi(void)
{
	CURL *easy = pausing();
	CURLM *multi = added(easy);

	drive(multi);
	printf("%ld\n", sink.bodies);
	curl_multi_remove_handle(multi, easy);
	curl_multi_cleanup(multi);
	curl_easy_cleanup(easy);
}

static void perform_added(void)
{
	CURL *easy = aimed();
	CURLM *multi = added(easy);
	int running;

	curl_multi_perform(multi, &running);
	printf("%d\n", curl_easy_perform(easy));
	drive(multi);
	curl_multi_remove_handle(multi, easy);
	curl_multi_cleanup(multi);
	curl_easy_cleanup(easy);
}

/* libcurl refuses it, and goes on. */
static void cleanup_within(void)
{
	CURL *easy = aimed();
	CURLM *multi = added(easy);

	if (curl_version_info(CURLVERSION_NOW)->version_num >= 0x080000)
		sink.cleaned = multi;
	drive(multi);
	curl_multi_remove_handle(multi, easy);
	curl_multi_cleanup(multi);
	curl_easy_cleanup(easy);
}

/* A multi handle goes, and the easy handles that were in it live on. */
static void outlive(void)
{
	CURL *easy = aimed();
	CURLM *multi = added(easy);
	int running;

	curl_multi_perform(multi, &running);
	curl_multi_cleanup(multi);
	perform(easy);
	multi = added(easy);
	drive(multi);
	curl_multi_cleanup(multi);
	curl_easy_cleanup(easy);
}

static curl_off_t downloaded(CURL *easy)
{
	curl_off_t bytes = 0;

	curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
	return bytes;
}

/* The application loses patience amid a body, and has what has come of it. */
static void removed(void)
{
	CURL *easy = aimed();
	CURLM *multi = added(easy);
	int running = 1;

	while (running && downloaded(easy) < 3 && !curl_multi_perform(multi, &running))
		curl_multi_poll(multi, NULL, 0, 1000, NULL);
	curl_multi_remove_handle(multi, easy);
	printf("%d %d\n", running, sink.bodies >= 3 && sink.bodies == downloaded(easy));
	curl_multi_cleanup(multi);
	curl_easy_cleanup(easy);
}

/* Something is set while the transfer waits for a connection. */
static void waiting(void)
{
	struct curl_slist *list = curl_slist_append(NULL, "X-One: 1");
	CURL *first = aimed(), *second = aimed();
	CURLM *multi = added(first);
	int running;

	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
	curl_multi_add_handle(multi, second);
	curl_multi_perform(multi, &running);
	curl_easy_setopt(second, CURLOPT_HTTPHEADER, list);
	drive(multi);
	curl_multi_remove_handle(multi, first);
	curl_multi_remove_handle(multi, second);
	curl_multi_cleanup(multi);
	curl_easy_cleanup(first);
	curl_easy_cleanup(second);
	curl_slist_free_all(list);
}

/* What was set may be freed until the transfer starts, if it is replaced. */
static void replaced(void)
{
	struct curl_slist *list = curl_slist_append(NULL, "X-One: 1");
	CURL *easy = aimed();
	CURLM *multi;

	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	curl_slist_free_all(list);
	multi = added(easy);
	list = curl_slist_append(NULL, "X-Two: 2");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
	drive(multi);
	curl_multi_remove_handle(multi, easy);
	curl_multi_cleanup(multi);
	curl_easy_cleanup(easy);
	curl_slist_free_all(list);
}

static const struct {
	const char *what;
	void (*act)(void);
} acts[] = {
	{"form-stream", form_stream},
	{"form-again", form_again},
	{"form-stream-again", form_stream_again},
	{"header-data", header_data},
	{"offset", offset},
	{"fread", by_fread},
	{"pauses", pauses},
	{"pauses-multi", pauses_multi},
	{"perform-added", perform_added},
	{"cleanup-within", cleanup_within},
	{"outlive", outlive},
	{"removed", removed},
	{"waiting", waiting},
	{"replaced", replaced},
};

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	url = argv[2];
	path = argv[3];
	curl_global_init(CURL_GLOBAL_ALL);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		if (strcmp(acts[i].what, argv[1]) == 0)
			acts[i].act();
	curl_global_cleanup();
	return 0;
}
