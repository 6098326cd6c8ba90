/*
 * A program in which a thread leaves a request while the helper runs:  leave HOW URL
 *
 *	jump	a signal handler calls siglongjmp(), and the thread makes the next request
 *	away	the same, but another thread makes it, and the first never comes back
 *	cancel	the thread is cancelled, and another one makes the next request
 *	async	the same, and the thread has asked to be cancelled at once
 *	signal	a signal handler only returns
 *
 * The helper (SYPHT_CREDENTIAL) creates the file "started" when it runs, and a test may make it
 *wait for the file "go". Prints the response codes, and what stayed behind: descriptors and
 *children.
 */
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *how;
static const char *url;
static sigjmp_buf outside;
static sem_t jumped;
static sem_t over;

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static long request(void)
{
	CURL *easy = curl_easy_init();
	long response = 0;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	curl_easy_cleanup(easy);
	return response;
}

static int is(const char *what)
{
	return strcmp(how, what) == 0;
}

static void leave(int number)
{
	(void)number;
	if (!is("signal"))
		siglongjmp(outside, 1);
}

static void *go(void *unused)
{
	(void)unused;
	if (is("async"))
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	if (sigsetjmp(outside, 1) == 0)
		printf("%ld\n", request());
	else if (is("jump"))
		printf("%ld\n", request());
	sem_post(&jumped);
	sem_wait(&over);
	return NULL;
}

static void wait_for(const char *file)
{
	const struct timespec a_moment = {.tv_nsec = 5000000};

	while (access(file, F_OK) != 0)
		nanosleep(&a_moment, NULL);
}

static int descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void interrupt(pthread_t thread)
{
	wait_for("started");
	if (is("cancel") || is("async"))
		pthread_cancel(thread);
	else
		pthread_kill(thread, SIGUSR1);
	close(open("go", O_CREAT | O_WRONLY, 0600));
	if (is("cancel") || is("async"))
		pthread_join(thread, NULL);
	else
		sem_wait(&jumped);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = leave};
	pthread_t thread;
	int before;

	if (argc < 3)
		return 2;
	how = argv[1];
	url = argv[2];
	setvbuf(stdout, NULL, _IOLBF, 0);
	sem_init(&jumped, 0, 0);
	sem_init(&over, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	curl_global_init(CURL_GLOBAL_ALL);
	before = descriptors();
	pthread_create(&thread, NULL, go, NULL);
	interrupt(thread);
	printf("%ld\n", request());
	if (is("jump") || is("away"))
		printf("%d descriptors\n", descriptors() - before);
	printf("%s\n", waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD ? "no child" : "a child");
	return 0;
}
