#ifndef BAZEL_H
#define BAZEL_H

#include "dialects/call.h"

/*
 * EngFlow's credential helper specification, which Bazel and others speak: {"uri":…} on stdin,
 * headers and their expiry on stdout. If no profile covers the URI, the call fails: an empty answer
 * would mean that the URI needs no credentials.
 */
call_verb bazel_get;

#endif
