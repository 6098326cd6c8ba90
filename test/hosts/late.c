/*
 * A program that becomes who it is after it made its handle:  late URL USER [NAME=VALUE…]
 *
 * It calls curl_easy_init(), takes the number USER for its own unless that is 0, puts the variables
 * into its environment, and performs. Prints the response code, or what stands in the error buffer.
 */
#include <curl/curl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static int become(unsigned user)
{
	return user == 0 || (setgroups(0, NULL) == 0 && setgid(user) == 0 && setuid(user) == 0);
}

int main(int argc, char **argv)
{
	CURL *easy = curl_easy_init();
	char error[CURL_ERROR_SIZE] = "";
	long response = 0;

	if (argc < 3 || !become((unsigned)atoi(argv[2])))
		return 2;
	for (int i = 3; i < argc; i++)
		putenv(argv[i]);
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
	curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
	printf("%ld %s\n", response, error);
	curl_easy_cleanup(easy);
	return 0;
}
