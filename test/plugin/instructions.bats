#!/usr/bin/env bats
# The hot paths, counted: instructions under callgrind, which do not depend on what else the
# machine does. A bar stands a little above what was reached; test/bench/README.md tells how the
# figures are taken, and which budgets they serve.

load ../lib/suite

setup_file() {
	local root=$BATS_TEST_DIRNAME/../..

	${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -o "$BATS_FILE_TMPDIR/calls" "$root/test/bench/calls.c" -lcurl
}

setup() {
	seal
	BEARER=$(printf 'x%.0s' {1..43})
	python3 "$ROOT/test/bench/forge.py" cache https://auth.sypht.com/oauth2/token id "$BEARER"
	printf '%s\n' 'capability[]=authtype' protocol=https host=api.sypht.com '' >ask
}

# count WHAT [NAME=VALUE…] COMMAND… <FILE: what test/bench/callgrind.py says of it.
count() {
	local variables=() what=$1
	shift

	while [[ $1 == *=* ]]; do
		variables+=("$1")
		shift
	done
	env -i PATH="$PATH" HOME="$HOME" SYPHT_API_KEY=id:secret SYPHT_CACHE_DIR="$PWD/cache" \
		"${variables[@]}" valgrind --tool=callgrind --callgrind-out-file=counted "$@" >answer 2>log ||
		fail "$(cat log)"
	case $what in
	total) python3 "$ROOT/test/bench/callgrind.py" total counted ;;
	plugin) python3 "$ROOT/test/bench/callgrind.py" guest counted libsypht-preload ;;
	esac
}

# added WHAT: what the plugin adds to one more of so many calls, in test/bench/calls.c.
added() {
	local once twice n=200

	once=$(count plugin LD_PRELOAD="$BUILD/libsypht-preload.so" "$BATS_FILE_TMPDIR/calls" "$1" $n)
	twice=$(count plugin LD_PRELOAD="$BUILD/libsypht-preload.so" "$BATS_FILE_TMPDIR/calls" "$1" $((2 * n)))
	echo $(((twice - once) / n))
}

# assert_at_most BAR COUNT: and tell the headroom, whatever becomes of it.
assert_at_most() {
	printf '# %d instructions, %d below the bar\n' "$2" $(($1 - $2)) >&3
	(($2 > 0 && $2 <= $1)) || fail "$2 instructions, the bar is at $1"
}

@test "instructions: a warm get, start and end of the process included" {
	# half of it is the C library's own start, where it is glibc
	grep -qa 'GNU C Library' "$BUILD/sypht-credential" && bar=100000 || bar=72000
	assert_at_most "$bar" "$(count total "$BUILD/sypht-credential" get <ask)"
	grep -qx "credential=$BEARER" answer
}

@test "instructions: a warm get, the config having a thousand profiles" {
	seq 1000 | sed 's,.*,[profile p&]\norigin = https://api&.example\ntoken_url = https://auth&.example/token\n,' >config
	chmod 600 config
	grep -qa 'GNU C Library' "$BUILD/sypht-credential" && bar=20000000 || bar=17000000
	assert_at_most "$bar" "$(count total SYPHT_CONFIG="$PWD/config" "$BUILD/sypht-credential" get <ask)"
	grep -qx "credential=$BEARER" answer
}

@test "instructions: added to curl_easy_setopt, of an option that does not matter" {
	assert_at_most 225 "$(added setopt)"
}

@test "instructions: added to curl_easy_setopt, of the URL" {
	assert_at_most 270 "$(added url)"
}

@test "instructions: added to a warm curl_easy_perform on a live connection" {
	assert_at_most 1200 "$(added perform)"
}

@test "instructions: the same, the URL being set before each" {
	assert_at_most 1450 "$(added anew)"
}
