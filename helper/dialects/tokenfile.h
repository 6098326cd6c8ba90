#ifndef TOKENFILE_H
#define TOKENFILE_H

#include "dialects/call.h"

/*
 * Write tokens to files, for programs that read them only there. The file belongs to the user, has
 * mode 0600, and is replaced whole. A WLCG file carries no expiry: rewrite it before that.
 *
 * WLCG's bearer token discovery: $BEARER_TOKEN_FILE, else bt_u$EUID in $XDG_RUNTIME_DIR, else in
 * /tmp. htslib's $HTS_AUTH_LOCATION: JSON with what is left of the token's life, which lets htslib
 * read it again. Both print the path that was written.
 */
call_verb tokenfile_write;
call_verb tokenfile_write_htslib;

/* htslib's JSON on stdout. */
call_verb tokenfile_show_htslib;

#endif
