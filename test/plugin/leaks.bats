#!/usr/bin/env bats
# A token reaches its origin and nothing else; a client secret reaches the token endpoint and
# nothing else.
#
# leaks/situations is the table of what is tried; leaks/play.mjs plays it, once for this file,
# through curl and through a C program, between servers that keep every byte they get.

load ../lib/suite

TABLE=$ROOT/test/leaks/situations

setup_file() {
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -o "$BATS_FILE_TMPDIR/scene" \
		"$BATS_TEST_DIRNAME/../hosts/scene.c" -lcurl
	node "$BATS_TEST_DIRNAME/../leaks/play.mjs" "$TABLE" "$BATS_FILE_TMPDIR" "$BUILD" \
		"$BATS_FILE_TMPDIR/scene"
}

# What came of the situations of a section, those that went wrong in full.
holds_in() {
	local outcomes wrong

	outcomes=$(jq -c --arg section "$1" 'select(.section == $section)' "$BATS_FILE_TMPDIR/outcomes")
	[ -n "$outcomes" ] || fail "nothing was played in section '$1'"
	wrong=$(jq -r 'select(.objections != []) | "\(.title), through \(.by), which ended with \(.status):",
		"    \(.objections[])", "    it said: \(.said)"' <<<"$outcomes")
	[ -z "$wrong" ] || fail "$wrong"
}

@test "no spelling of a URL leads a token astray" { holds_in spellings; }
@test "no spelling of a name leads a token astray" { holds_in names; }
@test "a token goes over the scheme of its origin, and over no other protocol" { holds_in schemes; }
@test "CURLOPT_PORT counts for the origin" { holds_in ports; }
@test "a CURLU counts for the origin, whenever it changes" { holds_in curlu; }
@test "a token does not survive a redirect to another origin, not even by UNRESTRICTED_AUTH" { holds_in redirects; }
@test "a token does not follow a redirect to another protocol" { holds_in 'redirects to other protocols'; }
@test "no handle used again, duplicated, reset or moved carries a token it should not" { holds_in handles; }
@test "without certificate checks a token stays on this machine" { holds_in certificates; }
@test "over http a token stays on this machine, carried by nobody else" { holds_in 'what else may carry loopback http'; }
@test "no proxy and no DoH server gets a token" { holds_in 'proxies of https'; }
@test "the application's own authentication wins, in all its spellings" { holds_in "the application's own authentication"; }
@test "a change of the environment leads no token astray" { holds_in 'the environment'; }
@test "through all of this the client secret came to the token endpoint only" { holds_in secret; }

@test "every section of the table is held up above, and there are more than 120 situations" {
	local section

	while read -r section; do
		grep '^@test' "$BATS_TEST_FILENAME" | grep -qE "holds_in ['\"]?${section}['\"]?; }" ||
			fail "nobody looks at what came of section '$section'"
	done < <(sed -n 's/^\[\(.*\)\]$/\1/p' "$TABLE")
	(($(grep -cE '^[a-z][^#]*: ' "$TABLE") > 120))
}
