#ifndef HANDLES_H
#define HANDLES_H

#include <stdbool.h>
#include <stdint.h>

#include "app.h"

/* The application's handles, and the steps of a program, each a call or a few. */
void handles_open(bool plugin);
void handles_step(const uint8_t step[APP_STEP_BYTES]);
void handles_close(void);

/* Whether several handles may have written to that file, in whatever order. */
bool handles_share(unsigned file);

/* Go on with what was paused. */
void handles_continue(unsigned easy);

#endif
