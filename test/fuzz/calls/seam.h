#ifndef SEAM_H
#define SEAM_H

#include <stdbool.h>

/*
 * What stands in for the rest of the plugin: its one libcurl is the fake, two origins are in scope,
 * and tokens cost nothing.
 */
void seam_open(void);

/* The next so many times, there is no token. */
void seam_fail(unsigned times);

/* SYPHT_ON_FAILURE */
void seam_pass_on_failure(bool pass);

#endif
