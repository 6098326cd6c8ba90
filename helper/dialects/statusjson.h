#ifndef STATUSJSON_H
#define STATUSJSON_H

#include "dialects/call.h"

/* The profiles of status_show() for programs: a JSON object with a list "profiles". */
call_verb statusjson_show;

#endif
