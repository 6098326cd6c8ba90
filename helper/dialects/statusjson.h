#ifndef STATUSJSON_H
#define STATUSJSON_H

#include "dialects/call.h"

/* The profiles that status_show() shows, for programs: one object with a list "profiles". */
call_verb statusjson_show;

#endif
