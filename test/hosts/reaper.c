/*
 * A host that inherits orphans, and reaps none: PID 1 of a container, or with -s a subreaper.
 *
 *	reaper [-s] URL		200 0 0	response code, other processes in its sight, signals
 *
 * It makes one request, and counts at once: a helper that went on in the background is still there
 * then, or is a zombie.
 */
#include <ctype.h>
#include <curl/curl.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile sig_atomic_t signals;

static void count_signal(int number)
{
	(void)number;
	signals++;
}

/* Of a /proc that shows the processes of this PID namespace alone. */
static int count_others(void)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	int others = 0;

	while (directory && (entry = readdir(directory)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid() &&
			atoi(entry->d_name) != 1)
			others++;
	if (directory)
		closedir(directory);
	return others;
}

int main(int argc, char **argv)
{
	CURL *handle = curl_easy_init();
	long status = 0;

	if (argc < 2 || !handle)
		return 2;
	if (strcmp(argv[1], "-s") == 0)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	signal(SIGCHLD, count_signal);
	curl_easy_setopt(handle, CURLOPT_URL, argv[argc - 1]);
	curl_easy_setopt(handle, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
	curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	printf("%ld %d %d\n", status, count_others(), (int)signals);
	curl_easy_cleanup(handle);
	return 0;
}
