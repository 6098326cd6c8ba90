#ifndef SHELL_H
#define SHELL_H

#include "dialects/call.h"

/*
 * For people and scripts: the token on one line. It is for the URL on the command line, or without
 * one for the default profile. A URL that no profile covers is a failure.
 */
call_verb shell_token;         /* the bare token */
call_verb shell_header;        /* a header line, as "curl -H @-" reads it */
call_verb shell_authorization; /* the value of that header, as pnpm wants it of a tokenHelper */
call_verb shell_curl_config;   /* an option line, as "curl -K -" reads it */

#endif
