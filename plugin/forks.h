#ifndef FORKS_H
#define FORKS_H

#include <pthread.h>

#ifdef __GLIBC__
/* NOLINTBEGIN(bugprone-reserved-identifier): the C library's names */
extern int __register_atfork(void (*before)(void), void (*after_in_parent)(void),
	void (*after_in_child)(void), void *object) __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));
/* NOLINTEND(bugprone-reserved-identifier) */
#endif
extern int pthread_atfork(void (*before)(void), void (*after_in_parent)(void),
	void (*after_in_child)(void)) __attribute__((weak));

/*
 * pthread_atfork(3) of the C library that this process has. glibc keeps that function in a static
 * library, over one of its own. The plugin links neither, so that musl can load it as well.
 * A handler may be NULL.
 */
static inline void forks_watch(
	void (*before)(void), void (*after_in_parent)(void), void (*after_in_child)(void))
{
#ifdef __GLIBC__
	if (__register_atfork) {
		__register_atfork(before, after_in_parent, after_in_child, &__dso_handle);
		return;
	}
#endif
	if (pthread_atfork)
		pthread_atfork(before, after_in_parent, after_in_child);
}

#endif
