#ifndef TOKENFILE_H
#define TOKENFILE_H

#include "dialects/call.h"

/*
 * Write the token to a file, for programs that read it from there. The file belongs to the user,
 * has mode 0600, and is replaced atomically. The reply is its path.
 *
 * The operands are a path, which begins with "/" or ".", and a URL. Without a path: the WLCG bearer
 * token discovery: $BEARER_TOKEN_FILE, else bt_u$EUID in $XDG_RUNTIME_DIR, else in /tmp. The file
 * carries no expiry, so it must be written again before the token expires. htslib's
 * $HTS_AUTH_LOCATION: JSON with the seconds that are left, after which htslib reads it again.
 */
call_verb tokenfile_write;
call_verb tokenfile_write_htslib;

/* htslib's JSON on stdout. */
call_verb tokenfile_show_htslib;

#endif
