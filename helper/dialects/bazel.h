#ifndef BAZEL_H
#define BAZEL_H

#include "dialects/call.h"

/*
 * The credential helper specification of EngFlow that Bazel, and others, speak: {"uri":…} on stdin,
 * headers and their expiry on stdout. A URI that no profile covers is a failure, as an empty answer
 * would mean that it needs no credentials.
 */
call_verb bazel_get;

#endif
