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
	assert_equal "$(grep "$CONFIG_LINE" <<<"$output")" "config    $XDG_CONFIG_HOME/sypht/config: does not exist, so the built-in profile is used"
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
	assert_status 1
	ask status --json
	assert_contains "$output" '"cache_refused":"cache directory is open to others; run: chmod 700'
	assert_status 1
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
	configure < <(profile shop "client_secret_command = echo $SANDBOX_CLIENT_SECRET"; echo; profile sypht)
	ask status "$SANDBOX_API/fileupload?x=1"
	assert_status 0
	assert_line "scope     $SANDBOX_API: profile shop, the first that names it"
	assert_line 'profile shop'
	refute_line 'profile sypht'
	ask status "$SANDBOX_API" --profile sypht
	assert_line "scope     $SANDBOX_API: profile sypht, the only one used, because of --profile"
	SYPHT_PROFILE=sypht ask status "$SANDBOX_API"
	assert_line "scope     $SANDBOX_API: profile sypht, the only one used, because of SYPHT_PROFILE"
}

@test "status URL: not in scope, what is nearest and what to do" {
	ask status "http://${SANDBOX_API#https://}/"
	assert_status 1
	assert_line --regexp '^scope .*: none; profile sypht has .*, with another scheme'
	ask status "$(other_port)"
	assert_status 1
	assert_line --regexp "^scope .*: none; profile sypht has $SANDBOX_API, with another port"
	ask status https://elsewhere.example/x
	assert_status 1
	assert_line "scope     https://elsewhere.example: no profile names it; to change that, add origin = https://elsewhere.example to a profile in $XDG_CONFIG_HOME/sypht/config"
	ask status http://elsewhere.example/x
	assert_status 1
	assert_line --regexp '^scope .*http is for this machine only, so use https$'
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
	assert_refused 2 "'now' is not an http or https URL"
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
	assert_line --regexp '^  online .*invalid_client.*check the client secret'
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

# flawed TEXT…: status exits 1, and has a line that holds each text; status --json too.
flawed() {
	local text
	ask status
	assert_status 1
	assert_empty "$stderr"
	for text; do assert_contains "$(grep -E '^  (error  |warning)   ' <<<"$output")" "$text"; done
	refute_contains "$output" "$SANDBOX_CLIENT_SECRET"
	ask status --json
	assert_status 1
	for text; do
		assert_contains "$(jq -r '.profiles[].secret_refused | select(.)' <<<"$output")" "$text"
	done
	assert_equal "$(requests | wc -l)" 0
}

@test "status: no client credentials at all" {
	unset SYPHT_API_KEY
	flawed "no client credentials for profile 'sypht'" 'run: sypht-credential login'
	assert_equal "$(sypht-credential status | grep '^  secret')" '  secret    none is stored or configured'
}

@test "status: a profile without client credentials is warned of; alone, it is a failure" {
	configure < <(profile shop)
	ask status
	assert_status 0
	assert_line --partial "  warning   no client credentials for profile 'shop'"
	ask status --profile shop
	assert_status 1
	ask status "$SANDBOX_API"
	assert_status 1
	unset SYPHT_API_KEY
	flawed "no client credentials for profile 'shop'" 'run: sypht-credential login --profile shop'
	client_secret | sypht-credential login --profile shop
	ask status
	assert_status 0
}

@test "status: a secret file that is missing, or that others can read" {
	unset SYPHT_API_KEY
	configure < <(profile shop "client_secret_file = $PWD/secret")
	flawed "$PWD/secret" 'No such file'
	client_secret >secret
	chmod 644 secret
	flawed 'others can read this secret' "run: chmod 600 '$PWD/secret'"
	chmod 600 secret
	ask status
	assert_status 0
}

@test "status: a SYPHT_API_KEY without a colon" {
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID
	flawed SYPHT_API_KEY client_id:client_secret colon
}

@test "status: a command for the secret that fails; --json runs none" {
	configure < <(profile shop "client_secret_command = echo >>$PWD/ran; exit 3")
	ask status
	assert_status 1
	assert_line "  error     client_secret_command of profile 'shop' ended with exit status 3; run it by hand"
	rm ran
	ask status --json
	assert_status 0
	assert_file_not_exist ran
	ask status "$SANDBOX_API" --profile sypht
	assert_status 0
	assert_file_not_exist ran
}

@test "status: a profile that there is not, with a command that works" {
	ask --profile nosuch status
	assert_refused 1 "there is no profile 'nosuch'"
	eval "try ${stderr#*run: }"
	assert_status 0
	SYPHT_PROFILE=nosuch ask status --json
	assert_refused 1 "there is no profile 'nosuch'"
	export SYPHT_PROFILE=nosuch
	try bash -c "${stderr#*run: }"
	assert_status 0
}

@test "status: shows the client id that login kept, or that a variable holds" {
	assert_equal "$(sypht-credential status | grep '^  client')" "  client    $SANDBOX_CLIENT_ID"
	unset SYPHT_API_KEY
	printf '%s\n' "$(client_id SHORT)" "$(client_secret SHORT)" | sypht-credential login
	ask status
	assert_status 0
	assert_line "  client    $(client_id SHORT)"
	assert_equal "$(sypht-credential status --json | jq -r '.profiles[0].client_id')" "$(client_id SHORT)"
	refute_contains "$output" "$(client_secret SHORT)"
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
