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
	for name in leave fork; do
		"${compile[@]}" -pthread -o "$name" "$hosts/$name.c" -lcurl
	done
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
