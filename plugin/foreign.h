#ifndef FOREIGN_H
#define FOREIGN_H

#include "resolve.h"

/* The compiled hook; NULL where there is none. */
void *foreign_hook(struct foreign foreign);

#endif
