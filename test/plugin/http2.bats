#!/usr/bin/env bats
# What callbacks.bats says of programs holds over HTTP/2 too: for streams that share a connection,
# for connections that the server ends, and for what it pushes; on the libcurl of this machine, and
# on the libcurl 8 of Debian's backports.

load ../lib/suite
load ../callbacks/suite

# shellcheck disable=SC2034 # callbacks/suite.bash plays it
TABLE=$ROOT/test/callbacks/http2

setup_file() {
	play_programs "$BATS_FILE_TMPDIR/here"
	if "$ROOT/test/unpack" backports "$(dpkg --print-architecture)" "$BUILD/libcurl8" libcurl4 libcurl3-gnutls; then
		CLIENT_LIBRARIES=$(echo "$BUILD"/libcurl8/usr/lib/*-linux-gnu) play_programs "$BATS_FILE_TMPDIR/8"
	fi
}

# On both libcurls.
holds() {
	holds_in "$BATS_FILE_TMPDIR/here" "$1"
	[ -e "$BATS_FILE_TMPDIR/8/outcomes" ] || skip_allowed 'only on the libcurl of this machine: no libcurl 8 can be had here'
	holds_in "$BATS_FILE_TMPDIR/8" "$1"
}

@test "HTTP/2: programs see what they see bare, and are sent a token" { holds 'over HTTP/2'; }
@test "HTTP/2: redirects take a token along, and not away" { holds 'redirects over HTTP/2'; }
@test "HTTP/2: transfers may pause" { holds 'pauses over HTTP/2'; }
@test "HTTP/2: a connection that the server ends is as good as any" { holds 'connections that the server ends'; }
@test "HTTP/2: of several streams each is healed for itself" { holds 'several streams at once'; }
@test "HTTP/2: what a server pushes brings no token elsewhere" { holds 'pushes'; }

@test "every section of the table is held up above" { every_section_is_held; }
