/*
 * A program that knows nothing of libcurl and loads it as it is told:
 *
 *	load local|global|deep MODULE URL	dlopen() a module and let it fetch
 *	load tail MODULE URL		... step by step, so that libcurl returns to this program
 *	load error MODULE URL		... with an error pending, which dlerror() tells then
 *	load dlsym LIBCURL URL		call libcurl by handle, as foreign function interfaces do
 *	load default LIBCURL URL	... by RTLD_DEFAULT
 *	load again MODULE URL		load, fetch and unload a few times over
 *	load absent - -			ask for libcurl where there is none
 *	load weak - -			... by weak references, and call what there is
 *
 * Arguments may repeat in threes; all of it happens in one process, nothing is unloaded before the
 * end. Each fetch prints the response code, 0 for none.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPTION_URL = 10002,
	OPTION_CAINFO = 10065,
	OPTION_WRITEFUNCTION = 20011,
	INFO_RESPONSE_CODE = 0x200002,
};

typedef long fetch_function(const char *url);

static size_t discard(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes;
	(void)context;
	return size * count;
}

static void *open_or_exit(const char *file, int mode)
{
	void *handle = dlopen(file, mode);

	if (!handle) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return handle;
}

static void fetch_by_module(const char *file, const char *url, int mode)
{
	fetch_function *fetch = (fetch_function *)dlsym(open_or_exit(file, mode), "fetch");

	printf("%ld\n", fetch(url));
}

static void fetch_by_steps(const char *file, const char *url)
{
	void *module = open_or_exit(file, RTLD_NOW | RTLD_LOCAL);
	void *(*make_handle)(void) = (void *(*)(void))dlsym(module, "make_handle");
	void (*aim)(void *, const char *) = (void (*)(void *, const char *))dlsym(module, "aim");
	int (*perform)(void *) = (int (*)(void *))dlsym(module, "perform");
	long (*response_of)(void *) = (long (*)(void *))dlsym(module, "response_of");
	void *easy = make_handle();

	aim(easy, url);
	perform(easy);
	printf("%ld\n", response_of(easy));
}

static void fetch_by_symbols(void *handle, const char *url)
{
	void *(*init)(void) = (void *(*)(void))dlsym(handle, "curl_easy_init");
	int (*setopt)(void *, int, ...) =
		(int (*)(void *, int, ...))dlsym(handle, "curl_easy_setopt");
	int (*perform)(void *) = (int (*)(void *))dlsym(handle, "curl_easy_perform");
	int (*getinfo)(void *, int, ...) =
		(int (*)(void *, int, ...))dlsym(handle, "curl_easy_getinfo");
	void (*cleanup)(void *) = (void (*)(void *))dlsym(handle, "curl_easy_cleanup");
	void *easy = init();
	long response = 0;

	setopt(easy, OPTION_URL, url);
	setopt(easy, OPTION_WRITEFUNCTION, discard);
	setopt(easy, OPTION_CAINFO, getenv("CURL_CA_BUNDLE"));
	perform(easy);
	getinfo(easy, INFO_RESPONSE_CODE, &response);
	cleanup(easy);
	printf("%ld\n", response);
}

static void fetch_again_and_again(const char *file, const char *url)
{
	for (int i = 0; i < 5; i++) {
		void *handle = open_or_exit(file, RTLD_NOW);
		fetch_function *fetch = (fetch_function *)dlsym(handle, "fetch");

		printf("%ld\n", fetch(url));
		dlclose(handle);
	}
}

/* What the linker has to say of a failure is still there after a request. */
static void fetch_with_error(const char *file, const char *url)
{
	fetch_function *fetch = (fetch_function *)dlsym(open_or_exit(file, RTLD_NOW), "fetch");
	long response;

	dlopen("/nowhere.so", RTLD_NOW);
	response = fetch(url);
	printf("%ld %s\n", response, dlerror());
}

/* A program that can do without libcurl. */
extern void *curl_easy_init(void) __attribute__((weak));
extern int curl_easy_setopt(void *handle, int option, ...) __attribute__((weak));
extern int curl_easy_perform(void *handle) __attribute__((weak));
extern void curl_easy_cleanup(void *handle) __attribute__((weak));
extern int curl_multi_perform(void *handle, int *running) __attribute__((weak));
extern void *curl_multi_info_read(void *handle, int *queued) __attribute__((weak));

static const char *try_weak(void)
{
	int count = 0;

	if (!curl_easy_init)
		return "absent";
	if (curl_easy_init())
		return "there";
	if (curl_easy_setopt(NULL, OPTION_URL, "http://127.0.0.1/") == 0 ||
		curl_easy_perform(NULL) == 0 || curl_multi_perform(NULL, &count) == 0 ||
		curl_multi_info_read(NULL, &count))
		return "confused";
	curl_easy_cleanup(NULL);
	return "absent";
}

static void act(const char *how, const char *file, const char *url)
{
	if (strcmp(how, "local") == 0)
		fetch_by_module(file, url, RTLD_NOW | RTLD_LOCAL);
	else if (strcmp(how, "global") == 0)
		fetch_by_module(file, url, RTLD_LAZY | RTLD_GLOBAL);
	else if (strcmp(how, "deep") == 0)
		fetch_by_module(file, url, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND);
	else if (strcmp(how, "tail") == 0)
		fetch_by_steps(file, url);
	else if (strcmp(how, "dlsym") == 0)
		fetch_by_symbols(open_or_exit(file, RTLD_NOW), url);
	else if (strcmp(how, "default") == 0)
		fetch_by_symbols(
			open_or_exit(file, RTLD_NOW | RTLD_GLOBAL) ? RTLD_DEFAULT : NULL, url);
	else if (strcmp(how, "error") == 0)
		fetch_with_error(file, url);
	else if (strcmp(how, "again") == 0)
		fetch_again_and_again(file, url);
	else if (strcmp(how, "weak") == 0)
		puts(try_weak());
	else
		printf("%s\n", dlsym(RTLD_DEFAULT, "curl_easy_init") ? "there"
			       : dlerror()                           ? "absent"
								     : "?");
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 2 < argc; i += 3)
		act(argv[i], argv[i + 1], argv[i + 2]);
	return 0;
}
