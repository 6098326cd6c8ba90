#!/usr/bin/env bats
# The plugin in programs of musl: the file that serves glibc's programs, and one that musl's own
# compiler makes. Their libcurl has no TLS, so the API is the sandbox's on loopback http.

load ../lib/suite
load ../lib/client

setup() {
	seal
	sypht_env
	reset_sandbox
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	export ONE=$SANDBOX_API_HTTP/files/one TWO=$SANDBOX_API_HTTP/files/two
	AROUND=(env LD_LIBRARY_PATH="$MUSL_ROOT/lib" PATH="$MUSL_ROOT/bin:$PATH")
}

# The build directory of a plugin that musl-gcc compiles.
native() {
	printf '%s\n' "$MUSL_ROOT/native"
}

@test "the curl of this suite is musl's" {
	run readelf -l "$MUSL_ROOT/bin/curl"
	assert_line --partial ld-musl
}

@test "curl: transfers one after the other, on one handle" {
	assert_authorised curl -sS "$ONE" "$TWO"
}

@test "curl: parallel transfers" {
	assert_authorised curl -sSZ --no-progress-meter -o 1 "$ONE" -o 2 "$TWO" -o 3 "$ONE"
}

@test "curl: an upload" {
	head -c 300000 /dev/zero >"$HOME/body"
	assert_authorised curl -sS -T "$HOME/body" -o /dev/null "$SANDBOX_API_HTTP/echo"
}

@test "curl: a token that the API no longer takes is renewed" {
	assert_renewed curl -sS
}

@test "curl: a redirect to a bystander is followed without the token" {
	try preloaded curl -sSL "$SANDBOX_API_HTTP/redirect?to=$SANDBOX_BYSTANDER_HTTP/elsewhere"
	assert_equal "$(jq -c '[.path, .token]' <<<"$output")" '["/elsewhere",null]'
}

@test "curl: without a token the transfer fails before a byte is sent, and curl says why" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong try preloaded curl -sS "$ONE"
	assert_status 67
	assert_contains "$stderr" invalid_client
	assert_equal "$(api_requests)" 0
}

@test "curl: many at once make one token request" {
	local children=()
	for _ in 1 2 3 4 5 6 7 8; do
		preloaded curl -sS -o /dev/null "$ONE" 3>&- &
		children+=($!)
	done
	wait "${children[@]}"
	assert_equal "$(requests 'select(.server == "api" and .token == null)')" ''
	assert_one_token_request
}

@test "a program that opens libcurl by itself, and asks for its functions by name" {
	musl-gcc -std=c11 -D_GNU_SOURCE -DRTLD_DEEPBIND=0 -o load "$ROOT/test/hosts/load.c"
	try preloaded ./load dlsym "$MUSL_ROOT/lib/libcurl.so.4" "$ONE"
	assert_output 200
}

@test "one wrapped shell starts programs of both C libraries, and each is authorised" {
	# shellcheck disable=SC2016 # the wrapped shell expands it
	try "$BUILD/sypht-run" sh -c 'curl -sS "$ONE"; LD_LIBRARY_PATH=$MUSL_ROOT/lib "$MUSL_ROOT/bin/curl" -sS "$TWO"'
	assert_status 0
	assert_output "$(cat "$SANDBOX_FILES/one" "$SANDBOX_FILES/two")"
	assert_one_token_request
}

@test "sypht-run --check tells programs of musl that are linked statically from those that are not" {
	printf '#include <curl/curl.h>\nint main(void) { return curl_easy_init() == NULL; }\n' >program.c
	musl-gcc -I"$MUSL_ROOT/include" -o program program.c -L"$MUSL_ROOT/lib" -lcurl
	try env LD_LIBRARY_PATH="$MUSL_ROOT/lib" "$BUILD/sypht-run" --check ./program
	assert_status 0
	printf 'int main(void) { return 0; }\n' | musl-gcc -static -o static -xc -
	try "$BUILD/sypht-run" --check ./static
	assert_status 1
	assert_contains "$output$stderr" 'statically linked'
}

@test "musl's own compiler builds the plugin without a warning, and its curl is authorised with it" {
	try make --no-print-directory -s -C "$ROOT" CC=musl-gcc STATIC_CC=musl-gcc STORE='' \
		BUILD="$(native)" CFLAGS="-O2 -isystem $MUSL_ROOT/include" \
		"$(native)/libsypht-preload.so"
	assert_status 0
	assert_empty "$stderr"
	try "${AROUND[@]}" LD_PRELOAD="$(native)/libsypht-preload.so" \
		SYPHT_CREDENTIAL="$BUILD/sypht-credential" curl -sS "$ONE"
	assert_output "$(cat "$SANDBOX_FILES/one")"
}
