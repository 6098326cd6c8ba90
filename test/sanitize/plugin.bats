#!/usr/bin/env bats
# The plugin inside hosts that watch every access: TSan in a host with many threads, valgrind under
# programs as Debian ships them.

load ../lib/suite

setup_file() {
	local root=$BATS_TEST_DIRNAME/../..

	start_sandbox
	gcc -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=thread -pthread -o "$BATS_FILE_TMPDIR/threads" \
		"$root/test/hosts/threads.c" -lcurl
	gcc -std=c11 -D_GNU_SOURCE -O1 -g -pthread -o "$BATS_FILE_TMPDIR/plain" \
		"$root/test/hosts/threads.c" -lcurl
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	reset_sandbox
	sypht_env
}

# under_tsan COMMAND…: a report ends it with status 66
under_tsan() {
	try env TSAN_OPTIONS='halt_on_error=1 exitcode=66' SYPHT_CREDENTIAL="$BUILD/sypht-credential" \
		LD_PRELOAD="$ROOT/build/tsan/libsypht-preload.so" "$@"
	assert_status 0
}

# under_valgrind COMMAND…: an error in which the plugin has part ends it with status 66
under_valgrind() {
	try env LD_PRELOAD="$ROOT/build/libsypht-preload.so" \
		valgrind --quiet --error-exitcode=66 --leak-check=full --errors-for-leak-kinds=definite \
		--suppressions="$ROOT/test/sanitize/valgrind.supp" "$@"
	assert_status 0
}

@test "TSan: threads that share a cold token race for nothing" {
	under_tsan "$BATS_FILE_TMPDIR/threads" "$SANDBOX_API/echo" 8 8
	assert_equal "$(token_requests)" 1
}

@test "TSan: threads and the children forked among them race for nothing" {
	# without TLS: a child does not get OpenSSL's locks back from threads that it does not have
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	under_tsan "$BATS_FILE_TMPDIR/threads" "$SANDBOX_API_HTTP/echo" 4 4 fork
}

@test "valgrind: curl under the plugin reads and frees what is its own" {
	under_valgrind curl -fsS "$SANDBOX_API/echo" "$SANDBOX_API/echo" --next "$SANDBOX_API/echo"
}

@test "valgrind: curl -Z under the plugin reads and frees what is its own" {
	under_valgrind curl -fsSZ "$SANDBOX_API/echo" "$SANDBOX_API/echo"
}

@test "valgrind: a transfer that is doomed leaves nothing behind" {
	export SYPHT_API_KEY=client:wrong
	try env LD_PRELOAD="$ROOT/build/libsypht-preload.so" \
		valgrind --quiet --error-exitcode=66 --leak-check=full \
		--errors-for-leak-kinds=definite \
		--suppressions="$ROOT/test/sanitize/valgrind.supp" curl -sS "$SANDBOX_API/echo"
	assert_status 67
}

@test "valgrind: threads under the plugin read and free what is their own" {
	under_valgrind "$BATS_FILE_TMPDIR/plain" "$SANDBOX_API/echo" 3 3
}
