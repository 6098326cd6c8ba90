#ifndef NOTICE_H
#define NOTICE_H

#include <stdatomic.h>
#include <stdbool.h>

struct realm;

/* A line of SYPHT_TRACE about a request to realm, which may be NULL. */
enum notice { NOTICE_UNKNOWN, NOTICE_OFF, NOTICE_ON };
extern _Atomic(enum notice) notice_state;
bool notice_ask(void);

static inline bool notice_wanted(void)
{
	return atomic_load_explicit(&notice_state, memory_order_relaxed) != NOTICE_OFF &&
	       notice_ask();
}

void notice(const struct realm *realm, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

#endif
