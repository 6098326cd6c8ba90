#ifndef HOOKS_H
#define HOOKS_H

#include <stdbool.h>

#include "resolve.h"

/* Whether name is a function of libcurl that is hooked here. */
bool hooks_name(const char *name);

/* The hook of that name at node. */
void *hooks_symbol(const char *name, enum node node);

#endif
