#!/usr/bin/env bats
# What may include what: scripts/fences, which make lint runs.

load ../lib/suite

setup() {
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir -p "$TREE"
	(cd "$ROOT" && find helper plugin -name '*.[ch]' -exec cp --parents -t "$TREE" {} +)
}

# add FILE LINE: put an include at the end of a file of the copy.
add() {
	printf '%s\n' "$2" >>"$TREE/$1"
}

assert_refused() {
	try "$ROOT/scripts/fences" "$TREE"
	assert_status 1
	assert_contains "$stderr" "$1"
}

@test "fences: the tree has no cycle and no include that runs back up" {
	try "$ROOT/scripts/fences" "$TREE"
	assert_status 0
	assert_empty "$stderr"
}

@test "fences: a cycle within a room is found" {
	add helper/core/origin.h '#include "core/profile.h"'
	assert_refused helper/core/profile
}

@test "fences: an include from a lower room into a higher one is found" {
	add helper/core/token.c '#include "supply/supply.h"'
	assert_refused 'helper/core may not include helper/supply'
}

@test "fences: mint and fleet do not know supply, nor each other" {
	add helper/mint/endpoint.c '#include "supply/supply.h"'
	assert_refused 'helper/mint may not include helper/supply'
	add helper/fleet.c '#include "mint/endpoint.h"'
	assert_refused 'helper/fleet.c may not include helper/mint'
}

@test "fences: the plugin includes core, and nothing else of the helper" {
	add plugin/scope.c '#include "process.h"'
	assert_refused 'plugin may not include helper/process'
}

@test "fences: a library's header is included in its room alone" {
	add helper/supply/supply.c '#include <curl/curl.h>'
	assert_refused '<curl/curl.h> is not for this file'
}

@test "fences: an include is spelled from helper/ or plugin/" {
	add helper/core/token.c '#include "origin.h"'
	assert_refused '"origin.h" is not spelled from helper/ or plugin/'
}
