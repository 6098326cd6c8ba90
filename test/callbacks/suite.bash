# shellcheck shell=bash
# For suites that play a table of programs, $TABLE:  load suite;  load callbacks/suite

# play_programs DIRECTORY: once for a file; the outcomes are there then.
play_programs() {
	mkdir -p "$1"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -o "$1/host" "$ROOT"/test/hosts/callbacks/*.c -lcurl -lssl &&
		node "$ROOT/test/callbacks/play.mjs" "$TABLE" "$1" "$BUILD" "$1/host"
}

# holds_in DIRECTORY SECTION: what came of the programs of a section, those that went wrong in full.
holds_in() {
	local outcomes wrong

	outcomes=$(jq -c --arg section "$2" 'select(.section == $section)' "$1/outcomes")
	[ -n "$outcomes" ] || fail "nothing was played in section '$2'"
	wrong=$(jq -r 'select(.objections != []) | "\(.name):", "    \(.objections[])"' <<<"$outcomes")
	[ -z "$wrong" ] || fail "$wrong"
}

every_section_is_held() {
	local section

	while read -r section; do
		grep -qF " '$section'; }" "$BATS_TEST_FILENAME" || fail "nobody looks at what came of section '$section'"
	done < <(sed -n 's/^\[\(.*\)\]$/\1/p' "$TABLE")
}
