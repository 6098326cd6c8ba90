/*
 * Many threads at once: threads URL THREADS ROUNDS [fork]. Each round makes a handle, uses it twice
 * with a URL in between that is not in scope, duplicates it, and frees both. With "fork" every
 * thread also forks children that make a request of their own while the others go on.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *url;
static int rounds;
static int forks;
static atomic_int failures;

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static void request(CURL *easy)
{
	long response = 0;
	CURLcode code = curl_easy_perform(easy);

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	if (code || response != 200) {
		fprintf(stderr, "%d %ld %s\n", code, response, curl_easy_strerror(code));
		atomic_fetch_add(&failures, 1);
	}
}

static CURL *prepare(void)
{
	const char *authorities = getenv("CURL_CA_BUNDLE");
	CURL *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (authorities)
		curl_easy_setopt(easy, CURLOPT_CAINFO, authorities);
	return easy;
}

static void fork_child(void)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		CURL *easy = prepare();

		atomic_store(&failures, 0);
		request(easy);
		curl_easy_cleanup(easy);
		_exit(atomic_load(&failures) != 0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || status)
		atomic_fetch_add(&failures, 1);
}

static void *work(void *unused)
{
	(void)unused;
	for (int i = 0; i < rounds; i++) {
		CURL *easy = prepare(), *copy;

		request(easy);
		copy = curl_easy_duphandle(easy);
		request(copy);
		curl_easy_cleanup(copy);
		request(easy);
		curl_easy_cleanup(easy);
		if (forks)
			fork_child();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int count;

	if (argc < 4)
		return 2;
	url = argv[1];
	count = atoi(argv[2]);
	rounds = atoi(argv[3]);
	forks = argc > 4;
	curl_global_init(CURL_GLOBAL_ALL);
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%d failures\n", atomic_load(&failures));
	return atomic_load(&failures) != 0;
}
