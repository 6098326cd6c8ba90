#!/usr/bin/env bats
# sypht-credential status: why does it not work? What test/credential/shell.bats holds of it is not repeated.

load ../lib/suite
load ../lib/helper

CONFIG_LINE='^config    '

other_port() {
	sed -E 's/[0-9]+$/1/' <<<"$SANDBOX_API"
}

@test "status: says where the config is, and that there is none" {
	ask status
	assert_status 0
	assert_equal "$(grep "$CONFIG_LINE" <<<"$output")" "config    $XDG_CONFIG_HOME/sypht/config: not there, so what is built in counts"
	configure < <(profile shop)
	ask status
	assert_equal "$(grep "$CONFIG_LINE" <<<"$output")" "config    $XDG_CONFIG_HOME/sypht/config"
}

@test "status: a config that is broken is told by file and line" {
	configure <<<$'[profile shop]\nnonsense = 1'
	ask status
	assert_refused 2 "$XDG_CONFIG_HOME/sypht/config:2" nonsense
}

@test "status: says where the cache is, and whether it can be used" {
	ask status
	assert_line "cache     $XDG_CACHE_HOME/sypht: not made yet"
	assert_file_not_exist "$XDG_CACHE_HOME/sypht"
	token
	ask status
	assert_line "cache     $XDG_CACHE_HOME/sypht"
	chmod 755 "$XDG_CACHE_HOME/sypht"
	ask status
	assert_line --regexp "^cache .*open to others; run: chmod 700"
	SYPHT_CACHE_DIR=/proc/1/sypht ask status
	assert_line --regexp '^cache .*cannot be made.*SYPHT_CACHE_DIR'
}

@test "status: without a home it says what that means" {
	unset HOME XDG_CACHE_HOME XDG_CONFIG_HOME
	ask status
	assert_status 0
	assert_line --regexp '^config .*HOME is not set'
	assert_line --regexp '^cache .*HOME is not set.*SYPHT_CACHE_DIR'
}

@test "status: variables that hold nonsense, which otherwise nobody mentions" {
	SYPHT_TIMEOUT=1m SYPHT_ON_FAILURE=ignore SYPHT_TRACE=trace.log ask status
	assert_line --regexp '^warning   SYPHT_TIMEOUT .* 30$'
	assert_line --regexp '^warning   SYPHT_ON_FAILURE .* fail$'
	assert_line --regexp '^warning   SYPHT_TRACE .* off$'
	SYPHT_TIMEOUT=60 SYPHT_ON_FAILURE=pass ask status
	refute_contains "$output" warning
}

@test "status URL: in scope, by which profile and why" {
	configure < <(profile shop; echo; profile sypht)
	ask status "$SANDBOX_API/fileupload?x=1"
	assert_status 0
	assert_line "scope     $SANDBOX_API: profile shop, the first that names it"
	assert_line 'profile shop'
	refute_line 'profile sypht'
	ask status "$SANDBOX_API" --profile sypht
	assert_line "scope     $SANDBOX_API: profile sypht, the only one looked at, by --profile"
	SYPHT_PROFILE=sypht ask status "$SANDBOX_API"
	assert_line "scope     $SANDBOX_API: profile sypht, the only one looked at, by SYPHT_PROFILE"
}

@test "status URL: not in scope, what is nearest and what to do" {
	ask status "http://${SANDBOX_API#https://}/"
	assert_status 1
	assert_line --regexp '^scope .*: none; profile sypht has .*, another scheme'
	ask status "$(other_port)"
	assert_status 1
	assert_line --regexp "^scope .*: none; profile sypht has $SANDBOX_API, another port"
	ask status https://elsewhere.example/x
	assert_status 1
	assert_line "scope     https://elsewhere.example: none names it; to change that: origin = https://elsewhere.example in $XDG_CONFIG_HOME/sypht/config"
	ask status http://elsewhere.example/x
	assert_status 1
	assert_line --regexp '^scope .*http is for this machine alone, use https$'
}

@test "status URL: another profile would have it" {
	configure < <(profile shop; echo; printf '%s\n' '[profile sypht]' 'origin = https://sypht.example')
	unset SYPHT_API_BASE_ENDPOINT
	ask status "$SANDBOX_API" --profile sypht
	assert_status 1
	assert_line --regexp '^scope .*profile sypht is the only one looked at; profile shop names it$'
}

@test "status URL: what is no URL is refused" {
	ask status now
	assert_refused 2 "'now' is no http or https URL"
	ask status --json "$SANDBOX_API"
	assert_refused 2 --json
}

@test "status --online: a token was given, and none of it shows or stays" {
	ask status --online
	assert_status 0
	assert_line --regexp '^  online    the endpoint gave a token, after [0-9]+ ms$'
	assert_token_requests 1
	assert_file_not_exist "$XDG_CACHE_HOME/sypht"
	refute_contains "$output" "$SANDBOX_CLIENT_SECRET"
}

@test "status --online: the reason why not, and exit status 1" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask status "$SANDBOX_API" --online
	assert_status 1
	assert_line --regexp '^  online .*invalid_client.*is the secret right'
	unset SYPHT_API_KEY
	ask status --online
	assert_status 1
	assert_line --regexp '^  online    no client credentials'
	SYPHT_CAINFO='' CURL_CA_BUNDLE='' SYPHT_API_KEY=$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET ask status --online
	assert_line --regexp '^  online .*SSL certificate problem.*SYPHT_CAINFO'
}

@test "status: nothing is sent unless --online asks for it" {
	SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL ask status "$SANDBOX_API"
	assert_status 0
	assert_equal "$(requests | wc -l)" 0
}

@test "status: thousands of profiles" {
	local i
	for ((i = 0; i < 5000; i++)); do
		printf '[profile p%d]\norigin = https://api%d.example.com\ntoken_url = https://auth.example.com/%d\nclient_id = %d\n' $i $i $i $i
	done | configure
	ask status
	assert_status 0
	assert_equal "$(grep -c '^profile p' <<<"$output")" 5000
	ask status --json
	assert_equal "$(jq '[.profiles[] | select(.name != "sypht")] | length' <<<"$output")" 5000
}
