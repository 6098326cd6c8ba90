#ifndef CARGO_H
#define CARGO_H

#include "dialects/call.h"

/*
 * Cargo's credential provider protocol, version 1: write a hello, then answer each line of stdin
 * until it ends. A failure is an "Err" answer of a kind that cargo knows, with exit status 0.
 */
call_verb cargo_converse;

#endif
