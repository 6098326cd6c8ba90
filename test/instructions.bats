#!/usr/bin/env bats
# The hot paths, counted: instructions under callgrind, which do not depend on what else the
# machine does. A bar stands a little above what was reached; test/bench/README.md tells how the
# figures are taken, and which budgets they serve.

load suite

setup_file() {
	local root=$BATS_TEST_DIRNAME/..

	${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -o "$BATS_FILE_TMPDIR/calls" "$root/test/bench/calls.c" -lcurl
}

setup() {
	seal
	BEARER=$(printf 'x%.0s' {1..43})
	python3 "$ROOT/test/bench/forge.py" cache https://auth.sypht.com/oauth2/token id "$BEARER"
	printf '%s\n' 'capability[]=authtype' protocol=https host=api.sypht.com '' >ask
}

# instructions [NAME=VALUE…] COMMAND… <FILE: how many it executes, in an environment of few words.
instructions() {
	local variables=()

	while [[ $1 == *=* ]]; do
		variables+=("$1")
		shift
	done
	env -i PATH="$PATH" HOME="$HOME" SYPHT_API_KEY=id:secret SYPHT_CACHE_DIR="$PWD/cache" \
		"${variables[@]}" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >answer |
		sed -n 's/.*Collected : //p'
}

# per_call WHAT NAME=VALUE: what one more of so many costs, in test/bench/calls.c.
per_call() {
	local once twice n=200

	once=$(instructions "$2" "$BATS_FILE_TMPDIR/calls" "$1" $n)
	twice=$(instructions "$2" "$BATS_FILE_TMPDIR/calls" "$1" $((2 * n)))
	echo $(((twice - once) / n))
}

# added WHAT: what the plugin adds to one call; a native bearer stands for the token.
added() {
	local plugin native

	plugin=$(per_call "$1" LD_PRELOAD="$BUILD/libsypht-preload.so")
	native=$(per_call "$1" BEARER="$BEARER")
	echo $((plugin - native))
}

# assert_at_most BAR COUNT: and tell the headroom, whatever becomes of it.
assert_at_most() {
	printf '# %d instructions, %d below the bar\n' "$2" $(($1 - $2)) >&3
	(($2 > 0 && $2 <= $1)) || fail "$2 instructions, the bar is at $1"
}

@test "instructions: a warm get, start and end of the process included" {
	# half of it is the C library's own start, where it is glibc
	grep -qa 'GNU C Library' "$BUILD/sypht-credential" && bar=100000 || bar=72000
	assert_at_most "$bar" "$(instructions "$BUILD/sypht-credential" get <ask)"
	grep -qx "credential=$BEARER" answer
}

@test "instructions: a warm get, the config having a thousand profiles" {
	seq 1000 | sed 's,.*,[profile p&]\norigin = https://api&.example\ntoken_url = https://auth&.example/token\n,' >config
	chmod 600 config
	grep -qa 'GNU C Library' "$BUILD/sypht-credential" && bar=350000 || bar=310000
	assert_at_most "$bar" "$(instructions SYPHT_CONFIG="$PWD/config" "$BUILD/sypht-credential" get <ask)"
	grep -qx "credential=$BEARER" answer
}

@test "instructions: added to curl_easy_setopt, of an option that does not matter" {
	assert_at_most 200 "$(added setopt)"
}

@test "instructions: added to curl_easy_setopt, of the URL" {
	assert_at_most 280 "$(added url)"
}

@test "instructions: added to a warm curl_easy_perform on a live connection" {
	assert_at_most 1500 "$(added perform)"
}

@test "instructions: the same, the URL being set before each" {
	assert_at_most 1700 "$(added anew)"
}
