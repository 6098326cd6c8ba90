#!/usr/bin/env bats
# Whatever callbacks, bodies and ways to drive a handle a program uses: under the plugin it sees
# what it sees where nobody asks for a token, and over the wire comes what came then, with a token.
#
# callbacks/table is the table of programs and answers; callbacks/play.mjs plays it, once for this
# file. CALLBACKS_ALL=1 plays each program in every way to drive a handle.

load suite

TABLE=$ROOT/test/callbacks/table

setup_file() {
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -o "$BATS_FILE_TMPDIR/host" \
		"$BATS_TEST_DIRNAME"/hosts/callbacks/*.c -lcurl -lssl
	node "$BATS_TEST_DIRNAME/callbacks/play.mjs" "$TABLE" "$BATS_FILE_TMPDIR" "$BUILD" \
		"$BATS_FILE_TMPDIR/host"
}

# What came of the programs of a section, those that went wrong in full.
holds_in() {
	local outcomes wrong

	outcomes=$(jq -c --arg section "$1" 'select(.section == $section)' "$BATS_FILE_TMPDIR/outcomes")
	[ -n "$outcomes" ] || fail "nothing was played in section '$1'"
	wrong=$(jq -r 'select(.objections != []) | "\(.name):", "    \(.objections[])"' <<<"$outcomes")
	[ -z "$wrong" ] || fail "$wrong"
}

@test "requests without a body are as bare, whatever the answer" { holds_in 'requests without a body'; }
@test "requests by other methods are as bare, whatever the answer" { holds_in 'requests by other methods'; }
@test "bodies that can be sent again are sent whole, and again after a 401" { holds_in 'bodies that can be sent again'; }
@test "bodies that cannot be sent again bring the 401 they were answered" { holds_in 'bodies that cannot be sent again'; }
@test "bodies wait behind an Expect as they do bare" { holds_in 'bodies behind an Expect'; }
@test "headers and bodies come through whichever callback or file is to receive them" { holds_in 'callbacks that receive'; }
@test "callbacks that watch, connect, resolve and match are called as they are bare" { holds_in 'callbacks that watch'; }
@test "a transfer may pause while it receives, at any piece of any answer" { holds_in 'pauses'; }
@test "a transfer may pause while it sends" { holds_in 'pauses of a body'; }
@test "a transfer may pause while it sends what cannot be sent again" { holds_in 'pauses of a body that cannot be sent again'; }
@test "a callback that aborts a transfer ends it as it does bare" { holds_in 'aborts'; }
@test "a callback that aborts what is sent ends it as it does bare" { holds_in 'aborts of a body'; }
@test "an application that speaks for itself is let alone" { holds_in 'an application that speaks for itself'; }
@test "over loopback http all is the same" { holds_in 'over loopback http'; }

@test "every section of the table is held up above" {
	local section

	while read -r section; do
		grep -qF "holds_in '$section'; }" "$BATS_TEST_FILENAME" || fail "nobody looks at what came of section '$section'"
	done < <(sed -n 's/^\[\(.*\)\]$/\1/p' "$TABLE")
}
