#!/usr/bin/env bats
# What the plugin, in a program that knows nothing of it, shows of secret and token: nothing, to
# nobody; and in a set-uid program it is not there at all.

load ../lib/suite

setup_file() {
	start_sandbox
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -o "$BATS_FILE_TMPDIR/scene" \
		"$BATS_TEST_DIRNAME/../hosts/scene.c" -lcurl
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	reset_sandbox
	API=$SANDBOX_API/echo
}

teardown() {
	[ -z "${public:-}" ] || rm -rf "$public"
}

# The secret, and the forms in which it is sent; then tokens, each as it is.
secrets() {
	printf '%s\n' "$SANDBOX_CLIENT_SECRET" "$@"
	printf %s "$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET" | base64 -w 0
	echo
}

# No line of the text on stdin holds any of secrets.
refute_any() {
	local found
	found=$(grep -aF -f <(secrets "$@") || true)
	assert_equal "$found" ''
}

# strace prints every program that is run, with all its arguments and its whole environment.
execs_of() {
	strace -f -v -s 100000 -e trace=execve -e signal=none -o execs "$@" >/dev/null
}

@test "a program that is healed shows no secret and no token to the programs that are run for it" {
	not_under_sanitizers 'they cannot look for leaks while they are traced'
	local stale fresh run

	stale=$(sypht-credential token)
	revoke_tokens
	reset_sandbox
	execs_of env LD_PRELOAD="$BUILD/libsypht-preload.so" curl -sS --fail "$API/1" "$API/2"
	fresh=$(sypht-credential token)
	[ "$stale" != "$fresh" ]
	assert_equal "$(token_requests)" 1
	grep -q 'execve("[^"]*/sypht-mint"' execs
	grep -q 'execve("[^"]*/sypht-credential"' execs

	# tokens in nobody's, the secret in the environment of those who had it from the user
	grep -aF -e "$stale" -e "$fresh" execs && fail 'a token was shown'
	while read -r run; do
		refute_any <<<"$run"
	done < <(grep -a 'execve(' execs | grep -av 'execve("[^"]*/\(env\|curl\|sypht-credential\)"')
	sed -n 's/.*execve("[^"]*", \(\[[^]]*\]\), .*/\1/p' execs | refute_any
}

@test "while a token is waited for, no argument of any process and no file shows the secret" {
	local host process

	faults '{"token": {"delay_ms": 1500}}'
	SYPHT_TRACE=$HOME/trace LD_PRELOAD=$BUILD/libsypht-preload.so curl -sS -o answer "$API/1" 3>&- &
	host=$!
	asked() { [ "$(token_requests)" -ge 1 ]; }
	wait_until asked
	for process in /proc/[0-9]*; do
		tr '\0' ' ' <"$process/cmdline" 2>/dev/null
	done | refute_any
	try grep -rlaF -f <(secrets) "$HOME"
	assert_equal "$output" ''
	wait "$host"
	assert_equal "$(jq -r .method answer)" GET
	try grep -rlaF -f <(secrets) "$HOME"
	assert_equal "$output" ''
	assert_file_not_empty "$HOME/trace"
}

@test "the token stands in the cache and in no other file" {
	local token

	SYPHT_TRACE=$HOME/trace under curl -sS -o answer "$API/1"
	revoke_tokens
	SYPHT_TRACE=$HOME/trace under curl -sS -o answer "$API/1" "$API/2"
	token=$(sypht-credential token)
	try grep -rlaF "$token" "$HOME"
	assert_output --regexp "^$XDG_CACHE_HOME/sypht/[^/]*\\.token\$"
}

@test "SYPHT_TRACE tells the whole story of a token that was refused, without token or secret" {
	local stale fresh

	stale=$(sypht-credential token)
	revoke_tokens
	SYPHT_TRACE=$HOME/trace under curl -sS -o answer "$API/1"
	fresh=$(sypht-credential token)
	refute_any "$stale" "$fresh" <"$HOME/trace"
	try cat "$HOME/trace"
	assert_output --partial "request to $SANDBOX_API: carries token"
	assert_output --partial '401 on token'
	assert_output --partial 'cached token dropped'
	assert_output --partial 'minted token'
	assert_equal "$(stat -c %a "$HOME/trace")" 600
}

@test "the reason of a failure quotes neither token nor secret" {
	faults "$(jq -cn --arg secret "$SANDBOX_CLIENT_SECRET" \
		'{token: {status: 400, body: {error: "invalid_client", error_description: $secret}}}')"
	SYPHT_TRACE=1 under curl -sS "$API/1"
	assert_status 67
	refute_any <<<"$output$stderr"
}

# Set-uid programs -----------------------------------------------------------------------------

# A directory that others can read, on a file system that heeds the set-uid bit, with the parts
# and a host that has the plugin in it for good: the loader itself drops what LD_PRELOAD names.
set_uid_host() {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can make set-uid programs of others'
	public=$(mktemp -d /var/tmp/sypht-set-uid.XXXXXX)
	chmod 755 "$public"
	install -m 755 "$BUILD"/{libsypht-preload.so,sypht-credential,sypht-mint} "$public"
	install -m 644 "$SANDBOX_CA" "$public/ca.pem"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -o "$public/scene" "$ROOT/test/hosts/scene.c" \
		-Wl,--no-as-needed "$public/libsypht-preload.so" -lcurl
	install -d -m 777 "$public/home"
	export CURL_CA_BUNDLE=$public/ca.pem SYPHT_CAINFO=$public/ca.pem
}

# As nobody, in an empty home, one request; what it prints.
as_nobody() {
	try runuser -u nobody -- env HOME="$public/home" XDG_CACHE_HOME="$public/home" \
		XDG_CONFIG_HOME="$public/home" SYPHT_TRACE="$public/home/trace" "$@" <<-EOF
			easy a
			set a CAINFO $public/ca.pem
			set a URL $SANDBOX_API/open/1
			perform a
		EOF
}

schemes() {
	requests 'select(.server == "api") | .scheme // "-"' | tr -d '"' | paste -sd ' '
}

@test "set-uid programs: everything is off, even where the plugin is loaded" {
	set_uid_host
	as_nobody "$public/scene"
	assert_equal "$output $(schemes)" 'a: 0 200 Bearer'

	rm -rf "${public:?}"/home/*
	reset_sandbox
	chown daemon "$public/scene"
	chmod 4755 "$public/scene"
	as_nobody "$public/scene"
	assert_equal "$output $(schemes)" 'a: 0 200 -'
	assert_equal "$(token_requests)" 0
	try ls -A "$public/home"
	assert_equal "$output" ''
}

@test "set-gid programs: the same" {
	set_uid_host
	chgrp daemon "$public/scene"
	chmod 2755 "$public/scene"
	as_nobody env LD_PRELOAD="$public/libsypht-preload.so" "$public/scene"
	assert_equal "$(schemes)" -
	assert_equal "$(token_requests)" 0
	try ls -A "$public/home"
	refute_contains "$output" sypht
}
