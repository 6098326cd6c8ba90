# shellcheck shell=bash
# What every suite here begins with:  load suite
#
# Each test runs sealed off from the machine: own home, own caches, a fixed PATH with build/ in
# front, and none of the variables curl or we would listen to. CLIENT_LIBRARIES names a directory
# with another libcurl, for all programs of a test to use.

bats_require_minimum_version 1.5.0

# What bats_load_library would do, without a dozen processes for each test: bats reads a suite anew
# for each of its tests, so what stands here runs a thousand times.
load_libraries() {
	local library directories directory file

	IFS=: read -ra directories <<<"$BATS_LIB_PATH"
	for library in bats-support bats-assert bats-file; do
		for directory in "${directories[@]}"; do
			for file in "$directory/$library"/src/*.bash; do
				# shellcheck source=/dev/null
				[ ! -e "$file" ] || source "$file"
			done
		done
	done
}
load_libraries

ROOT=${BATS_TEST_DIRNAME%/test/*}
BUILD=${TEST_BUILD:-$ROOT/build}

setup() {
	seal
}

seal() {
	# The countdown of BATS_TEST_TIMEOUT is a child too: a bare wait must not wait for it.
	[ -z "${BATS_killer_pid:-}" ] || disown "$BATS_killer_pid"

	unset "${!SYPHT_@}" "${!CURL_@}" "${!SSL_CERT_@}" "${!LD_@}" "${!GIT_@}" "${!XDG_@}" NETRC \
		{http,https,ftp,all,no}_proxy {HTTP,HTTPS,FTP,ALL,NO}_PROXY

	export HOME=$BATS_TEST_TMPDIR/home LC_ALL=C TERM=dumb
	export TMPDIR=$HOME/tmp XDG_CONFIG_HOME=$HOME/.config XDG_CACHE_HOME=$HOME/.cache
	export XDG_DATA_HOME=$HOME/.local/share XDG_STATE_HOME=$HOME/.local/state
	export XDG_RUNTIME_DIR=$HOME/run
	export PATH=$BUILD:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	[ -z "${CLIENT_LIBRARIES:-}" ] || export LD_LIBRARY_PATH=$CLIENT_LIBRARIES
	umask 077
	mkdir -p "$TMPDIR" "$XDG_CONFIG_HOME" "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR"
	umask 022
	cd "$TMPDIR" || return
}

# Running commands ---------------------------------------------------------------------------

# Run a command; $status, $output (its stdout) and $stderr say what came of it. bats shows this
# account when the test fails, and only then.
try() {
	run --separate-stderr "$@"
	printf '$ %s\nstatus: %s\nstdout: %s\nstderr: %s\n' "$*" "$status" "$output" "$stderr"
}

# ask VERB [OPTION…] <<<input: one question to the helper.
ask() {
	try "$BUILD/sypht-credential" "$@"
}

# under COMMAND…: try it with the plugin preloaded.
under() {
	try env LD_PRELOAD="$BUILD/libsypht-preload.so" "$@"
}

# Poll a condition for up to a minute: wait_until test -e file
wait_until() {
	local deadline=$((SECONDS + 60))

	until "$@"; do
		((SECONDS < deadline)) || fail "waited in vain for: $*"
		sleep 0.02
	done
}

# timed COMMAND…, and took_ms says how long it took.
timed() {
	local start=${EPOCHREALTIME/./}
	"$@"
	took_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
}

start_forty() {
	for _ in {1..40}; do "$BUILD/sypht-credential" --version >/dev/null; done
}

# assert_took_less MILLISECONDS: that the last timed command did. On a busy machine it may have
# waited for a processor: allow as much more as forty programs take that only start.
assert_took_less() {
	local took=$took_ms limit=$1

	[ "$took" -ge "$limit" ] || return 0
	timed start_forty
	limit=$((limit + took_ms))
	took_ms=$took
	[ "$took" -lt "$limit" ] || fail "it took $took ms; the limit is $limit ms"
}

# A skip that may stand in CI too, since its reason lies in the machine and not in us.
skip_allowed() {
	skip "allowed: $*"
}

# For what a sanitizer's runtime changes: what a program asks of the kernel, its memory, its speed.
not_under_sanitizers() {
	[ -z "${TEST_SANITIZED:-}" ] || skip_allowed "not under sanitizers: $*"
}

# Assertions beside those of bats-assert -------------------------------------------------------

assert_status() {
	assert_equal "status $status" "status $1"
}

assert_empty() {
	assert_equal "$1" ''
}

assert_contains() {
	[[ $1 == *"$2"* ]] || batslib_print_kv_single 8 text "$1" lacks "$2" |
		batslib_decorate 'text lacks what it should contain' | fail
}

refute_contains() {
	[[ $1 != *"$2"* ]] || batslib_print_kv_single 8 text "$1" holds "$2" |
		batslib_decorate 'text contains what it must not' | fail
}

# The sandbox ----------------------------------------------------------------------------------

# For setup_file. Leaves the variables of sandbox.env exported.
start_sandbox() {
	local directory=$BATS_FILE_TMPDIR/sandbox

	"$ROOT/test/sandbox/start" "$directory" $$ || return
	set -a
	# shellcheck source=/dev/null
	. "$directory/sandbox.env"
	set +a
}

# For teardown_file.
stop_sandbox() {
	[ -z "${SANDBOX_PID:-}" ] || kill "$SANDBOX_PID"
}

# curl as a tool of the tests, deaf to what is under test.
plain_curl() {
	env -u LD_PRELOAD curl -q -sS --noproxy '*' "$@"
}

# admin METHOD LEVER [JSON]: the sandbox's answer; test/sandbox/admin.mjs lists the levers. By the
# shell alone, as every test pulls one and most pull several.
admin() {
	local json=${3:-} LC_ALL=C line answer wire

	exec {wire}<>"/dev/tcp/127.0.0.1/${SANDBOX_ADMIN##*:}" || return
	printf '%s /%s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s' "$1" "$2" ${#json} "$json" >&"$wire"
	IFS= read -r answer <&"$wire"
	while IFS= read -r line && [ "$line" != $'\r' ]; do :; done <&"$wire"
	IFS= read -rd '' line <&"$wire" || true # the end of the answer
	exec {wire}>&-
	printf '%s\n' "$line"
	[[ $answer == *' 200 '* ]]
}

count_of() {
	[[ $(admin GET count) =~ \"$1\":([0-9]+) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

token_requests() { count_of token_requests; }
api_requests() { count_of api_requests; }
bystander_requests() { count_of bystander_requests; }

# faults '{"token": {"status": 503, "times": 2}}'; test/sandbox/faults.mjs lists them all.
faults() { admin PUT faults "$1" >&2; }

# Counters, journals, faults and lifetimes as at the start.
reset_sandbox() { admin POST reset >/dev/null; }

# revoke_tokens [TOKEN]: that one, or all there are.
revoke_tokens() {
	local token=${1:-}
	admin POST revoke "${token:+{\"token\": \"$token\"\}}" >&2
}

# token_lifetime CLIENT_ID SECONDS, for tokens issued from now on.
token_lifetime() {
	admin PUT lifetime "{\"client_id\": \"$1\", \"seconds\": $2}" >&2
}

# requests [FILTER]: the journal, a line a request, through jq: requests 'select(.server == "api")'
requests() {
	jq -c "${1:-.}" "$SANDBOX_REQUESTS"
}

# The client id or secret of the sandbox's client NAME (SHORT, ODD, NARROW, JWT, LEGACY); the
# usual one without a name.
client_id() { sandbox_variable "${1:-}" CLIENT_ID; }
client_secret() { sandbox_variable "${1:-}" CLIENT_SECRET; }

sandbox_variable() {
	local variable=SANDBOX_${1:+$1_}$2
	printf '%s\n' "${!variable}"
}

# sypht_env [NAME]: as a user of the sandbox's client would set up the shell.
sypht_env() {
	local id=SANDBOX_${1:+$1_}CLIENT_ID secret=SANDBOX_${1:+$1_}CLIENT_SECRET

	export SYPHT_API_KEY=${!id}:${!secret}
	# shellcheck disable=SC2153
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL SYPHT_API_BASE_ENDPOINT=$SANDBOX_API
	export SYPHT_CAINFO=$SANDBOX_CA CURL_CA_BUNDLE=$SANDBOX_CA
}
