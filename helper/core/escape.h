#ifndef ESCAPE_H
#define ESCAPE_H

#include <pthread.h>

/*
 * A host's signal handler may leave our code by siglongjmp(). glibc then calls the cleanup handlers
 * of the frames that are jumped over, if they were set by _pthread_cleanup_push(), which it keeps
 * for old programs. They run in the signal handler and must be async-signal-safe. Elsewhere no
 * handler runs: one plugin serves all C libraries, so the functions are weak, and NULL there.
 */
#ifdef __GLIBC__
struct escape {
	struct _pthread_cleanup_buffer buffer;
};

/* NOLINTBEGIN(bugprone-reserved-identifier): the C library's names */
void _pthread_cleanup_push(struct _pthread_cleanup_buffer *buffer, void (*routine)(void *),
	void *argument) __attribute__((weak));
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer *buffer, int execute)
	__attribute__((weak));
/* NOLINTEND(bugprone-reserved-identifier) */

/*
 * Call routine(argument) if the thread jumps away before escape_unwatch(). Watches nest like the
 * frames that hold them.
 */
static inline void escape_watch(struct escape *escape, void (*routine)(void *), void *argument)
{
	if (_pthread_cleanup_push)
		_pthread_cleanup_push(&escape->buffer, routine, argument);
}

static inline void escape_unwatch(struct escape *escape)
{
	if (_pthread_cleanup_pop)
		_pthread_cleanup_pop(&escape->buffer, 0);
}
#else
struct escape {
	char unused;
};

static inline void escape_watch(struct escape *escape, void (*routine)(void *), void *argument)
{
	(void)escape;
	(void)routine;
	(void)argument;
}

static inline void escape_unwatch(struct escape *escape)
{
	(void)escape;
}
#endif

#endif
