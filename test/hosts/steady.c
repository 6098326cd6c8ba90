/*
 * A steady load: threads that make a request, rest a little, and make the next, for so long:
 *
 *	steady URL THREADS SECONDS		123 requests, 0 failed, 17 ms at most
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 64, REST_MS = 50 };

struct load {
	pthread_t thread;
	const char *url;
	long long until_ms;
	long requests, failed, slowest_ms;
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static size_t swallow(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static void request(struct load *load, CURL *easy)
{
	long long start = now_ms();
	CURLcode result = curl_easy_perform(easy);
	long took_ms = (long)(now_ms() - start), response = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	load->requests++;
	if (result != CURLE_OK || response != 200) {
		load->failed++;
		fprintf(stderr, "after %ld requests: %d %ld\n", load->requests, result, response);
	}
	if (took_ms > load->slowest_ms)
		load->slowest_ms = took_ms;
}

static void *run(void *argument)
{
	const struct timespec rest = {.tv_nsec = REST_MS * 1000000L};
	struct load *load = argument;
	CURL *easy = curl_easy_init();

	curl_easy_setopt(easy, CURLOPT_URL, load->url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	while (now_ms() < load->until_ms) {
		request(load, easy);
		nanosleep(&rest, NULL);
	}
	curl_easy_cleanup(easy);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct load loads[THREADS_MAX];
	long requests = 0, failed = 0, slowest_ms = 0;
	int count = argc > 2 ? atoi(argv[2]) : 0;

	if (argc != 4 || count < 1 || count > THREADS_MAX)
		return 2;
	curl_global_init(CURL_GLOBAL_ALL);
	for (int i = 0; i < count; i++) {
		loads[i].url = argv[1];
		loads[i].until_ms = now_ms() + atol(argv[3]) * 1000LL;
		if (pthread_create(&loads[i].thread, NULL, run, &loads[i]))
			return 2;
	}
	for (int i = 0; i < count; i++) {
		pthread_join(loads[i].thread, NULL);
		requests += loads[i].requests;
		failed += loads[i].failed;
		if (loads[i].slowest_ms > slowest_ms)
			slowest_ms = loads[i].slowest_ms;
	}
	printf("%ld requests, %ld failed, %ld ms at most\n", requests, failed, slowest_ms);
	curl_global_cleanup();
	return failed > 0;
}
