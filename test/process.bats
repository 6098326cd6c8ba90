#!/usr/bin/env bats
# What libsypht-preload.so owes to the process it is a guest in: threads that leave a request, forks,
# several libcurls, errors that are the program's own, a config that cannot be used, and no memory.

load suite

setup_file() {
	local hosts=$BATS_TEST_DIRNAME/hosts name
	local compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g)

	start_sandbox
	# shellcheck disable=SC2206
	compile+=(${SANITIZE:-})
	cd "$BATS_FILE_TMPDIR" || return
	for name in fork late leave short; do
		"${compile[@]}" -pthread -o "$name" "$hosts/$name.c" -lcurl
	done
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -shared -fPIC -o torture-guest.so \
		"$BATS_TEST_DIRNAME/drivers/torture-guest.c"
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

# A program of test/hosts under the plugin.
host() {
	try env LD_PRELOAD="$BUILD/libsypht-preload.so" timeout 60 "$BATS_FILE_TMPDIR/$1" "${@:2}"
}

# slow_helper COMMAND: the first helper that is run creates the file "started" and does that first.
slow_helper() {
	cat >helper <<-EOF
		#!/bin/sh
		[ -e started ] || { touch started; $1; }
		exec $BUILD/sypht-credential "\$@"
	EOF
	chmod +x helper
	export SYPHT_CREDENTIAL=$PWD/helper
}

# Threads that leave a request -----------------------------------------------------------------

@test "a thread that jumps out of the wait for a token makes its next request, and others do" {
	local how

	for how in jump away; do
		rm -rf started go "$XDG_CACHE_HOME/sypht"
		slow_helper 'exec sleep 77.25'
		host leave $how "$API/1"
		assert_status 0
		assert_equal "$(grep -c '^200$' <<<"$output")" "$([ $how = jump ] && echo 2 || echo 1)"
		assert_line '0 descriptors'
		assert_line 'no child'
	done
	run ! pgrep -fx 'sleep 77.25'
}

@test "a thread that is cancelled while it waits for a token leaves the token to the others" {
	local how

	for how in cancel async; do
		rm -rf started go "$XDG_CACHE_HOME/sypht"
		slow_helper 'until [ -e go ]; do sleep 0.02; done'
		host leave $how "$API/1"
		assert_status 0
		assert_output $'200\nno child'
	done
}

@test "a signal whose handler returns does not end the wait for a token" {
	slow_helper 'until [ -e go ]; do sleep 0.02; done'
	host leave signal "$API/1"
	assert_status 0
	assert_output $'200\n200\nno child'
}

# Forks ----------------------------------------------------------------------------------------

@test "a host's own handlers of a fork may use libcurl, whatever other threads are doing" {
	host fork "$API/1"
	assert_status 0
	assert_output 200
	assert_equal "$(token_requests)" 1
}

# The config -----------------------------------------------------------------------------------

# configure TEXT…: the config, a line each.
configure() {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '%s\n' "$@" >"$XDG_CONFIG_HOME/sypht/config"
	chmod 600 "$XDG_CONFIG_HOME/sypht/config"
}

# doomed REASON URL…: each request fails before it is sent, with that reason, also in the trace.
doomed() {
	local url reason=$1
	shift
	for url; do
		SYPHT_TRACE=1 try env LD_PRELOAD="$BUILD/libsypht-preload.so" curl -sS "$url"
		assert_status 67
		assert_contains "$stderr" "curl: (67) sypht: $reason"
		assert_contains "$stderr" "not sent: $reason"
	done
	assert_equal "$(bystander_requests) $(api_requests)" '0 0'
}

# undisturbed URL: the request is sent.
undisturbed() {
	try env LD_PRELOAD="$BUILD/libsypht-preload.so" curl -sS "$1"
	assert_status 0
	reset_sandbox
}

@test "a config with a fault in any place dooms the origins of all its profiles, and nothing else" {
	local config=$XDG_CONFIG_HOME/sypht/config
	local first=('[profile one]' "origin = $SANDBOX_BYSTANDER" "token_url = https://one.example/token")
	local last=('[profile two]' "token_url = https://two.example/token" "origin = $SANDBOX_API_HTTP"
		"  $SANDBOX_API_IPV6")
	local all=("$SANDBOX_BYSTANDER/1" "$SANDBOX_API_HTTP/2" "$SANDBOX_API_IPV6/3" "$API/4")

	configure nonsense "${first[@]}" "${last[@]}"
	doomed "$config:1: " "${all[@]}"
	configure "${first[@]}" 'clientid = x' "${last[@]}"
	doomed "$config:4: unknown key 'clientid'" "${all[@]}"
	configure "${first[@]}" "${last[@]}" 'auth_method = none'
	doomed "$config:8: auth_method" "${all[@]}"
	configure '[profile bad name]' "${first[@]:1}" "${last[@]}"
	doomed "$config:2: section 'profile bad name'" "${all[@]}"
	configure "${first[@]:0:2}" "${last[@]}"
	doomed "$config:4: profile 'one' (line 2) needs token_url" "${all[@]}"
	configure '[profile one' "${first[@]:1}" "${last[@]}"
	doomed "$config:1: expected ]" "${all[@]}"
	configure "${first[@]/origin/orgin}" "${last[@]}"
	doomed "$config:2: unknown key 'orgin'" "${all[@]}"
	configure "${first[@]}" "${last[@]:0:2}" "${last[*]:2} $(printf ' https://%064d.example' 1 2 3)"
	doomed "$config:6: a line may be 198 bytes long" "${all[@]}"
	undisturbed "$SANDBOX_BYSTANDER_HTTP/5"
}

@test "a config that others can write dooms the origins that it names" {
	configure '[profile one]' "origin = $SANDBOX_BYSTANDER" 'token_url = https://one.example/token'
	chmod 666 "$XDG_CONFIG_HOME/sypht/config"
	doomed 'the config: others can write it; run: chmod go-w' "$SANDBOX_BYSTANDER/1" "$API/2"
	undisturbed "$SANDBOX_BYSTANDER_HTTP/3"
}

@test "a config that cannot be read dooms the built-in origin" {
	mkdir -p "$XDG_CONFIG_HOME/sypht/config"
	doomed "$XDG_CONFIG_HOME/sypht/config: not a regular file" "$API/1"
	SYPHT_CONFIG=/nowhere doomed 'SYPHT_CONFIG: /nowhere: No such file' "$API/1"
	undisturbed "$SANDBOX_BYSTANDER/2"
}

@test "a variable that cannot be used dooms what the environment and the config name" {
	SYPHT_AUTH_ENDPOINT=nonsense doomed 'SYPHT_AUTH_ENDPOINT: expected' "$API/1"
	configure '[profile sypht]' "origin = $SANDBOX_BYSTANDER"
	SYPHT_API_BASE_ENDPOINT=nonsense doomed \
		"$XDG_CONFIG_HOME/sypht/config: SYPHT_API_BASE_ENDPOINT: expected" "$SANDBOX_BYSTANDER/2"
	SYPHT_PROFILE=nobody doomed "there is no profile 'nobody'" "$API/3" "$SANDBOX_BYSTANDER/4"
}

@test "environment and config are read when a handle is used, not when it is made" {
	unset SYPHT_AUTH_ENDPOINT
	configure nonsense
	printf '[profile one]\norigin = %s\ntoken_url = %s\n' "$SANDBOX_BYSTANDER" "$SANDBOX_TOKEN_URL" >good
	chmod 600 good
	host late "$API/1" 0 "SYPHT_CONFIG=$PWD/good" "SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL"
	assert_output '200 '
}

@test "a daemon that made its handle as root reads the config, and uses the cache, of who it has become" {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can become another user'
	local theirs

	theirs=$(mktemp -d /var/tmp/sypht-test-XXXXXX)
	mkdir -p "$theirs/.config/sypht"
	cp -r "$BUILD" "$SANDBOX_CA" "$theirs"
	printf '[profile sypht]\nscope = theirs\n' >"$theirs/.config/sypht/config"
	chmod -R go-w "$theirs"
	chown -R 65534:65534 "$theirs"
	configure nonsense
	try env LD_PRELOAD="$theirs/${BUILD##*/}/libsypht-preload.so" "$BATS_FILE_TMPDIR/late" "$API/1" 65534 \
		"HOME=$theirs" XDG_CONFIG_HOME= XDG_CACHE_HOME= "SYPHT_CAINFO=$theirs/ca.pem" \
		"CURL_CA_BUNDLE=$theirs/ca.pem"
	assert_output '200 '
	assert_equal "$(stat -c %u "$theirs"/.cache/sypht/*.token)" 65534
	assert_file_not_exist "$XDG_CACHE_HOME/sypht"
	rm -rf "$theirs"
}
