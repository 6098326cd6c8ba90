# shellcheck shell=bash
# What the suites about real clients of libcurl share:  load suite;  load client
#
# The measure is always the same: one command run twice, with an Authorization header set by hand
# and under the plugin, must leave the same behind, down to the requests the API saw.

setup_file() {
	start_sandbox
	printf '{"document": 1}\n' >"$SANDBOX_FILES/one"
	printf '{"document": 2}\n' >"$SANDBOX_FILES/two"
	seq 20000 >"$SANDBOX_FILES/long"
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	export ONE=$SANDBOX_API/files/one TWO=$SANDBOX_API/files/two LONG=$SANDBOX_API/files/long
	export GIT_SSL_CAINFO=$SANDBOX_CA
}

# What stands before every command: nothing, unless a suite puts it there.
AROUND=()

# needs_client COMMAND…: skips a test if the command fails, as that program or its libcurl is not
# installed. Under CLIENTS_NEEDED it fails instead.
needs_client() {
	"$@" >/dev/null 2>&1 </dev/null && return
	[ -z "${CLIENTS_NEEDED:-}" ] || fail "this fails: $*"
	skip_allowed "not installed: $1 with libcurl; scripts/setup reach"
}

# A program under the plugin.
preloaded() {
	"${AROUND[@]}" "$BUILD/sypht-run" "$@"
}

# The same program told what to send: scripts by $TOKEN, curl and git by their configs.
by_hand() {
	local home=$BATS_TEST_TMPDIR/by-hand-home

	mkdir -p "$home"
	printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" >"$home/.curlrc"
	printf '[http]\n\textraHeader = Authorization: Bearer %s\n' "$TOKEN" >"$home/.gitconfig"
	"${AROUND[@]}" env -u SYPHT_API_KEY HOME="$home" TOKEN="$TOKEN" "$@"
}

# A token no cache knows of.
fresh_token() {
	plain_curl --cacert "$SANDBOX_CA" -u "$SYPHT_API_KEY" -d grant_type=client_credentials \
		"$SANDBOX_TOKEN_URL" | jq -r .access_token
}

# A program that has no way to be told: the API asks nobody for a token.
ungated() {
	admin PUT gate '{"open": true}' >/dev/null
	"${AROUND[@]}" env -u SYPHT_API_KEY "$@"
}

# session KIND COMMAND…: run it by_hand, ungated or preloaded in a directory KIND/files of its own,
# and put what came of it beside that.
session() {
	local kind=$1 status=0
	shift

	reset_sandbox
	mkdir -p "$kind/files"
	printf '$ %s %s\n' "$kind" "$*"
	(cd "$kind/files" && "$kind" timeout 60 "$@") >"$kind/stdout" 2>"$kind/stderr" </dev/null || status=$?
	printf '%s\n' "$status" >"$kind/status"
	requests 'select(.server == "api") | [.method, .path, .status, .body_bytes]' |
		sort >"$kind/requests"
	tail -v -n 20 "$kind"/{status,stdout,stderr,requests}
}

# assert_same_sessions [KIND]: the preloaded session, run last, left the same behind as the other,
# succeeded, and had a token on every request.
assert_same_sessions() {
	diff -r "${1:-by_hand}" preloaded || fail 'the two sessions differ, see above'
	assert_equal "status $(cat preloaded/status)" 'status 0'
	assert_equal "$(requests 'select(.server == "api" and (.status == 401 or .token == null))')" ''
	[ -s preloaded/requests ] || fail 'the API saw no request'
}

assert_one_token_request() {
	assert_equal "$(token_requests) token requests" '1 token requests'
}

# assert_authorised COMMAND…
assert_authorised() {
	TOKEN=$(fresh_token)
	session by_hand "$@"
	session preloaded "$@"
	assert_same_sessions
	assert_one_token_request
}

# assert_renewed COMMAND…, which fetches the URLs behind it: a revoked token costs one request.
assert_renewed() {
	try preloaded "$@" "$ONE"
	revoke_tokens
	reset_sandbox
	try preloaded "$@" "$ONE" "$TWO"
	assert_output "$(cat "$SANDBOX_FILES/one" "$SANDBOX_FILES/two")"
	assert_one_token_request
}
