#ifndef ERASE_H
#define ERASE_H

#include "dialects/call.h"

/*
 * erase, typed by a person: drop the cached token of the profile that covers the URL, or of the
 * profile that --profile names, with the copy that a fleet shares. The reply says what was dropped.
 * stdin is not read.
 */
call_verb erase_token;

#endif
