/*
 * Another preload library that hooks some of the same functions, in the plainest way there is, and
 * tells on stderr what came by.
 */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <unistd.h>

static void tell(const char *text, size_t length)
{
	if (write(STDERR_FILENO, text, length) < 0)
		_exit(1);
}

CURLcode curl_easy_perform(CURL *easy)
{
	CURLcode (*next)(CURL *) = (CURLcode(*)(CURL *))dlsym(RTLD_NEXT, "curl_easy_perform");

	tell("perform\n", 8);
	return next(easy);
}

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	CURLcode (*next)(CURL *, CURLoption, ...) =
		(CURLcode(*)(CURL *, CURLoption, ...))dlsym(RTLD_NEXT, "curl_easy_setopt");
	va_list list;
	void *argument;

	va_start(list, option);
	argument = va_arg(list, void *);
	va_end(list);
	if (option == CURLOPT_URL)
		tell("URL\n", 4);
	if (option == CURLOPT_XOAUTH2_BEARER)
		tell("bearer\n", 7);
	return next(easy, option, argument);
}
