/*
 * Hooks for the dynamic linker: dlopen(), because RTLD_DEEPBIND binds a module to libcurl past this
 * library, and dlsym(), because a program may ask for libcurl's functions by name.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "elffile.h"
#include "foreign.h"
#include "linkage.h"
#include "resolve.h"
#include "sharedobject.h"

/*
 * dlopen() and dlsym() look at the address they return to: whose RUNPATH applies, whom RTLD_NEXT
 * comes after. So the real ones must be jumped to, not called. A compiler that optimises does that
 * for a call in the last place; here it does so in every build.
 */
#if defined(__clang__)
#define LAST_CALL __attribute__((musttail)) return
#define JUMPING
#else
#define LAST_CALL return
#define JUMPING   __attribute__((optimize("O2"), no_stack_protector))
#endif

typedef void *dlopen_function(const char *file, int mode);
typedef void *dlsym_function(void *handle, const char *name);

__attribute__((visibility("default"))) dlopen_function dlopen;
__attribute__((visibility("default"))) dlsym_function dlsym;

/* glibc's; NULL in musl. */
extern void *dlvsym(void *handle, const char *name, const char *version) __attribute__((weak));

/* The versions under which glibc exports both, by architecture and age. */
static const char *const LIBC_VERSIONS[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.0",
	"GLIBC_2.1", "GLIBC_2.27", "GLIBC_2.4"};

struct search {
	const char *name;
	bool behind_us;
	void *found;
};

static bool match_real(const struct sharedobject *object, void *context)
{
	struct search *search = context;

	if (sharedobject_is_us(object))
		search->behind_us = true;
	else if (search->behind_us)
		search->found = sharedobject_symbol(object, search->name, NULL);
	return search->found != NULL;
}

/*
 * What RTLD_NEXT stands for. A sanitizer calls dlsym() before it is ready, and it hooks
 * dl_iterate_phdr(), so the objects' own tables are for musl, which has no dlvsym().
 */
static void *find_real(_Atomic(void *) *kept, const char *name)
{
	struct search search = {
		.name = name, .found = atomic_load_explicit(kept, memory_order_acquire)};

	for (size_t i = 0;
		dlvsym && !search.found && i < sizeof(LIBC_VERSIONS) / sizeof(*LIBC_VERSIONS); i++)
		search.found = dlvsym(RTLD_NEXT, name, LIBC_VERSIONS[i]);
	if (!search.found && !dlvsym)
		sharedobject_each(match_real, &search);
	atomic_store_explicit(kept, search.found, memory_order_release);
	return search.found;
}

static dlopen_function *real_dlopen(void)
{
	static _Atomic(void *) kept;

	return (dlopen_function *)find_real(&kept, "dlopen");
}

static dlsym_function *real_dlsym(void)
{
	static _Atomic(void *) kept;

	return (dlsym_function *)find_real(&kept, "dlsym");
}

/* Only glibc has it. */
#ifdef RTLD_DEEPBIND
enum { DEEPBIND = RTLD_DEEPBIND };
#else
enum { DEEPBIND = 0 };
#endif

/* False for a bare name, which the dynamic linker would search for. */
static bool imports_libcurl(const char *path)
{
	static const struct elffile_text names[] = {ELFFILE_TEXT("\0curl_easy_")};
	struct elffile image;
	bool found;
	int fd = -1;

	if (strchr(path, '/'))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	found = elffile_read(&image, fd) == ELFFILE_NATIVE && elffile_names_any(&image, names, 1);
	close(fd);
	return found;
}

/*
 * RTLD_DEEPBIND would bind a file to libcurl past this library. Clear it for files that import
 * libcurl's functions, and for no others.
 */
static int allowed_mode(const char *file, int mode)
{
	int error = errno;

	/* cppcheck-suppress knownConditionTrueFalse */
	if (mode & DEEPBIND && file && !getauxval(AT_SECURE) && imports_libcurl(file))
		mode &= ~DEEPBIND;
	errno = error;
	return mode;
}

JUMPING void *dlopen(const char *file, int mode)
{
	dlopen_function *real = real_dlopen();
	int allowed = allowed_mode(file, mode);

	if (file && mode & RTLD_GLOBAL)
		linkage_note_global(file);
	if (atomic_load(&resolve_known))
		resolve_forget_unloaded();
	LAST_CALL real(file, allowed);
}

/* Our hook in place of what was found in a libcurl. */
static void *hook_or_found(void *found, const char *name)
{
	void *hook = found ? foreign_hook(resolve_foreign(found, name)) : NULL;

	return hook ? hook : found;
}

/* In the default scope our own functions come first, so search behind this library. */
static void *found_behind_us(const char *name)
{
	return hook_or_found(real_dlsym()(RTLD_NEXT, name), name);
}

/*
 * Foreign function interfaces ask for libcurl's functions by handle. Return a hook for the libcurl
 * in which the function is found.
 */
static void *found_by_handle(void *handle, const char *name)
{
	void *found = real_dlsym()(handle, name);

	return found && sharedobject_is_ours(found) ? found_behind_us(name)
						    : hook_or_found(found, name);
}

/*
 * A program may ask in this way whether libcurl is loaded. It gets the same answer as without us.
 */
static void *found_by_default(void *handle, const char *name)
{
	const void *caller = __builtin_return_address(0);
	void *found = real_dlsym()(handle, name);
	void *hook;

	if (!found || !sharedobject_is_ours(found))
		return found;
	hook = foreign_hook(resolve_foreign_for(caller, name));
	return hook ? hook : found_behind_us(name);
}

static bool is_hooked(const char *name)
{
	return name && strncmp(name, "curl_", 5) == 0 && !getauxval(AT_SECURE) &&
	       resolve_is_hooked(name);
}

JUMPING void *dlsym(void *handle, const char *name)
{
	dlsym_function *real = real_dlsym();

	if (handle != RTLD_NEXT && is_hooked(name))
		real = handle == RTLD_DEFAULT ? found_by_default : found_by_handle;
	LAST_CALL real(handle, name);
}
