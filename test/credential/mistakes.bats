#!/usr/bin/env bats
# Typical mistakes: what is said names what is wrong and what to do about it.

load ../lib/suite
load ../lib/helper

# blamed TEXT…: it ended badly, with one line that holds each text, and without a token or a secret.
blamed() {
	local text
	((status != 0)) || fail 'that went well'
	assert_equal "$(grep -c . <<<"$stderr") line" '1 line'
	for text; do assert_contains "$stderr" "$text"; done
	refute_contains "$output$stderr" "$SANDBOX_CLIENT_SECRET"
}

# refused STATUS TEXT…: by the helper.
refused() {
	assert_refused "$@"
	refute_contains "$stderr" "$SANDBOX_CLIENT_SECRET"
}

request() {
	try sypht-run curl -sS "$SANDBOX_API/app/company/byclientid/$SANDBOX_CLIENT_ID"
}

# The key and the secret --------------------------------------------------------------------------

@test "mistake: no key at all" {
	unset SYPHT_API_KEY
	ask token
	refused 1 'no client credentials' SYPHT_API_KEY=client_id:client_secret 'sypht-credential login'
	request
	assert_status 67
	blamed 'no client credentials' SYPHT_API_KEY=client_id:client_secret 'sypht-credential login'
}

@test "mistake: no credentials for a profile; what the message says to run works as it stands" {
	configure < <(profile shop)
	ask --profile shop token
	refused 1 "no client credentials for profile 'shop'" client_secret_file
	client_secret | eval "${stderr#*run: }"
	ask --profile shop token
	assert_status 0
}

@test "mistake: a key without a colon" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID ask token
	refused 1 SYPHT_API_KEY 'client_id:client_secret' colon
}

@test "mistake: a wrong secret" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask token
	refused 1 "$SANDBOX_TOKEN_URL" invalid_client 'check the client secret' auth_method
}

@test "mistake: a secret without a client id" {
	unset SYPHT_API_KEY
	SYPHT_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET ask token
	refused 1 SYPHT_CLIENT_SECRET SYPHT_CLIENT_ID
}

@test "mistake: a secret file that is not there" {
	unset SYPHT_API_KEY
	SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID SYPHT_CLIENT_SECRET_FILE=$PWD/secret ask token
	refused 1 'client secret file' "$PWD/secret" 'No such file'
}

@test "mistake: a secret file that others can read" {
	unset SYPHT_API_KEY
	(umask 022 && echo "$SANDBOX_CLIENT_SECRET" >secret)
	SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID SYPHT_CLIENT_SECRET_FILE=$PWD/secret ask token
	refused 1 'others can read' "chmod 600 '$PWD/secret'"
	eval "${stderr#*run: }"
	SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID SYPHT_CLIENT_SECRET_FILE=$PWD/secret ask token
	assert_status 0
}

@test "mistake: an empty secret file" {
	unset SYPHT_API_KEY
	(umask 077 && : >secret)
	SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID SYPHT_CLIENT_SECRET_FILE=$PWD/secret ask token
	refused 1 "$PWD/secret" 'the secret is empty'
}

@test "mistake: a command for the secret that fails" {
	configure < <(profile shop 'client_secret_command = exit 3')
	ask --profile shop token
	refused 1 "client_secret_command of profile 'shop'" 'exit status 3'
}

# The place ---------------------------------------------------------------------------------------

@test "mistake: a host that no profile names" {
	ask token https://api.example.com
	refused 1 'no profile' https://api.example.com
}

@test "mistake: http instead of https" {
	ask token "http://api.sypht.com"
	refused 1 'no profile' http://api.sypht.com
	SYPHT_AUTH_ENDPOINT=http://auth.example.com/token ask token
	refused 2 SYPHT_AUTH_ENDPOINT 'an https URL'
}

@test "mistake: a host where a URL is wanted" {
	ask token api.sypht.com
	refused 2 "'api.sypht.com' is not an http or https URL; did you mean https://api.sypht.com?"
	ask status "${SANDBOX_API#https://}/x"
	refused 2 "did you mean $SANDBOX_API/x?"
	ask token 'two words'
	refused 2 "'two words' is not an http or https URL"
}

# The config --------------------------------------------------------------------------------------

@test "mistake: SYPHT_CONFIG names what is not there" {
	SYPHT_CONFIG=$PWD/nothing ask token
	refused 2 SYPHT_CONFIG "$PWD/nothing" 'No such file'
}

@test "mistake: a config that cannot be read" {
	needs_root 'become somebody else'
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR"/.. "$HOME" "$TMPDIR"
	configure < <(profile shop)
	cp "$XDG_CONFIG_HOME/sypht/config" config
	chmod 600 config
	SYPHT_CONFIG=$PWD/config try setpriv --reuid=65534 --clear-groups "$BUILD/sypht-credential" token
	refused 2 "$PWD/config" 'Permission denied'
}

@test "mistake: a config that others can write" {
	configure < <(profile shop)
	chmod 666 "$XDG_CONFIG_HOME/sypht/config"
	request
	assert_status 67
	blamed 'others can write the config' "chmod go-w '$XDG_CONFIG_HOME/sypht/config'"
	eval "${stderr#*run: }"
	ask --profile sypht token
	assert_status 0
}

@test "mistake: a misspelt key, or section" {
	configure < <(profile shop 'client_secert = x')
	ask --profile shop token
	refused 2 "$XDG_CONFIG_HOME/sypht/config:5" "unknown key 'client_secert'"
	configure <<<$'[profle shop]\nscope = a'
	ask token
	refused 2 "$XDG_CONFIG_HOME/sypht/config:2" 'expected [profile NAME]'
}

@test "mistake: a profile without an endpoint" {
	configure <<<$'[profile shop]\norigin = https://shop.example'
	ask --profile shop token
	refused 2 "profile 'shop' (line 2)" 'needs token_url or issuer'
}

@test "mistake: a profile that there is not" {
	ask --profile shop token
	refused 2 "no profile 'shop'" 'sypht-credential status'
	SYPHT_PROFILE=shop request
	assert_status 67
	blamed "no profile 'shop'"
}

@test "mistake: a scope that the client may not have" {
	configure < <(profile shop "client_secret_command = echo $SANDBOX_CLIENT_SECRET" 'scope = fileupload:all no:such')
	token --profile shop
	ask --profile shop status
	assert_contains "$output" 'warning   asked for scope fileupload:all no:such'
}

# The way to the endpoint -------------------------------------------------------------------------

@test "mistake: an endpoint that is down" {
	SYPHT_AUTH_ENDPOINT=https://127.0.0.1:1/token SYPHT_TIMEOUT=4 ask token
	refused 1 https://127.0.0.1:1/token 'Failed to connect'
	refute_contains "$stderr" proxy
}

@test "mistake: a path at the endpoint's host that is not the endpoint" {
	SYPHT_AUTH_ENDPOINT=$SANDBOX_ISSUER/oauth2/tokens ask token
	refused 1 "$SANDBOX_ISSUER/oauth2/tokens" 'unrecognized route'
}

@test "mistake: a proxy in the way" {
	https_proxy=http://127.0.0.1:1 SYPHT_TIMEOUT=1 ask token
	refused 1 'Failed to connect' 'https_proxy is set' no_proxy
	https_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1 ask token
	assert_status 0
}

@test "mistake: a CA that is not known" {
	unset SYPHT_CAINFO CURL_CA_BUNDLE
	ask token
	refused 1 'SSL certificate problem' SYPHT_CAINFO
}

@test "mistake: a CA file that is not there" {
	SYPHT_CAINFO=$PWD/ca.pem ask token
	refused 1 "$PWD/ca.pem" SYPHT_CAINFO
}

@test "mistake: a clock that is years slow" {
	not_under_sanitizers 'faketime is preloaded, and so must their runtime be'
	try faketime '2001-01-01' "$BUILD/sypht-mint" <<-END
		token_url=$SANDBOX_TOKEN_URL
		client_id=$SANDBOX_CLIENT_ID
		client_secret=$SANDBOX_CLIENT_SECRET
		cainfo=$SANDBOX_CA
		timeout_ms=5000

	END
	assert_contains "$output" 'not yet valid'
	assert_contains "$output" 'check the clock of this machine'
}

@test "mistake: a clock that was set back leaves tokens from the future, which are not believed" {
	token
	age token -7200
	ask token
	assert_status 0
	assert_token_requests 2
}

@test "mistake: more validity asked than a token has" {
	ask --min-valid 99999 token
	refused 1 'valid for 99999 seconds' 'lives for 3600'
}

# The cache ---------------------------------------------------------------------------------------

@test "mistake: a cache directory that others can look into" {
	mkdir -m 777 loose
	SYPHT_CACHE_DIR=$PWD/loose ask token
	refused 1 'open to others' "chmod 700 '$PWD/loose'"
	eval "${stderr#*run: }"
	SYPHT_CACHE_DIR=$PWD/loose ask token
	assert_status 0
}

@test "mistake: a cache directory of another user" {
	needs_root 'give a directory away'
	mkdir -m 700 theirs
	chown 65534 theirs
	SYPHT_CACHE_DIR=$PWD/theirs ask token
	refused 1 "$PWD/theirs" 'belongs to another user'
}

# The program -------------------------------------------------------------------------------------

@test "mistake: a static program" {
	not_under_sanitizers 'there the helper is dynamic'
	try sypht-run --check "$BUILD/sypht-credential"
	assert_status 1
	assert_contains "$output" 'cannot work'
	assert_contains "$output" 'statically linked'
	try sypht-run "$BUILD/sypht-credential" --version
	assert_status 0
	assert_contains "$stderr" 'statically linked'
}

@test "mistake: a set-uid program, from which the loader drops the plugin" {
	needs_root 'make a set-uid program of another user'
	cp "$(command -v curl)" curl
	chown 65534 curl
	chmod 4755 curl
	try sypht-run --check ./curl
	assert_status 1
	assert_contains "$output" 'more privileges'
	assert_contains "$output" 'set-uid'
}

@test "mistake: a program that is not there" {
	run -127 --separate-stderr sypht-run no-such-program
	blamed no-such-program 'No such file'
}

@test "mistake: a helper that is not there" {
	SYPHT_CREDENTIAL=/nowhere/sypht-credential request
	assert_status 67
	blamed /nowhere/sypht-credential 'No such file'
}

@test "mistake: half an installation" {
	cp "$BUILD/sypht-credential" .
	try ./sypht-credential token
	assert_refused 1 sypht-mint 'install again'
	cp "$BUILD/sypht-run" .
	try ./sypht-run curl
	assert_status 125
	blamed libsypht-preload.so
}

@test "mistake: certificate checks turned off, so that no token is put on" {
	SYPHT_API_BASE_ENDPOINT=https://api.invalid SYPHT_TRACE=1 \
		try sypht-run curl -sSk --max-time 2 https://api.invalid/
	assert_contains "$stderr" 'certificate checks are off'
}

@test "mistake: a verb or an option that there is not" {
	ask --porfile x token
	refused 2 --porfile --profile
	ask token "$SANDBOX_API" too much
	refused 2 'too'
	ask -profile sypht token
	refused 2 '-profile: no such option; did you mean --profile?'
	ask token --json -xy
	refused 2 '-xy: no such option'
	ask --help=x
	refused 2 '--help=x: no such option'
	ask token --json
	refused 2 '--json and --online are options of status only'
}

@test "mistake: the URL before the verb" {
	ask "$SANDBOX_API" token </dev/null
	refused 2 "'$SANDBOX_API' is not a command; write one before the URL, as in: sypht-credential token URL"
}

@test "mistake: erase without a URL, at a terminal" {
	try timeout 20 script -qec 'sypht-credential erase' /dev/null </dev/null
	assert_contains "$output" 'erase: a URL is missing, as in: sypht-credential erase https://'
}

@test "mistake: a key with a line break" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET$'\n' ask token
	refused 1 'SYPHT_API_KEY: holds more than one line'
}
