#!/usr/bin/env bats
# Tokens are renewed ahead of their expiry, beside the requests; and whatever the clock does, a dead
# token is not served for ever.

load ../lib/suite

LIVES_S=15   # so: renewed from 11 s on, served until 14
LATENCY_MS=1600
LOAD_S=42

# The load runs beside the tests about clocks, against a sandbox of its own.
setup_file() {
	local compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -pthread) name number

	# shellcheck disable=SC2206
	compile+=(${SANITIZE:-})
	for name in scene steady; do
		"${compile[@]}" -o "$BATS_FILE_TMPDIR/$name" "$BATS_TEST_DIRNAME/../hosts/$name.c" -lcurl
	done
	start_sandbox
	(
		seal
		sypht_env SHORT
		token_lifetime short-client $LIVES_S
		sypht-credential token >"$BATS_FILE_TMPDIR/first"
		reset_sandbox
		token_lifetime short-client $LIVES_S
		faults "{\"token\": {\"delay_ms\": $LATENCY_MS, \"times\": \"all\"}}"
		for number in 1 2; do
			LD_PRELOAD=$BUILD/libsypht-preload.so "$BATS_FILE_TMPDIR/steady" "$SANDBOX_API/echo/$number" 4 $LOAD_S \
				>"$BATS_FILE_TMPDIR/load-$number" 2>&1 3>&- &
		done
		# one that needs no token, for what a request takes on a busy machine
		"$BATS_FILE_TMPDIR/steady" "$SANDBOX_BYSTANDER" 4 $LOAD_S >"$BATS_FILE_TMPDIR/bare" 2>&1 3>&- &
		wait
		cp "$SANDBOX_REQUESTS" "$BATS_FILE_TMPDIR/requests"
		touch "$BATS_FILE_TMPDIR/done"
	) 3>&- &
	LOADED_SANDBOX=$SANDBOX_PID
	export LOADED_SANDBOX
	BATS_FILE_TMPDIR=$BATS_FILE_TMPDIR/clocks start_sandbox
}

teardown_file() {
	stop_sandbox
	kill "$LOADED_SANDBOX"
}

setup() {
	seal
	sypht_env
	reset_sandbox
	API=$SANDBOX_API_HTTP/echo
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
}

faketime_library() {
	local path
	for path in /usr/lib/*/faketime/libfaketimeMT.so.1; do printf '%s\n' "$path"; done
}

# at OFFSET COMMAND…: under the plugin, in a process whose clock is off by so much.
at() {
	local offset=$1
	shift
	try env LD_PRELOAD="$BUILD/libsypht-preload.so $(faketime_library)" FAKETIME="$offset" "$@"
}

statuses() {
	requests 'select(.server == "api") | .status' | paste -sd ' '
}

# Clocks ----------------------------------------------------------------------------------------

@test "a clock a day ahead, or behind, is no obstacle to a request" {
	local offset

	for offset in +1d -1d +2h -2h; do
		at "$offset" curl -sS -o answer -w '%{http_code} ' "$API/1" "$API/2"
		assert_status 0
		assert_contains "$output" '200 '
	done
	refute_contains "$(statuses)" 401
}

@test "a clock a day off does not spoil the cache for others" {
	at +1d curl -sS -o answer -w '%{http_code}' "$API/1"
	assert_equal "$output" 200
	at -1d curl -sS -o answer -w '%{http_code}' "$API/1"
	assert_equal "$output" 200
	at +0 curl -sS -o answer -w '%{http_code}' "$API/1"
	assert_equal "$output" 200
	assert_equal "$(statuses)" '200 200 200'
	assert_equal "$(token_requests)" 1
}

# Says one line to the host at a time, and waits for its answer.
tell() {
	local before
	before=$(wc -l <said)
	printf '%s\n' "$@" >&4
	heard() { [ "$(wc -l <said)" -gt "$before" ]; }
	wait_until heard
}

# A program that runs on while its clock is set, by the file clock.
start_host_with_a_clock() {
	echo "$1" >clock
	mkfifo go
	: >said
	env LD_PRELOAD="$BUILD/libsypht-preload.so $(faketime_library)" FAKETIME_TIMESTAMP_FILE="$PWD/clock" \
		FAKETIME_NO_CACHE=1 stdbuf -oL "$BATS_FILE_TMPDIR/scene" <go >said 3>&- &
	exec 4>go
}

@test "a clock that is set a day ahead in a running program leads to a renewal" {
	start_host_with_a_clock +0
	tell 'easy a' "set a URL $API/1" 'perform a'
	assert_equal "$(token_requests)" 1
	# as after a day in which the token died: whoever asks for one gets another
	rm -rf "$XDG_CACHE_HOME/sypht"
	revoke_tokens
	echo +1d >clock
	tell 'perform a'
	tell 'perform a'
	exec 4>&-
	wait $!
	assert_equal "$(cat said)" $'a: 0 200\na: 0 200\na: 0 200'
	refute_contains "$(statuses)" 401
}

@test "a clock that is set a day back in a running program does not keep a dead token alive" {
	start_host_with_a_clock +0
	tell 'easy a' "set a URL $API/1" 'perform a'
	rm -rf "$XDG_CACHE_HOME/sypht"
	revoke_tokens
	echo -1d >clock
	tell 'perform a'
	echo +0 >clock
	tell 'perform a'
	exec 4>&-
	wait $!
	assert_equal "$(cat said)" $'a: 0 200\na: 0 200\na: 0 200'
	refute_contains "$(statuses)" 401
	assert_equal "$(token_requests)" 2
}

@test "a token that died while the clock stood still heals" {
	start_host_with_a_clock +0
	tell 'easy a' "set a URL $API/1" 'perform a'
	revoke_tokens
	tell 'perform a'
	exec 4>&-
	wait $!
	assert_equal "$(cat said)" $'a: 0 200\na: 0 200'
	assert_equal "$(statuses)" '200 401 200'
}

@test "where no renewal can be had the living token is served to its end" {
	reset_sandbox
	token_lifetime sandbox-client 15
	sypht-credential token >/dev/null
	faults '{"token": {"status": 503, "times": "all"}}'
	# twelve seconds later: to be renewed, but usable
	at +12s curl -sS -o answer -w '%{http_code} ' "$API/1" -o answer "$API/2"
	assert_status 0
	assert_equal "$output" '200 200 '
}

# The load ----------------------------------------------------------------------------------------

loaded() {
	local deadline=$((SECONDS + LOAD_S + 40))

	until [ -e "$BATS_FILE_TMPDIR/done" ]; do
		((SECONDS < deadline)) || fail 'the load does not end'
		sleep 0.1
	done
}

journal_of_load() {
	jq -c "$1" "$BATS_FILE_TMPDIR/requests"
}

@test "steady load across expiries: no request waits for the endpoint, and none is refused" {
	local line limit

	loaded
	read -r _ _ _ _ limit _ <"$BATS_FILE_TMPDIR/bare"
	limit=$((2 * limit + LATENCY_MS / 2))
	for line in "$BATS_FILE_TMPDIR"/load-?; do
		try cat "$line"
		[[ $output =~ ^([0-9]+)\ requests,\ 0\ failed,\ ([0-9]+)\ ms\ at\ most$ ]] || fail "$output"
		((BASH_REMATCH[1] > 200))
		((BASH_REMATCH[2] < limit)) || fail "a request waited ${BASH_REMATCH[2]} ms, and not less than $limit ms"
	done
	assert_equal "$(journal_of_load 'select(.server == "api" and .status != 200)')" ''
}

@test "steady load across expiries: one renewal each, by one of two processes with eight threads" {
	local asked used

	loaded
	asked=$(journal_of_load 'select(.server == "token")' | wc -l)
	used=$(journal_of_load 'select(.server == "api") | .token' | sort -u | wc -l)
	((asked >= 3 && asked <= LOAD_S / 10)) || fail "$asked token requests"
	((used >= 3 && used <= asked + 1)) || fail "$used tokens of $((asked + 1)) were used"
}
