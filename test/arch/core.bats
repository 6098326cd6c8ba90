#!/usr/bin/env bats
# The helper and the plugin on another architecture, with its own curl: what depends on the size
# of words, on the order of arguments, and on the kernel's calls.

load ../lib/suite
load ../lib/client

# git's question about the API.
question() {
	printf 'protocol=https\nhost=%s\n\n' "${SANDBOX_API#https://}"
}

@test "what runs here was built for the architecture it is said to be for" {
	local class
	class=$(readelf -h "$BUILD/libsypht-preload.so" | awk '/Machine:/ { print $2 }')
	case $TEST_ARCHITECTURE in
	arm64) assert_equal "$class" AArch64 ;;
	i386) assert_equal "$class" Intel ;;
	*) fail "unknown: $TEST_ARCHITECTURE" ;;
	esac
}

@test "the helper mints a token once, and answers from the cache ever after" {
	reset_sandbox
	ask get < <(question)
	assert_status 0
	assert_contains "$output" password=
	local first=$output
	ask get < <(question)
	assert_equal "$(grep ^password= <<<"$output")" "$(grep ^password= <<<"$first")"
	assert_one_token_request
}

@test "the helper answers curl, Kubernetes and status" {
	reset_sandbox
	ask header
	assert_contains "$output" 'Authorization: Bearer '
	ask status --json
	assert_status 0
	assert_equal "$(jq -r '.profiles[0].name' <<<"$output")" sypht
	assert_one_token_request
}

@test "a wrong secret is one line on stderr, and nothing else" {
	reset_sandbox
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask get < <(question)
	assert_status 1
	assert_empty "$output"
	assert_contains "$stderr" invalid_client
}

@test "many at once make one token request" {
	local number children=()
	reset_sandbox
	for number in 1 2 3 4 5 6 7 8; do
		"$BUILD/sypht-credential" token >"token.$number" 3>&- &
		children+=($!)
	done
	wait "${children[@]}"
	assert_equal "$(cat token.* | sort -u | wc -l)" 1
	assert_one_token_request
}

@test "curl: transfers one after the other, on one handle" {
	assert_authorised curl -sS "$ONE" "$TWO" "$LONG"
}

@test "curl: parallel transfers" {
	assert_authorised curl -sSZ --no-progress-meter -o 1 "$ONE" -o 2 "$TWO" -o 3 "$LONG" -o 4 "$ONE"
}

@test "curl: options that are wider than a pointer" {
	head -c 300000 /dev/zero >"$HOME/body"
	assert_authorised curl -sS -T "$HOME/body" --limit-rate 50M --max-filesize 1000000 \
		-o /dev/null -w '%{http_code} %{size_upload}\n' "$SANDBOX_API/echo"
	rm -r by_hand preloaded "$XDG_CACHE_HOME/sypht"
	assert_authorised curl -sS -C 50000 --max-filesize 5000000000 "$LONG"
}

@test "curl: HTTP/2 and redirects" {
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP2
	assert_authorised curl -sSL "$SANDBOX_API_HTTP2/redirect?to=/files/one" "$SANDBOX_API_HTTP2/files/two"
}

@test "curl: a redirect to a bystander is followed without the token" {
	try preloaded curl -sSL "$SANDBOX_API/redirect?to=$SANDBOX_BYSTANDER/elsewhere"
	assert_equal "$(jq -c '[.path, .token]' <<<"$output")" '["/elsewhere",null]'
}

@test "curl: without a token the transfer fails before a byte is sent, and curl says why" {
	reset_sandbox
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong
	try preloaded curl -sS "$ONE"
	assert_status 67
	assert_contains "$stderr" invalid_client
	assert_equal "$(api_requests)" 0
}

@test "curl: a token the API no longer takes is renewed" {
	assert_renewed curl -sS
}
