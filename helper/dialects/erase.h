#ifndef ERASE_H
#define ERASE_H

#include "dialects/call.h"

/*
 * erase as a person types it: drop the cached token of the profile that covers a URL, or of the
 * profile that --profile names, and the copy that a fleet shares. Says what was dropped. Nothing is
 * read from stdin.
 */
call_verb erase_token;

#endif
