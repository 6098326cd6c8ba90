#ifndef CARGO_H
#define CARGO_H

#include "dialects/call.h"

/*
 * Cargo's credential provider protocol, version 1: a hello, then an answer for each line of stdin
 * until it ends. What cannot be answered is an "Err" of the kind that cargo acts upon; the exit
 * status is 0 all the same.
 */
call_verb cargo_converse;

#endif
