/*
 * A libcurl that fetches nothing: the response code of each transfer is the NUMBER it was compiled
 * with. A handle of another libcurl ends the program.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { INFO_RESPONSE_CODE = 0x200002 };

struct handle {
	long number;
};

static struct handle *own(struct handle *handle)
{
	if (!handle || handle->number != NUMBER) {
		printf("%d got a handle of %ld\n", NUMBER, handle ? handle->number : 0L);
		exit(1);
	}
	return handle;
}

struct handle *curl_easy_init(void);
int curl_easy_setopt(struct handle *handle, int option, ...);
int curl_easy_perform(struct handle *handle);
int curl_easy_getinfo(struct handle *handle, int info, ...);
void curl_easy_cleanup(struct handle *handle);
const char *curl_easy_strerror(int code);

struct handle *curl_easy_init(void)
{
	struct handle *handle = malloc(sizeof(*handle));

	handle->number = NUMBER;
	return handle;
}

int curl_easy_setopt(struct handle *handle, int option, ...)
{
	(void)option;
	own(handle);
	return 0;
}

int curl_easy_perform(struct handle *handle)
{
	own(handle);
	return 0;
}

int curl_easy_getinfo(struct handle *handle, int info, ...)
{
	va_list list;

	own(handle);
	va_start(list, info);
	if (info == INFO_RESPONSE_CODE)
		*va_arg(list, long *) = NUMBER;
	va_end(list);
	return 0;
}

void curl_easy_cleanup(struct handle *handle)
{
	free(own(handle));
}

const char *curl_easy_strerror(int code)
{
	(void)code;
	return "";
}
