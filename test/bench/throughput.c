/*
 * Requests per second over connections that stay open, of many threads, in slices of time: in one
 * slice all threads use handles with a bearer token of their own and call libcurl itself, in the
 * next handles that the plugin supplies. What the machine does meanwhile meets both.
 *
 *	throughput THREADS SLICES URL BEARER
 *
 * Prints, separated by tabs: native and plugin requests per second, and the median ratio of
 * neighbouring slices. To be run under the plugin.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NATIVE, PLUGIN, WAYS, SLICE_MS = 50, THREADS_MAX = 64, SLICES_MAX = 2000 };

/* What a way to make a request calls. */
static struct {
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*perform)(CURL *);
} calls[WAYS];

static const char *url;
static const char *bearer;
static atomic_int way;
static atomic_bool over;
static struct {
	_Alignas(64) atomic_long done[WAYS];
} threads[THREADS_MAX];

static void check(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "throughput: %s\n", what);
		exit(1);
	}
}

/* ---- two ways to call libcurl ---- */

/* dlvsym() goes past the plugin, to the libcurl this program is linked with. */
static void *past_plugin(const char *name)
{
	static const char *const versions[] = {"CURL_OPENSSL_4", "CURL_4", "CURL_GNUTLS_4"};
	void *libcurl = dlopen("libcurl.so.4", RTLD_NOW);
	void *found = NULL;

	for (size_t i = 0; libcurl && !found && i < sizeof(versions) / sizeof(*versions); i++)
		found = dlvsym(libcurl, name, versions[i]);
	check(found != NULL, "libcurl.so.4 has no versions to call it by");
	return found;
}

static void find_calls(void)
{
	calls[NATIVE].init = (CURL * (*)(void)) past_plugin("curl_easy_init");
	calls[NATIVE].setopt =
		(CURLcode(*)(CURL *, CURLoption, ...))past_plugin("curl_easy_setopt");
	calls[NATIVE].perform = (CURLcode(*)(CURL *))past_plugin("curl_easy_perform");
	calls[PLUGIN].init = curl_easy_init;
	calls[PLUGIN].setopt = (curl_easy_setopt);
	calls[PLUGIN].perform = curl_easy_perform;
	check(calls[PLUGIN].perform != calls[NATIVE].perform, "the plugin is not preloaded");
}

/* ---- threads ---- */

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static CURL *make_handle(int w)
{
	CURL *handle = calls[w].init();

	check(handle != NULL, "no handle");
	calls[w].setopt(handle, CURLOPT_URL, url);
	calls[w].setopt(handle, CURLOPT_PROXY, "");
	calls[w].setopt(handle, CURLOPT_FAILONERROR, 1L);
	calls[w].setopt(handle, CURLOPT_NOSIGNAL, 1L);
	calls[w].setopt(handle, CURLOPT_WRITEFUNCTION, discard);
	if (w == NATIVE) {
		calls[w].setopt(handle, CURLOPT_XOAUTH2_BEARER, bearer);
		calls[w].setopt(handle, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
	}
	return handle;
}

static void *work(void *argument)
{
	atomic_long *done = argument;
	CURL *handles[WAYS] = {make_handle(NATIVE), make_handle(PLUGIN)};

	while (!atomic_load(&over)) {
		int w = atomic_load_explicit(&way, memory_order_relaxed);

		check(calls[w].perform(handles[w]) == CURLE_OK, "a request failed");
		atomic_fetch_add_explicit(&done[w], 1, memory_order_relaxed);
	}
	return NULL;
}

static long done_by(int w, size_t count)
{
	long sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += atomic_load(&threads[i].done[w]);
	return sum;
}

/* ---- slices ---- */

static int compare(const void *one, const void *other)
{
	double a = *(const double *)one;
	double b = *(const double *)other;

	return (a > b) - (a < b);
}

/* Requests per second of one slice. */
static double slice(int w, size_t count)
{
	const struct timespec length = {.tv_nsec = SLICE_MS * 1000000L};
	struct timespec start;
	struct timespec end;
	long before = done_by(w, count);

	atomic_store(&way, w);
	clock_gettime(CLOCK_MONOTONIC, &start);
	nanosleep(&length, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(done_by(w, count) - before) /
	       ((double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
}

int main(int argc, char **argv)
{
	static double rates[WAYS][SLICES_MAX];
	static double ratios[SLICES_MAX];
	pthread_t thread;
	long count = argc == 5 ? strtol(argv[1], NULL, 10) : 0;
	long slices = argc == 5 ? strtol(argv[2], NULL, 10) : 0;

	check(count > 0 && count <= THREADS_MAX && slices > 0 && slices <= SLICES_MAX,
		"usage: throughput THREADS SLICES URL BEARER");
	url = argv[3];
	bearer = argv[4];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	find_calls();
	for (long i = 0; i < count; i++)
		check(pthread_create(&thread, NULL, work, threads[i].done) == 0, "no thread");

	/* the first slice of each only warms up; and neither is always the first of a pair */
	slice(NATIVE, (size_t)count);
	slice(PLUGIN, (size_t)count);
	for (long i = 0; i < slices; i++) {
		int first = i % 2 ? PLUGIN : NATIVE;

		rates[first][i] = slice(first, (size_t)count);
		rates[!first][i] = slice(!first, (size_t)count);
		ratios[i] = rates[PLUGIN][i] / rates[NATIVE][i];
	}
	atomic_store(&over, true);
	for (int w = 0; w < WAYS; w++)
		qsort(rates[w], (size_t)slices, sizeof(rates[w][0]), compare);
	qsort(ratios, (size_t)slices, sizeof(ratios[0]), compare);
	printf("%.0f\t%.0f\t%.4f\n", rates[NATIVE][slices / 2], rates[PLUGIN][slices / 2],
		ratios[slices / 2]);
	fflush(stdout);
	_Exit(0);
}
