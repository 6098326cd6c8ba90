#!/usr/bin/env bats
# What libsypht-preload.so owes to the process it is a guest in: threads that leave a request, forks,
# several libcurls, errors that are the program's own, a config that cannot be used, and no memory.

# shellcheck disable=SC2016 # other shells expand what stands in single quotes

load ../lib/suite

setup_file() {
	local hosts=$BATS_TEST_DIRNAME/../hosts name
	local compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g)

	start_sandbox
	# shellcheck disable=SC2206
	compile+=(${SANITIZE:-})
	cd "$BATS_FILE_TMPDIR" || return
	for name in fork late leave short; do
		"${compile[@]}" -pthread -o "$name" "$hosts/$name.c" -lcurl
	done
	"${compile[@]}" -o load "$hosts/load.c"
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g -shared -fPIC -o torture-guest.so \
		"$BATS_TEST_DIRNAME/../drivers/torture-guest.c"
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

# fake_libcurl NUMBER [OPTION…]: NUMBER/libcurl.so.4, by its full path in each module that needs it.
fake_libcurl() {
	mkdir -p "$1"
	gcc -shared -fPIC -DNUMBER="$1" "${@:2}" -o "$1/libcurl.so.4" "$BATS_TEST_DIRNAME/../hosts/fakecurl.c"
}

# module NUMBER: a module that needs that libcurl.
module() {
	gcc -shared -fPIC -o "module$1.so" "$BATS_TEST_DIRNAME/../hosts/module.c" "$PWD/$1/libcurl.so.4"
}

# as_without_us ARGUMENT…: test/hosts/load.c finds what it finds without the plugin, each its own.
as_without_us() {
	local alone

	alone=$("$BATS_FILE_TMPDIR/load" "$@")
	host load "$@"
	assert_equal "$output" "$alone"
	assert_status 0
}

# Several libcurls -----------------------------------------------------------------------------

@test "two libcurls of one name each serve the modules that need them, with versions and without" {
	unset CURL_CA_BUNDLE
	echo 'CURL_OPENSSL_4 { global: curl_*; };' >map
	fake_libcurl 1
	fake_libcurl 2
	fake_libcurl 3 -Wl,--version-script=map
	fake_libcurl 4 -Wl,--version-script=map
	for number in 1 2 3 4; do module $number; done

	as_without_us local ./module1.so - local ./module2.so - local ./module1.so -
	assert_output $'1\n2\n1'
	as_without_us local ./module3.so - local ./module4.so - local ./module1.so - local ./module3.so -
	assert_output $'3\n4\n1\n3'
	as_without_us local ./module1.so - global ./module2.so -
	as_without_us global ./module2.so - local ./module1.so -
	as_without_us again ./module1.so - again ./module2.so - again ./module3.so - again ./module4.so -
}

@test "a function got by dlsym() is that of the libcurl it was asked of, and none where hooks run out" {
	unset CURL_CA_BUNDLE
	local number asked=() expected=()

	for number in {1..11}; do
		fake_libcurl "$number" -Wl,-soname,libcurl.so.4
		asked+=(dlsym "./$number/libcurl.so.4" -)
		expected+=("$number")
	done
	host load "${asked[@]}" "${asked[@]}"
	assert_equal "$output" "$(printf '%s\n' "${expected[@]}" "${expected[@]}")"
	host load default ./2/libcurl.so.4 - dlsym ./3/libcurl.so.4 - default ./1/libcurl.so.4 -
	assert_output $'2\n3\n2'
}

@test "a module opened with RTLD_LOCAL finds its libcurl by RTLD_DEFAULT, and the program does not" {
	gcc -shared -fPIC -o finder.so -xc - -Wl,--no-as-needed -lcurl <<-'EOF'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		long fetch(const char *url)
		{
			(void)url;
			return (dlsym(RTLD_DEFAULT, "curl_version") != 0) + (dlsym(RTLD_DEFAULT, "curl_easy_init") != 0);
		}
	EOF
	as_without_us absent - - local ./finder.so - absent - -
	assert_output $'absent\n2\nabsent'
}

@test "an error that the program has yet to ask for survives a request" {
	gcc -shared -fPIC -o module.so "$BATS_TEST_DIRNAME/../hosts/module.c" -Wl,--no-as-needed -lcurl
	gcc -shared -fPIC -o unlinked.so "$BATS_TEST_DIRNAME/../hosts/module.c"

	host load error ./module.so "$API/1" error ./unlinked.so "$API/2"
	assert_equal "$(grep -c '^200 /nowhere.so: cannot open shared object file' <<<"$output")" 2
	# with no token to be had, and two libcurls of one version to choose from
	fake_libcurl 1
	fake_libcurl 2
	module 1
	module 2
	SYPHT_CREDENTIAL=/nowhere host load error ./module1.so - error ./module2.so "$API/3"
	assert_equal "$(grep -c '^[12] /nowhere.so: cannot open' <<<"$output")" 2
}

# libcurl 8 ------------------------------------------------------------------------------------

@test "libcurl 8: a multi handle survives its cleanup in a callback, and need not be told where to count" {
	"$ROOT/test/unpack" backports "$(dpkg --print-architecture)" "$BUILD/libcurl8" libcurl4 libcurl3-gnutls ||
		skip_allowed 'no libcurl 8 can be had here'
	gcc -o eight -xc - -lcurl <<-'EOF'
		#include <curl/curl.h>
		#include <stdio.h>
		#include <stdlib.h>
		static CURLM *multi;
		static size_t take(char *bytes, size_t size, size_t count, void *refusals)
		{
			(void)bytes;
			*(int *)refusals += curl_multi_cleanup(multi) == CURLM_RECURSIVE_API_CALL;
			return size * count;
		}
		int main(int argc, char **argv)
		{
			CURL *easy = curl_easy_init();
			CURLMsg *message = NULL;
			int queued, refusals = 0;
			long response = 0;
			multi = curl_multi_init();
			curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
			curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
			curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
			curl_easy_setopt(easy, CURLOPT_WRITEDATA, &refusals);
			curl_multi_add_handle(multi, easy);
			while (!message && curl_multi_perform(multi, NULL) == CURLM_OK) {
				curl_multi_poll(multi, NULL, 0, 1000, NULL);
				message = curl_multi_info_read(multi, &queued);
			}
			curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response);
			printf("%d %ld %d\n", message ? message->data.result : -1, response, refusals > 0);
			curl_multi_remove_handle(multi, easy);
			curl_easy_cleanup(easy);
			return argc == 2 ? curl_multi_cleanup(multi) : 2;
		}
	EOF
	LD_LIBRARY_PATH=$(echo "$BUILD"/libcurl8/usr/lib/*-linux-gnu) \
		try env LD_PRELOAD="$BUILD/libsypht-preload.so" timeout 60 ./eight "$API/1"
	assert_status 0
	assert_output '0 200 1'
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
	# without TLS: a child does not get OpenSSL's locks back from threads that it does not have
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	host fork "$SANDBOX_API_HTTP/echo"
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
	doomed 'others can write the config; run: chmod go-w' "$SANDBOX_BYSTANDER/1" "$API/2"
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
	cp "$BUILD"/{sypht-*,libsypht-preload.so} "$SANDBOX_CA" "$theirs"
	printf '[profile sypht]\nscope = theirs\n' >"$theirs/.config/sypht/config"
	chmod -R go-w "$theirs"
	chown -R 65534:65534 "$theirs"
	configure nonsense
	try env LD_PRELOAD="$theirs/libsypht-preload.so" "$BATS_FILE_TMPDIR/late" "$API/1" 65534 \
		"HOME=$theirs" XDG_CONFIG_HOME= XDG_CACHE_HOME= "SYPHT_CAINFO=$theirs/ca.pem" \
		"CURL_CA_BUNDLE=$theirs/ca.pem"
	assert_output '200 '
	assert_equal "$(stat -c %u "$theirs"/.cache/sypht/*.token)" 65534
	assert_file_not_exist "$XDG_CACHE_HOME/sypht"
	rm -rf "$theirs"
}

# No memory ------------------------------------------------------------------------------------

# short_of_memory [--forget DIRECTORY]: whichever allocation fails, requests are authorised, or fail unsent.
short_of_memory() {
	try "$ROOT/test/torture/guest" "$@" "$BUILD/libsypht-preload.so" \
		"$BATS_FILE_TMPDIR/torture-guest.so" "$BATS_FILE_TMPDIR/short" "$API/1" "$SANDBOX_BYSTANDER/2"
	assert_status 0
	assert_line --regexp '^[1-9][0-9]* allocations, 0 failures gone wrong$'
}

@test "no memory: a token from the cache, or none" {
	configure '[profile one]' 'origin = https://one.example https://two.example' \
		'token_url = https://one.example/token' 'scope = x' '[profile sypht]' "origin = $SANDBOX_API"
	"$BUILD/sypht-credential" token >/dev/null
	short_of_memory
}

@test "no memory: a token from the helper, or none" {
	short_of_memory --forget "$XDG_CACHE_HOME/sypht"
}

@test "no memory: a config that cannot be used dooms what it names all the same" {
	configure '[profile one]' "origin = $SANDBOX_API" nonsense
	try "$ROOT/test/torture/guest" "$BUILD/libsypht-preload.so" "$BATS_FILE_TMPDIR/torture-guest.so" \
		sh -c 'curl -sS "$1"; code=$?; [ $code -gt 0 ] && [ $code -lt 128 ]' sh "$API/1"
	assert_status 0
	assert_equal "$(api_requests)" 0
}
