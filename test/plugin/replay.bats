#!/usr/bin/env bats
# A 401 on our token: the request is sent once more with another, and the application sees one
# answer; or, where that cannot be, it gets the 401, and the next request is right.

load ../lib/suite

setup_file() {
	start_sandbox
	# shellcheck disable=SC2086
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g ${SANITIZE:-} -o "$BATS_FILE_TMPDIR/scene" \
		"$BATS_TEST_DIRNAME/../hosts/scene.c" -lcurl
	# shellcheck disable=SC2086
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g ${SANITIZE:-} -pthread \
		-o "$BATS_FILE_TMPDIR/threads" "$BATS_TEST_DIRNAME/../hosts/threads.c" -lcurl
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	API=$SANDBOX_API/echo
	printf 'a small body\n' >body
	stale_token
}

play() {
	under "$BATS_FILE_TMPDIR/scene"
}

# A token in the cache that the API no longer takes, and empty journals.
stale_token() {
	sypht-credential token >/dev/null
	revoke_tokens
	reset_sandbox
}

# The statuses that requests for a path got, in order.
statuses_at() {
	requests "select(.server == \"api\" and .path == \"$1\") | .status" | paste -sd ' '
}

# heals [OPTION…]: curl with these options gets 200, after a 401 that nobody sees.
heals() {
	stale_token
	under curl -sS --no-progress-meter "$@" "$API/1" -w '\n%{http_code}'
	assert_status 0
	assert_equal "$* ${lines[-1]}" "$* 200"
	refute_contains "$output" ' 401'
	refute_contains "$output" invalid_token
	assert_equal "$* $(statuses_at /echo/1)" "$* 401 200"
	assert_equal "$(token_requests)" 1
}

@test "401: GET, HEAD and DELETE are sent again" {
	heals
	heals -I
	heals -X DELETE
}

@test "401: bodies in memory, forms, files and parallel transfers are sent again" {
	heals -d a=b
	heals -F part=@body
	heals -T body
	heals -Z
	assert_equal "$(requests 'select(.path == "/echo/1" and .status == 200) | .body_bytes')" 0
	heals -T body
	assert_equal "$(requests 'select(.path == "/echo/1" and .status == 200) | .body_bytes')" 13
}

@test "401: headers and files that the application asked for tell of one answer" {
	heals -i
	assert_equal "$(grep -c '^HTTP/' <<<"$output")" 1
	heals -D headers -o answer
	assert_equal "$(grep -c '^HTTP/' headers)" 1
	assert_equal "$(jq -r .path answer)" /echo/1
	heals --fail
	heals -v
}

@test "401: HTTP/2 too" {
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP2
	stale_token
	under curl -sS --http2 -o /dev/null -w '%{http_version} %{http_code}' "$SANDBOX_API_HTTP2/echo/1"
	assert_equal "$output" '2 200'
	assert_equal "$(statuses_at /echo/1)" '401 200'
}

@test "401: redirects on the way are seen once" {
	stale_token
	under curl -sS -L -i "$SANDBOX_API/redirect?to=/echo/1"
	assert_equal "$(grep -o '^HTTP/1.1 ...' <<<"$output")" $'HTTP/1.1 302\nHTTP/1.1 200'
	faults '{"api": {"path": "/echo/2", "status": 401, "body": "no"}}'
	under curl -sS -L -i "$SANDBOX_API/redirect?to=/echo/2"
	assert_equal "$(grep -o '^HTTP/1.1 ...' <<<"$output")" $'HTTP/1.1 302\nHTTP/1.1 200'
}

@test "401: what a redirect shows was carried out is not done twice" {
	under curl -sS -o /dev/null "$API/1"
	reset_sandbox
	faults '{"api": {"path": "/echo/2", "status": 401, "body": "no"}}'
	under curl -sS -L -d a=b -w '%{http_code}' "$SANDBOX_API/redirect?to=/echo/2"
	assert_equal "$output" no401
	assert_equal "$(requests 'select(.method == "POST" and .server == "api") | .path' | wc -l)" 1
}

@test "401: from elsewhere than our token went is nothing to us" {
	under curl -sS "$API/1"
	reset_sandbox
	faults '{"bystander": {"path": "/2", "status": 401, "body": "no"}}'
	under curl -sS -L -w '%{http_code}' "$SANDBOX_API/redirect?to=$SANDBOX_BYSTANDER/2"
	assert_equal "$output" no401
	assert_equal "$(token_requests)" 0
}

@test "401: a body that cannot be rewound costs this request, and not the next" {
	try env LD_PRELOAD="$BUILD/libsypht-preload.so" \
		sh -c "echo piped | curl -sS -T - -w '%{http_code}' '$API/1'"
	assert_contains "$output" invalid_token
	assert_contains "$output" 401
	try env LD_PRELOAD="$BUILD/libsypht-preload.so" \
		sh -c "echo piped | curl -sS -T - -o /dev/null -w '%{http_code}' '$API/1'"
	assert_equal "$output" 200
	assert_equal "$(statuses_at /echo/1)" '401 200'
}

@test "401: with CURLOPT_HEADER, or longer than is kept, it is delivered as it is" {
	play <<-EOF
		easy a
		set a URL $API/1
		set a HEADER 1
		perform a
		perform a
	EOF
	assert_equal "$output" $'a: 0 401\na: 0 200'
	faults '{"api": {"path": "/echo/2", "status": 401, "huge": 300000}}'
	under curl -sS -o answer -w '%{http_code}' "$API/2"
	assert_equal "$output" 401
	assert_equal "$(stat -c %s answer)" 300000
	under curl -sS -o answer -w '%{http_code}' "$API/2"
	assert_equal "$output" 200
}

@test "401: a second one is delivered, and an API that refuses everything is not asked for ever" {
	faults '{"api": {"path": "/echo/1", "status": 401, "body": "no", "times": "all"}}'
	under curl -sS -w '%{http_code} ' "$API/1" "$API/1" "$API/1"
	assert_equal "$output" 'no401 no401 no401 '
	assert_equal "$(token_requests)" 1
	assert_equal "$(statuses_at /echo/1)" '401 401 401 401'
}

@test "401: where no other token can be had it is delivered" {
	SYPHT_API_KEY=$(client_id):wrong under curl -sS -w '%{http_code}' "$API/1"
	assert_status 0
	assert_contains "$output" 401
	assert_contains "$output" invalid_token
}

@test "401: not ours to answer where the application authenticates itself" {
	under curl -sS -o /dev/null -w '%{http_code}' --oauth2-bearer own "$API/1"
	assert_equal "$output" 401
	assert_equal "$(statuses_at /echo/1) $(token_requests)" '401 0'
}

@test "401: multi handles, by perform and by events, other transfers undisturbed" {
	play <<-EOF
		multi m
		easy a
		easy b
		easy c
		set a URL $API/1
		set b URL $SANDBOX_BYSTANDER/2
		set c URL $API/3
		add m a
		add m b
		add m c
		run m
	EOF
	assert_equal "$(sort <<<"$output")" $'a: 0 200\nb: 0 200\nc: 0 200'
	assert_equal "$(statuses_at /echo/1)/$(statuses_at /echo/3)" '401 200/401 200'
	assert_equal "$(token_requests)" 1
	stale_token
	play <<-EOF
		multi m
		easy a
		set a URL $API/1
		add m a
		events m
	EOF
	assert_equal "$output" 'a: 0 200'
	assert_equal "$(statuses_at /echo/1)" '401 200'
}

@test "401: threads that are refused together make one token request" {
	under "$BATS_FILE_TMPDIR/threads" "$API/1" 12 3
	assert_equal "$output" '0 failures'
	assert_equal "$(token_requests)" 1
}
