#!/usr/bin/env bats
# In a container: as PID 1, where nothing else adopts and reaps what goes on in the background; as a
# user that no file knows, on a root file system that nobody can write.

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

# A whole container ------------------------------------------------------------------------------

# in_container COMMAND…: as PID 1 and user 1234. The root file system is read-only and holds the
# machine's programs and ours, at /sypht. The secret is mounted as Docker mounts it: it belongs to
# root, and all can read it.
in_container() {
	needs_root 'make the root of a container'
	unshare --mount --pid --fork --kill-child bash -ec '
		mkdir -p root/{usr,sypht,proc,dev,run/secrets}
		ln -sfn usr/bin root/bin; ln -sfn usr/lib root/lib; ln -sfn usr/lib64 root/lib64
		install -m 444 "$SANDBOX_CA" root/ca.pem
		mount --bind root root
		touch root/dev/null
		mount --bind /dev/null root/dev/null
		for each in /usr:usr "$BUILD:sypht"; do
			mount --bind "${each%%:*}" "root/${each#*:}"
			mount -o remount,bind,ro "root/${each#*:}"
		done
		mount -t proc proc root/proc
		mount -t tmpfs tmpfs root/run/secrets
		printf "%s\n" "$SANDBOX_CLIENT_SECRET" >root/run/secrets/sypht
		chmod 444 root/run/secrets/sypht
		for each in run/secrets .; do mount -o remount,bind,ro "root/$each"; done
		unset SYPHT_API_KEY "${!XDG_@}"
		exec chroot --userspec=1234:1234 root env HOME=/home/nobody \
			PATH=/sypht:/usr/bin SYPHT_CLIENT_ID="$SANDBOX_CLIENT_ID" SYPHT_CLIENT_SECRET_FILE=/run/secrets/sypht \
			SYPHT_CAINFO=/ca.pem CURL_CA_BUNDLE=/ca.pem "$@"' container "$@"
}

@test "a container: a user without a home, on a read-only root, has a token from a secret that all can read" {
	export BUILD
	reset_sandbox
	try in_container sypht-run curl -sSI "$SANDBOX_API/echo"
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(requests 'select(.server == "api") | .token != null')" true
	try in_container sypht-credential token
	assert_status 0
	assert_empty "$stderr"
	# it is as it should be: PID 1, another user, nothing to write to
	try in_container sypht-run sh -c 'echo "$$ $(id -u)"; touch /new 2>/dev/null || touch /sypht/new 2>/dev/null || echo read-only'
	assert_output $'1 1234\nread-only'
}

@test "a container: PID 1 is the program, which gets its signals and reaps its children" {
	export BUILD
	try in_container sypht-run sh -c 'trap "echo stopped" TERM; curl -sSI -o /dev/null "$0"; kill -TERM $$
		for status in /proc/[0-9]*/status; do read -r _ name <"$status"; echo "$name"; done' "$SANDBOX_API/echo"
	assert_status 0
	assert_output $'stopped\nsh'
}
