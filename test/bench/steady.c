/*
 * How long requests take under a steady load while tokens come and go.
 *
 *	steady SECONDS THREADS PAUSE_MS SLOW_MS URL
 *
 * Each thread makes a request, waits PAUSE_MS, and so on. Prints, separated by tabs: requests,
 * median, 99th percentile and maximum in microseconds, how many took SLOW_MS or more, and how many
 * failed; then, a line a second, that second and its slowest request.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { THREADS_MAX = 64, REQUESTS_MAX = 100000 };

struct thread {
	pthread_t id;
	long count;
	long failures;
	struct {
		int second;
		int microseconds;
	} requests[REQUESTS_MAX];
};

static const char *url;
static long seconds;
static long pause_ms;
static long long start_ns;

static void check(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "steady: %s\n", what);
		exit(1);
	}
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static void *work(void *argument)
{
	struct thread *thread = argument;
	const struct timespec rest = {.tv_nsec = pause_ms * 1000000};
	CURL *handle = curl_easy_init();

	check(handle != NULL, "no handle");
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, discard);
	while (thread->count < REQUESTS_MAX) {
		long long begin = now_ns();
		int second = (int)((begin - start_ns) / 1000000000);

		if (second >= seconds)
			break;
		thread->failures += curl_easy_perform(handle) != CURLE_OK;
		thread->requests[thread->count].second = second;
		thread->requests[thread->count].microseconds = (int)((now_ns() - begin) / 1000);
		thread->count++;
		nanosleep(&rest, NULL);
	}
	curl_easy_cleanup(handle);
	return NULL;
}

static int compare(const void *one, const void *other)
{
	int a = *(const int *)one;
	int b = *(const int *)other;

	return (a > b) - (a < b);
}

static void report(const struct thread *threads, long thread_count, long slow_us)
{
	int *all = calloc((size_t)thread_count * REQUESTS_MAX, sizeof(*all));
	int *slowest = calloc((size_t)seconds, sizeof(*slowest));
	size_t count = 0;
	long slow = 0;
	long failures = 0;

	check(all != NULL && slowest != NULL, "out of memory");
	for (long t = 0; t < thread_count; t++) {
		failures += threads[t].failures;
		for (long i = 0; i < threads[t].count; i++) {
			int taken = threads[t].requests[i].microseconds;
			int *worst = &slowest[threads[t].requests[i].second];

			all[count++] = taken;
			slow += taken >= slow_us;
			if (taken > *worst)
				*worst = taken;
		}
	}
	check(count > 0, "no request was made");
	qsort(all, count, sizeof(*all), compare);
	printf("%zu\t%d\t%d\t%d\t%ld\t%ld\n", count, all[count / 2], all[count * 99 / 100],
		all[count - 1], slow, failures);
	for (long second = 0; second < seconds; second++)
		printf("%ld\t%d\n", second, slowest[second]);
	free(all);
	free(slowest);
}

int main(int argc, char **argv)
{
	static struct thread threads[THREADS_MAX];
	long count = argc == 6 ? strtol(argv[2], NULL, 10) : 0;

	check(count > 0 && count <= THREADS_MAX,
		"usage: steady SECONDS THREADS PAUSE_MS SLOW_MS URL");
	seconds = strtol(argv[1], NULL, 10);
	pause_ms = strtol(argv[3], NULL, 10);
	url = argv[5];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	start_ns = now_ns();
	for (long i = 0; i < count; i++)
		check(pthread_create(&threads[i].id, NULL, work, &threads[i]) == 0, "no thread");
	for (long i = 0; i < count; i++)
		pthread_join(threads[i].id, NULL);
	report(threads, count, strtol(argv[4], NULL, 10) * 1000);
	return 0;
}
