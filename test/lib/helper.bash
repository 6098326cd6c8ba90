# shellcheck shell=bash
# What the suites about sypht-credential have in common:  load suite;  load helper
#
# Each test starts with the sandbox as new, an empty home, and the environment of a user of the
# sandbox's usual client.

setup_file() {
	start_sandbox
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	reset_sandbox
	sypht_env
}

# Questions and answers ------------------------------------------------------------------------

# for_api [KEY=VALUE…]: git's description of the sandbox's API, those lines before it.
for_api() {
	description "$@" protocol=https "host=${SANDBOX_API#https://}"
}

# for_endpoint [KEY=VALUE…]: the same for the token endpoint, those lines behind it.
for_endpoint() {
	description protocol=https "host=${SANDBOX_ISSUER#https://}" "$@"
}

description() {
	printf '%s\n' "$@" ''
}

# The value of KEY in $output; assert_attribute KEY VALUE
attribute() {
	sed -n "s/^$1=//p" <<<"$output"
}

assert_attribute() {
	assert_equal "$1=$(attribute "$1")" "$1=$2"
}

# The keys of $output, in order, between blanks.
assert_keys() {
	assert_equal "$(cut -d = -f 1 <<<"$output" | paste -sd ' ')" "$*"
}

# No answer, and nothing to complain of.
assert_silence() {
	assert_status 0
	assert_empty "$output"
	assert_empty "$stderr"
}

# assert_refused STATUS TEXT…: nothing on stdout, one line on stderr that holds each text.
assert_refused() {
	local text expected=$1
	shift
	assert_status "$expected"
	assert_empty "$output"
	assert_equal "$(wc -l <<<"$stderr") line" '1 line'
	assert_contains "$stderr" 'sypht-credential: '
	for text in "$@"; do assert_contains "$stderr" "$text"; done
}

# Whether the sandbox's token endpoint gave this token out.
assert_issued() {
	local mark
	mark=$(printf %s "$1" | sha256sum | cut -c 1-8)
	requests 'select(.server == "token") | .token' | grep -qx "\"$mark\"" ||
		fail "never issued: '$1'"
}

# assert_token_requests NUMBER, since the start of the test.
assert_token_requests() {
	assert_equal "$(token_requests) token requests" "$1 token requests"
}

# The token, or the test fails.
token() {
	"$BUILD/sypht-credential" token "$@"
}

# What lies on the disk -------------------------------------------------------------------------

# configure <<<text: the config file.
configure() {
	(umask 077 && mkdir -p "$XDG_CONFIG_HOME/sypht" && cat >"$XDG_CONFIG_HOME/sypht/config")
}

# profile NAME [KEY=VALUE…]: a section for the sandbox's usual client, without the secret.
profile() {
	local name=$1
	shift
	printf '%s\n' "[profile $name]" "origin = $SANDBOX_API" "token_url = $SANDBOX_TOKEN_URL" \
		"client_id = $SANDBOX_CLIENT_ID" "$@"
}

cache_directory() {
	printf '%s\n' "${SYPHT_CACHE_DIR:-$XDG_CACHE_HOME/sypht}"
}

# entry SUFFIX: the one file of that kind in the cache (token, state, lock).
entry() {
	local found
	mapfile -t found < <(compgen -G "$(cache_directory)/*.$1")
	[ ${#found[@]} -eq 1 ] || fail "there is not one $1 file but: ${found[*]-none}"
	printf '%s\n' "${found[0]}"
}

# forge SUFFIX SED: change that file, keeping its mode.
forge() {
	sed -i "$2" "$(entry "$1")"
}

# age SUFFIX SECONDS: make all times in that file, and its own, so much older.
age() {
	local file before
	file=$(entry "$1")
	before=$(stat -c %Y "$file")
	shift_times "$2" <"$file" >aged
	cat aged >"$file"
	touch -d "@$((before - $2))" "$file"
}

shift_times() {
	awk -F= -v by="$1" '
		/^(obtained|expires|failed|retry_from|replace_from|renewing_until)=/ { printf "%s=%d\n", $1, $2 - by; next }
		{ print }'
}

needs_root() {
	[ "$(id -u)" = 0 ] || skip_allowed "only root can $1"
}

# small_disk DIRECTORY: mount a file system of 64 KiB there, until the end of the test.
small_disk() {
	needs_root 'mount a file system'
	mkdir -p "$1"
	mount -t tmpfs -o size=64k,mode=700 tmpfs "$1" || skip_allowed 'no mounts here'
	mounted=$1
}

fill_disk() {
	dd if=/dev/zero of="$1/fill" bs=4k 2>/dev/null || true
}

teardown() {
	[ -z "${mounted:-}" ] || umount --lazy "$mounted"
	[ -z "${beating:-}" ] || kill "$beating" 2>/dev/null || true
}

# Processes ------------------------------------------------------------------------------------

# hold_lock: until release_lock, as a process that renews and shows that it runs. The lock's file
# must exist.
hold_lock() {
	local lock
	lock=$(entry lock)
	exec 6<>"$lock"
	flock 6
	python3 -c 'import os, sys, time
while True:
    os.utime(sys.argv[1])
    time.sleep(0.1)' "$lock" 3>&- 6>&- &
	disown
	beating=$!
}

release_lock() {
	kill "$beating"
	exec 6>&-
}

# Wait until nobody holds the lock, as a renewal in the background does.
settle() {
	wait_until flock --nonblock "$(entry lock)" true
}

# herd NUMBER COMMAND…: so many at once; their stdouts go to herd.out, their stderrs to herd.err.
herd() {
	local number=$1 herd=()
	shift
	for ((; number > 0; number--)); do
		"$@" 3>&- &
		herd+=($!)
	done >>herd.out 2>>herd.err
	wait "${herd[@]}" || true
}
