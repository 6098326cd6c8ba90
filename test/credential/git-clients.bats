#!/usr/bin/env bats
# git itself against a server that takes bearer tokens alone, and against one that takes them as
# passwords. TEST_GIT names a newer git than the machine's, for what takes 2.46.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
	sypht_env
	export GIT_SSL_CAINFO=$SANDBOX_CA GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
	export GIT_AUTHOR_NAME=author GIT_AUTHOR_EMAIL=author@example.com
	export GIT_COMMITTER_NAME=author GIT_COMMITTER_EMAIL=author@example.com
	git config --global credential.helper sypht
	git config --global init.defaultBranch main
	REPOSITORY=$SANDBOX_API/git/$BATS_TEST_NUMBER.git
	local directory=$SANDBOX_GIT/$BATS_TEST_NUMBER.git
	git init -q seed
	git -C seed commit -q --allow-empty -m first
	git clone -q --bare seed "$directory"
	git -C "$directory" config http.receivepack true
}

# A git that knows authtype, or the end of the test.
need_modern_git() {
	MODERN=${TEST_GIT:-git}
	"$MODERN" credential capability 2>/dev/null | grep -q '^capability authtype' ||
		skip_allowed 'no git of 2.46 or newer here (TEST_GIT)'
	[ "$MODERN" = git ] || PATH=${MODERN%/*}:$PATH
}

# "status token?" of each request to the API.
wire() {
	requests 'select(.server == "api") | "\(.status) \(.token != null)"' | tr -d '"' | tr '\n' ','
}

new_commit() {
	git -C copy commit -q --allow-empty -m more
}

# git, of any age ---------------------------------------------------------------------------------

@test "git: finds the helper by its name, and is given user and password" {
	try git credential fill <<<"url=$SANDBOX_API/x"
	assert_status 0
	assert_empty "$stderr"
	assert_line "username=oauth2"
	assert_line "password=$(sypht-credential token)"
}

@test "git: clones where tokens pass as passwords" {
	git clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	assert_exists copy/.git
	assert_equal "$(token_requests)" 1
}

@test "git: pushes where tokens pass as passwords" {
	git clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	new_commit
	git -C copy push -q
	assert_equal "$(token_requests)" 1
}

@test "git: a token that died costs one failed command, as git gives up and has it erased" {
	git clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	revoke_tokens
	try git -C copy fetch
	git -C copy fetch
	assert_equal "$(token_requests)" 2
}

@test "git: clones from a bearer-only server with a header that no argument list shows" {
	export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$SANDBOX_API/.extraHeader" GIT_CONFIG_VALUE_0
	GIT_CONFIG_VALUE_0=$(sypht-credential header "$SANDBOX_API")
	git clone -q "$REPOSITORY" copy
	new_commit
	git -C copy push -q
	assert_equal "$(wire | tr ',' '\n' | grep -c false)" 0
}

@test "git: approve and reject say nothing, and reject drops the token" {
	try git credential approve <<<"url=$SANDBOX_API"$'\n'"username=oauth2"$'\n'"password=$(sypht-credential token)"
	assert_empty "$output$stderr"
	try git credential reject <<<"url=$SANDBOX_API"$'\n'"username=oauth2"$'\n'"password=other"
	sypht-credential token
	assert_equal "$(token_requests)" 1
	try git credential reject <<<"url=$SANDBOX_API"$'\n'"username=oauth2"$'\n'"password=$(sypht-credential token)"
	assert_empty "$output$stderr"
	sypht-credential token
	assert_equal "$(token_requests)" 2
}

@test "git: options of the helper stand before the verb" {
	git config --global credential.helper 'sypht --profile sypht --min-valid 10'
	try git credential fill <<<"url=$SANDBOX_API"
	assert_status 0
	git config --global credential.helper 'sypht --profile none'
	try git credential fill <<<"url=$SANDBOX_API"
	assert_contains "$stderr" "there is no profile 'none'"
}

@test "git: another helper's places stay its own" {
	git config --global --add credential.helper "!f() { echo username=them; echo password=theirs; }; f"
	try git credential fill <<<url=https://other.example
	assert_line username=them
	assert_empty "$stderr"
}

# git ≥ 2.46 --------------------------------------------------------------------------------------

@test "modern git: clones from a bearer-only server, one token request, nothing on stderr" {
	need_modern_git
	try "$MODERN" clone -q "$REPOSITORY" copy
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(wire)" '401 false,200 true,200 true,200 true,'
	assert_equal "$(token_requests)" 1
}

@test "modern git: fetches with the cached token, though the server calls invalid what it never saw" {
	need_modern_git
	"$MODERN" clone -q "$REPOSITORY" copy
	"$MODERN" -C copy fetch -q
	"$MODERN" -C copy fetch -q
	assert_equal "$(token_requests)" 1
}

@test "modern git: a stale token is healed inside one command" {
	need_modern_git
	"$MODERN" clone -q "$REPOSITORY" copy
	revoke_tokens
	"$MODERN" -C copy fetch -q
	assert_equal "$(token_requests)" 2
}

@test "modern git: a token that dies before the POST is healed inside one command" {
	need_modern_git
	"$MODERN" clone -q "$REPOSITORY" copy
	new_commit
	faults "{\"api\": {\"path\": \"/git/$BATS_TEST_NUMBER.git/git-receive-pack\", \"status\": 401,
		\"headers\": {\"www-authenticate\": \"Bearer error=\\\"invalid_token\\\"\"}}}"
	"$MODERN" -C copy push -q
	assert_equal "$(token_requests)" 2
}

@test "modern git: a server that offers Basic alone is shown user and password" {
	need_modern_git
	"$MODERN" clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	new_commit
	"$MODERN" -C copy push -q
	assert_equal "$(wire)" '401 false,200 false,200 false,200 false,401 false,200 false,200 false,'
	assert_equal "$(token_requests)" 1
}

@test "modern git: http.proactiveAuth=basic is shown user and password at once" {
	need_modern_git
	"$MODERN" -c http.proactiveAuth=basic clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	assert_equal "$(wire)" '200 false,200 false,200 false,'
	assert_equal "$(token_requests)" 1
}

@test "modern git: a stale token is healed inside one command by Basic as well" {
	need_modern_git
	"$MODERN" clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	revoke_tokens
	"$MODERN" -C copy fetch -q
	assert_equal "$(token_requests)" 2
}

@test "modern git: a server that offers Basic and Bearer is shown a bearer token" {
	need_modern_git
	faults '{"api": {"status": 401, "headers": {"www-authenticate": "Basic realm=\"x\", Bearer"}}}'
	"$MODERN" clone -q "$REPOSITORY" copy
	assert_equal "$(wire)" '401 false,200 true,200 true,200 true,'
	assert_equal "$(token_requests)" 1
}

@test "modern git: is not led in circles by a server that takes no password" {
	need_modern_git
	"$MODERN" clone -q "${REPOSITORY/\/git\//\/basic\/git\/}" copy
	new_commit
	reset_sandbox
	faults '{"api": {"times": "all", "status": 401, "headers": {"www-authenticate": "Basic realm=\"x\""}}}'
	try timeout 20 "$MODERN" -C copy push
	assert_status 128
	(($(api_requests) <= 6)) || fail "$(api_requests) requests"
}

@test "modern git: is not led in circles by a server that takes no token at all" {
	need_modern_git
	"$MODERN" clone -q "$REPOSITORY" copy
	reset_sandbox
	faults '{"api": {"times": "all", "status": 401, "headers": {"www-authenticate": "Bearer realm=\"x\""}}}'
	try timeout 20 "$MODERN" -C copy fetch
	assert_status 128
	assert_contains "$stderr" 'Authentication failed'
	(($(api_requests) <= 4)) || fail "$(api_requests) requests"
}

@test "modern git: nor by one that refuses every POST" {
	need_modern_git
	"$MODERN" clone -q "$REPOSITORY" copy
	new_commit
	reset_sandbox
	faults "{\"api\": {\"times\": \"all\", \"path\": \"/git/$BATS_TEST_NUMBER.git/git-receive-pack\",
		\"status\": 401, \"headers\": {\"www-authenticate\": \"Bearer realm=\\\"x\\\"\"}}}"
	try timeout 20 "$MODERN" -C copy push
	refute [ "$status" = 124 ]
	(($(api_requests) <= 6)) || fail "$(api_requests) requests"
}

@test "modern git: asks in advance, and is given the token without a challenge" {
	need_modern_git
	try "$MODERN" -c http.proactiveAuth=auto clone -q "$REPOSITORY" copy
	assert_status 0
	assert_equal "$(wire)" '200 true,200 true,200 true,'
}

@test "modern git: credential fill, approve and reject with capabilities" {
	need_modern_git
	local described=url=$SANDBOX_API$'\n'capability[]=authtype
	try "$MODERN" credential fill <<<"$described"
	assert_line authtype=Bearer
	assert_line "credential=$(sypht-credential token)"
	assert_line ephemeral=1
	try "$MODERN" credential reject <<<"$described"$'\n'authtype=Bearer$'\n'"credential=$(sypht-credential token)"
	assert_empty "$output$stderr"
	sypht-credential token
	assert_equal "$(token_requests)" 2
}

@test "modern git: without the capability it is given user and password" {
	need_modern_git
	try "$MODERN" credential fill <<<"url=$SANDBOX_API"
	assert_line "password=$(sypht-credential token)"
	refute_contains "$output" credential=
}

# What git ≥ 2.46 sends, for machines without it --------------------------------------------------

# tell VERB LINE…
tell() {
	local verb=$1
	shift
	try git-credential-sypht "$verb" < <(printf '%s\n' "$@" protocol=https "host=${SANDBOX_API#https://}")
}

@test "git's transcript: challenge, token, store" {
	local offer=('capability[]=authtype' 'capability[]=state')
	tell get "${offer[@]}" 'wwwauth[]=Bearer realm="lab"'
	assert_status 0
	assert_empty "$stderr"
	local token
	token=$(sypht-credential token)
	assert_equal "${lines[*]:0:5}" \
		"capability[]=authtype capability[]=state authtype=Bearer credential=$token ephemeral=1"
	refute_contains "$output" 'continue='
	tell store "${offer[@]}" authtype=Bearer "credential=$token" ephemeral=1
	assert_status 0
	assert_empty "$output$stderr"
}

@test "git's transcript: a stale token, with the state that came along" {
	local offer=('capability[]=authtype' 'capability[]=state') stale state
	stale=$(sypht-credential token)
	tell get "${offer[@]}"
	assert_line continue=1
	state=$(grep '^state\[\]=sypht:' <<<"$output")
	tell get "${offer[@]}" authtype=Bearer ephemeral=1 'wwwauth[]=Bearer realm="lab"' "$state"
	refute_contains "$output" "$stale"
	refute_contains "$output" continue=
	assert_equal "$(token_requests)" 2
}

@test "git's transcript: a stale token, the state used up by a store" {
	local offer=('capability[]=authtype' 'capability[]=state') stale
	stale=$(sypht-credential token)
	tell get "${offer[@]}" authtype=Bearer ephemeral=1 \
		'wwwauth[]=Bearer realm="lab", error="invalid_token", error_description="token expired"'
	refute_contains "$output" "$stale"
	refute_contains "$output" continue=
}

@test "git's transcript: erase of a rejected token spares its successor" {
	local stale
	stale=$(sypht-credential token)
	tell erase capability[]=authtype authtype=Bearer "credential=$stale" 'wwwauth[]=Bearer error="invalid_token"'
	sypht-credential token
	tell erase capability[]=authtype authtype=Bearer "credential=$stale" 'wwwauth[]=Bearer error="invalid_token"'
	sypht-credential token
	assert_equal "$(token_requests)" 2
}

@test "git's transcript: a server that offers Basic alone is answered with user and password" {
	local challenge token
	token=$(sypht-credential token)
	for challenge in Basic 'Basic realm="x", charset="UTF-8"' 'basic realm="Bearer"' \
		'Negotiate, BASIC realm="a, Bearer b"' 'Negotiate YIIa/Bearer+b==, Basic' 'Digest realm="x", Basic'; do
		tell get capability[]=authtype "wwwauth[]=$challenge"
		assert_equal "${lines[*]:0:2}" "username=oauth2 password=$token"
		refute_contains "$output" authtype
	done
	tell get capability[]=authtype wwwauth[]=Negotiate 'wwwauth[]=Basic realm="x"'
	assert_line username=oauth2
}

@test "git's transcript: where Bearer is offered too, or nothing we have, it is Bearer" {
	local challenge
	for challenge in 'Basic realm="x", Bearer' 'bearer realm="x", Basic' 'Bearer' 'Negotiate' \
		'Digest realm="Basic"' ''; do
		tell get capability[]=authtype "wwwauth[]=$challenge"
		assert_line authtype=Bearer
	done
	tell get capability[]=authtype 'wwwauth[]=Basic realm="x"' 'wwwauth[]=BEARER'
	assert_line authtype=Bearer
}

@test "git's transcript: a profile without basic_username has nothing for a server of Basic alone" {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '[profile sypht]\nbasic_username =\n' >"$XDG_CONFIG_HOME/sypht/config"
	tell get capability[]=authtype 'wwwauth[]=Basic realm="x"'
	assert_status 0
	assert_empty "$output$stderr"
}

@test "git's transcript: a stale password, with the state that came along" {
	local offer=('capability[]=authtype' 'capability[]=state' 'wwwauth[]=Basic realm="x"') stale state
	stale=$(sypht-credential token)
	tell get "${offer[@]}"
	assert_line "password=$stale"
	assert_line continue=1
	state=$(grep '^state\[\]=sypht:' <<<"$output")
	tell get "${offer[@]}" username=oauth2 "$state"
	assert_line "password=$(sypht-credential token)"
	refute_contains "$output" "$stale"
	refute_contains "$output" continue=
	assert_equal "$(token_requests)" 2
}

@test "git's transcript: a bearer token that the server does not take goes as password, and that ends" {
	local offer=('capability[]=authtype' 'capability[]=state') token state
	token=$(sypht-credential token)
	tell get "${offer[@]}"
	state=$(grep '^state\[\]=sypht:' <<<"$output")
	tell get "${offer[@]}" authtype=Bearer ephemeral=1 wwwauth[]=Basic "$state"
	assert_line "password=$token"
	state=$(grep '^state\[\]=sypht:' <<<"$output")
	tell get "${offer[@]}" username=oauth2 wwwauth[]=Basic "$state"
	refute_contains "$output" "$token"
	refute_contains "$output" continue=
	assert_equal "$(token_requests)" 2
}

@test "git's transcript: a password that the server does not take goes as bearer token, and that ends" {
	local offer=('capability[]=authtype' 'capability[]=state') token state
	token=$(sypht-credential token)
	tell get "${offer[@]}" wwwauth[]=Basic
	state=$(grep '^state\[\]=sypht:' <<<"$output")
	tell get "${offer[@]}" username=oauth2 wwwauth[]=Bearer "$state"
	assert_line "credential=$token"
	refute_contains "$output" continue=
	assert_equal "$(token_requests)" 1
}

@test "git's transcript: store and erase of a password at the API" {
	local stale
	stale=$(sypht-credential token)
	tell store capability[]=authtype username=oauth2 "password=$stale"
	assert_status 0
	tell erase capability[]=authtype username=oauth2 "password=$stale" wwwauth[]=Basic
	sypht-credential token
	tell erase capability[]=authtype username=oauth2 "password=$stale" wwwauth[]=Basic
	sypht-credential token
	assert_equal "$(token_requests)" 2
}
