#ifndef FOREIGN_H
#define FOREIGN_H

#include "resolve.h"

/* The hook of a function for callers by address; place is the number of their node. */
void *foreign_hook(int place, enum function function);

#endif
