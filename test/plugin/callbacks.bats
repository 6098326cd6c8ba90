#!/usr/bin/env bats
# Whatever callbacks, bodies and ways to drive a handle a program uses: under the plugin it sees
# what it sees where nobody asks for a token, and over the wire comes what came then, with a token.
#
# callbacks/table is the table of programs and answers; callbacks/play.mjs plays half of it, once
# for this file. CALLBACKS_WHOLE=1 plays all of it, CALLBACKS_ALL=1 in every way to drive a handle.

load ../lib/suite
load ../callbacks/suite

# shellcheck disable=SC2034 # callbacks/suite.bash plays it
TABLE=$ROOT/test/callbacks/table

setup_file() {
	play_programs "$BATS_FILE_TMPDIR"
}

holds() {
	holds_in "$BATS_FILE_TMPDIR" "$1"
}

@test "requests without a body are as bare, whatever the answer" { holds 'requests without a body'; }
@test "requests by other methods are as bare, whatever the answer" { holds 'requests by other methods'; }
@test "bodies that can be sent again are sent whole, and again after a 401" { holds 'bodies that can be sent again'; }
@test "bodies that cannot be sent again bring the 401 they were answered" { holds 'bodies that cannot be sent again'; }
@test "forms that turn out not to rewind bring the 401, and leave no token behind" { holds 'forms that turn out not to rewind'; }
@test "trailers follow their body, once" { holds 'trailers behind a body'; }
@test "a body may wait for the answer" { holds 'bodies that wait for the answer'; }
@test "bodies wait behind an Expect as they do bare" { holds 'bodies behind an Expect'; }
@test "headers and bodies come through whichever callback or file is to receive them" { holds 'callbacks that receive'; }
@test "callbacks that watch, connect, resolve and match are called as they are bare" { holds 'callbacks that watch'; }
@test "a transfer may pause while it receives, at any piece of any answer" { holds 'pauses'; }
@test "a transfer may pause while it sends" { holds 'pauses of a body'; }
@test "a transfer may pause while it sends what cannot be sent again" { holds 'pauses of a body that cannot be sent again'; }
@test "a callback that aborts a transfer ends it as it does bare" { holds 'aborts'; }
@test "a callback that aborts what is sent ends it as it does bare" { holds 'aborts of a body'; }
@test "an application that speaks for itself is let alone" { holds 'an application that speaks for itself'; }
@test "a transfer may pause in a 401 that comes late, as its request could not be sent again after all" { holds 'pauses in a 401 that turned out not to be mended'; }
@test "over loopback http all is the same" { holds 'over loopback http'; }

@test "every section of the table is held up above" { every_section_is_held; }
