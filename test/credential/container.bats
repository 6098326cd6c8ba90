#!/usr/bin/env bats
# As PID 1 of a container, where nothing else adopts and reaps what goes on in the background.

# shellcheck disable=SC2016 # PID 1 expands what stands in single quotes

load ../lib/suite
load ../lib/helper

setup_file() {
	start_sandbox
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -o "$BATS_FILE_TMPDIR/reaper" "$ROOT/test/hosts/reaper.c" -lcurl
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	reset_sandbox
	unshare -pf --mount-proc true 2>/dev/null || skip_allowed 'no PID namespace here'
	sypht-credential token >first
}

# in_window COMMAND…: as the first process of a PID namespace, with a token that wants renewal.
in_window() {
	age token 3400
	try unshare -pf --mount-proc "$@"
	assert_status 0
}

renewed() {
	assert_equal "$(token_requests)" 2
	assert_equal "$(requests 'select(.server == "token") | .status' | sort -u)" 200
	refute_contains "$(sypht-credential token)" "$(cat first)"
}

@test "PID 1 with the plugin: a renewal leaves no process, no zombie and no SIGCHLD behind" {
	in_window env LD_PRELOAD="$BUILD/libsypht-preload.so" "$BATS_FILE_TMPDIR/reaper" "$SANDBOX_API/echo"
	assert_equal "$output" '200 0 0'
	renewed
}

@test "a subreaper with the plugin: a renewal leaves no process, no zombie and no SIGCHLD behind" {
	in_window sh -c '"$0" "$@"; exit $?' env LD_PRELOAD="$BUILD/libsypht-preload.so" \
		"$BATS_FILE_TMPDIR/reaper" -s "$SANDBOX_API/echo"
	assert_equal "$output" '200 0 0'
	renewed
}

@test "the helper as PID 1 renews before it ends" {
	in_window sypht-credential token
	assert_equal "$output" "$(cat first)"
	renewed
}

@test "the helper as a child of PID 1 renews before it ends, and leaves no process behind" {
	in_window bash -c 'sypht-credential token; for directory in /proc/[0-9]*; do printf "%s\n" "${directory#/proc/}"; done'
	assert_equal "${lines[*]}" "$(cat first) 1"
	renewed
}
