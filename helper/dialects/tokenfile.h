#ifndef TOKENFILE_H
#define TOKENFILE_H

#include "dialects/call.h"

/*
 * Tokens in files, for programs that look nowhere else. The file is ours, 0600, and replaced whole;
 * it says nothing of its expiry, so whoever wants it fresh writes it again in time.
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
