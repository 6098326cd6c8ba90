#!/usr/bin/env bats
# The helper with no memory left, and with its processes killed at any moment.

load ../lib/suite
load ../lib/helper

setup_file() {
	# a build under sanitizers has made them already
	[ -n "${TEST_SANITIZED:-}" ] || make -s -C "$ROOT" "BUILD=${BUILD#"$ROOT"/}" torture || return
	start_sandbox
}

setup() {
	seal
	reset_sandbox
	sypht_env
	faults '{"token": {"body": {"access_token": "a-token", "expires_in": 3600}, "times": "all"}}'
	mkdir -m 700 "$(cache_directory)"
}

# allocations [OPTION…] -- VERB…: whichever allocation fails, the answer is the same, or none.
allocations() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	try "$ROOT/test/torture/allocations" "${options[@]}" -- "$BUILD/torture/${PROGRAM:-sypht-credential}" "${@:2}"
	assert_status 0
	assert_line --regexp '^[1-9][0-9]* allocations, 0 failures gone wrong$'
}

three_profiles() {
	local name
	for name in a sypht c; do
		profile $name "origin = https://$name.example" "  https://also-$name.example" 'scope = x' '  y' \
			'resource = urn:a' "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'"
	done | configure
}

# Memory -------------------------------------------------------------------------------------------

@test "no memory: a token that has to be minted" {
	allocations --state "$(cache_directory)" -- token
}

@test "no memory: a token from the cache" {
	token >/dev/null
	allocations --state "$(cache_directory)" -- token
}

@test "no memory: git's questions" {
	for_api capability[]=authtype >question
	allocations --input question --state "$(cache_directory)" -- get
	description "url=https://oauth2:x%20y@${SANDBOX_API#https://}/" >question
	allocations --input question --state "$(cache_directory)" -- get
	description protocol=https host=elsewhere.example >question
	allocations --input question -- get
}

@test "no memory: several profiles, and a secret from a command" {
	three_profiles
	allocations --state "$(cache_directory)" -- token https://also-c.example
}

@test "no memory: a secret from a file, and one from a credential helper" {
	unset SYPHT_API_KEY
	(umask 077 && printf %s "$SANDBOX_CLIENT_SECRET" >"$HOME/secret")
	configure < <(profile sypht 'client_secret_file = ~/secret')
	allocations --state "$(cache_directory)" -- token
	configure < <(profile sypht 'client_secret_helper = !echo password=secret; :')
	allocations --state "$(cache_directory)" -- token
}

@test "no memory: status" {
	three_profiles
	token >/dev/null
	PROGRAM=sypht-dialect allocations --any-answer --state "$(cache_directory)" -- --protocol=status status
}

@test "no memory: store leaves what was kept, or what it was told" {
	unset SYPHT_API_KEY
	for_endpoint username=id password=secret >told
	allocations --input told --state "$XDG_CONFIG_HOME" -- store
	"$BUILD/sypht-credential" store <told
	allocations --state "$(cache_directory)" -- token
	allocations --input told --state "$XDG_CONFIG_HOME" -- erase
}

@test "no memory: the mint" {
	printf '%s\n' "token_url=$SANDBOX_TOKEN_URL" client_id=id client_secret=secret scope=x audience=y \
		resource[]=urn:a resource[]=urn:b "cainfo=$SANDBOX_CA" timeout_ms=5000 '' >request
	try "$ROOT/test/torture/allocations" --input request \
		--refusal '(trace\[\]=.*\n)*(http_status=\d+\n)?(status=\d+\nerror=.+\n(retry_after=\d+\n)?)?\n?' -- "$BUILD/torture/sypht-mint"
	assert_status 0
	assert_line --regexp '^[1-9][0-9]* allocations, 0 failures gone wrong$'
}

# Death --------------------------------------------------------------------------------------------

@test "500 kills at any moment: no token torn or wrong, no lock stuck, no needless request" {
	faults '{}'
	SYPHT_CACHE_DIR=$(cache_directory) try "$ROOT/test/torture/kill" "$BUILD/sypht-credential" 500
	assert_status 0
	assert_line --partial '500 kills'
}
