/*
 * Linked with --wrap=_exit into a build that counts which lines are executed, so that those count
 * too that were executed before _exit(). The process may share its memory with another, which goes
 * on: what was written down begins again from nothing.
 */
#include <gcov.h>

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
	__gcov_dump();
	__gcov_reset();
	__real__exit(status);
}
/* NOLINTEND(bugprone-reserved-identifier) */
