#ifndef STATUSJSON_H
#define STATUSJSON_H

#include "dialects/call.h"

/* What status_show() tells people, for programs: one object with a list "profiles". */
call_verb statusjson_show;

#endif
