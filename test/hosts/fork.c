/*
 * A program whose own handlers of a fork use libcurl:  fork URL
 *
 * Before it calls libcurl for the first time, it registers handlers that free and make handles; the
 * child's also makes a request. It forks while other threads make and free handles. Tells of each
 * child that failed, and prints the response code of a request in the parent.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, FORKS = 6 };

static const char *url;
static CURL *kept[4];
static atomic_bool over;
static long first_response;

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static CURL *prepare(void)
{
	CURL *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	return easy;
}

static long request(void)
{
	CURL *easy = prepare();
	long response = 0;

	curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	curl_easy_cleanup(easy);
	return response;
}

static void before(void)
{
	curl_easy_cleanup(kept[0]);
	kept[0] = prepare();
}

static void in_parent(void)
{
	curl_easy_cleanup(kept[1]);
	kept[1] = prepare();
}

static void in_child(void)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		curl_easy_cleanup(kept[i]);
	first_response = request();
}

static void *make_and_free(void *unused)
{
	(void)unused;
	while (!atomic_load(&over))
		curl_easy_cleanup(prepare());
	return NULL;
}

static void fork_once(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		_exit(first_response == 200 && request() == 200 ? 0 : 1);
	if (waitpid(child, &status, 0) != child || status != 0)
		printf("a child failed: %d\n", status);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc < 2)
		return 2;
	url = argv[1];
	pthread_atfork(before, in_parent, in_child);
	curl_global_init(CURL_GLOBAL_ALL);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		kept[i] = prepare();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, make_and_free, NULL);
	for (int i = 0; i < FORKS; i++)
		fork_once();
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("%ld\n", request());
	return 0;
}
