#!/usr/bin/env bats
# What people and scripts type: token, header, curl-config, status, and the options.

load ../lib/suite
load ../lib/helper

# A second profile for the same API and client, and more of what it says.
configure_other() {
	configure < <(profile other "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'" "$@")
}

# A token, three ways ------------------------------------------------------------------------------

@test "token: prints the token and a line end, and nothing else" {
	"$BUILD/sypht-credential" token >out 2>err
	assert_equal "$(wc -l <out)" 1
	assert_issued "$(<out)"
	assert_equal "$(<err)" ''
}

@test "header: is what curl reads from -H @-" {
	header_to_api() { "$BUILD/sypht-credential" header | plain_curl --cacert "$SANDBOX_CA" -H @- "$SANDBOX_API/echo"; }
	try header_to_api
	assert_equal "$(jq -r .token <<<"$output")" "$(token | tr -d '\n' | sha256sum | cut -c 1-8)"
}

@test "curl-config: is what curl reads from -K -" {
	config_to_api() { "$BUILD/sypht-credential" curl-config | plain_curl --cacert "$SANDBOX_CA" -K - "$SANDBOX_API/echo"; }
	try config_to_api
	assert_equal "$(jq -r .token <<<"$output")" "$(token | tr -d '\n' | sha256sum | cut -c 1-8)"
}

# Which profile ------------------------------------------------------------------------------------

@test "a URL picks the profile that covers its origin, whatever its path" {
	local url
	for url in "$SANDBOX_API" "$SANDBOX_API/" "$SANDBOX_API/a/b?c#d" "$SANDBOX_API?x" "${SANDBOX_API/https/HTTPS}"; do
		ask token "$url"
		assert_issued "$output"
	done
	assert_token_requests 1
}

@test "a URL that no profile covers is no token" {
	ask token https://elsewhere.example/
	assert_refused 1 'no profile names the origin of https://elsewhere.example/'
	ask header http://127.0.0.1:1/
	assert_refused 1 'no profile names the origin of'
	configure_other
	ask --profile other token https://elsewhere.example
	assert_refused 1 "profile 'other' does not name the origin of"
	assert_token_requests 0
}

@test "what is no URL, or not one for us, is wrong usage" {
	local url
	for url in '' api.sypht.com /fileupload ftp://api.sypht.com https:// https://user@api.sypht.com \
		https://api.sypht.com:99999 'https://api sypht.com' 'https://api.sypht.com:x/'; do
		ask token "$url"
		assert_refused 2 'is not an http or https URL'
	done
}

@test "without a URL the profile is the one named, else sypht" {
	configure_other scope=result:all
	assert_issued "$(token)"
	ask token --profile other
	assert_issued "$output"
	assert_contains "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS" | tail -n 1)" scope=result%3Aall
	assert_equal "$(SYPHT_PROFILE=other token)" "$output"
	assert_equal "$(SYPHT_PROFILE=sypht token --profile other)" "$output"
}

@test "a profile that does not exist is named" {
	ask token --profile nobody
	assert_refused 2 "there is no profile 'nobody'"
	SYPHT_PROFILE=nobody ask token "$SANDBOX_API"
	assert_refused 2 "there is no profile 'nobody'"
	ask get --profile nobody < <(for_api)
	assert_refused 2 "there is no profile 'nobody'"
}

@test "an empty variable is as good as none" {
	SYPHT_PROFILE='' SYPHT_CONFIG='' SYPHT_CACHE_DIR='' SYPHT_TIMEOUT='' SYPHT_AUDIENCE='' ask token
	assert_issued "$output"
}

@test "SYPHT_TIMEOUT that makes no sense is warned of, and not used" {
	local value
	for value in 0 -1 x 5m 99999 1.5; do
		SYPHT_TIMEOUT=$value SYPHT_CACHE_DIR=$TMPDIR/$value ask token
		assert_issued "$output"
		assert_equal "$stderr" "warning: SYPHT_TIMEOUT is '$value', not a whole number of seconds from 1 to 3600; using 30"
	done
	SYPHT_TIMEOUT=30 ask token
	assert_empty "$stderr"
}

@test "other variables that make no sense are warned of, whether or not there is a token" {
	SYPHT_TRACE=yes ask token
	assert_issued "$output"
	assert_equal "$stderr" "warning: SYPHT_TRACE is 'yes', neither 1 nor the absolute path of a file to write; tracing is off"
	SYPHT_ON_FAILURE=ignore ask get < <(for_api)
	assert_equal "$stderr" "warning: SYPHT_ON_FAILURE is 'ignore', neither fail nor pass; using fail"
	SYPHT_CREDENTIAL=bin/sypht-credential ask --min-valid 99999 token
	assert_status 1
	assert_regex "$stderr" "^sypht-credential: no token .*
warning: SYPHT_CREDENTIAL is 'bin/sypht-credential', not an absolute path; sypht-run cannot use it$"
	SYPHT_TRACE=yes ask get < <(description protocol=https host=other.example)
	assert_silence
}

# --min-valid --------------------------------------------------------------------------------------

@test "--min-valid: a token that lives long enough is served from the cache" {
	local current
	current=$(token)
	assert_equal "$(token --min-valid 3000)" "$current"
	assert_equal "$(token --min-valid=0)" "$current"
	age token 500
	assert_equal "$(token --min-valid 3000)" "$current"
	assert_token_requests 1
}

@test "--min-valid: one that does not is replaced, for all" {
	local current
	current=$(token)
	age token 700
	ask token --min-valid 3000
	assert_issued "$output"
	refute [ "$output" = "$current" ]
	assert_equal "$(token)" "$output"
	assert_token_requests 2
}

@test "--min-valid: more than a fresh token lives is refused, and says how long one lives" {
	ask token --min-valid 3601
	assert_refused 1 'valid for 3601 seconds' 'lives for 3600'
	assert_token_requests 0

	token_lifetime "$SANDBOX_CLIENT_ID" 100
	ask token --min-valid 200
	assert_refused 1 'valid for 200 seconds' 'lives for 100'
	assert_token_requests 1
	ask token --min-valid 200
	assert_refused 1 'lives for 100'
	assert_token_requests 1
	ask get --min-valid 200 < <(for_api)
	assert_refused 1 'lives for 100'
}

@test "--min-valid: what is no number of seconds is wrong usage" {
	local value
	for value in '' x -1 5x 1.5 99999999999999999999; do
		ask token "--min-valid=$value"
		assert_refused 2 "--min-valid: '$value' is not a number of seconds"
	done
}

# Usage --------------------------------------------------------------------------------------------

@test "--help and --version go to stdout, and need no profile" {
	local word
	export SYPHT_CONFIG=/missing
	for word in --help help -h; do
		ask "$word"
		assert_status 0
		assert_empty "$stderr"
		assert_line --partial 'usage: sypht-credential'
	done
	ask --version
	assert_status 0
	assert_output --regexp '^sypht-credential [0-9]+\.[0-9]+\.[0-9]+$'
}

@test "--help tells of every verb and every option" {
	local word
	ask --help
	for word in get store erase capability token header curl-config status login logout \
		--profile --min-valid --help --version; do
		assert_contains "$output" "$word"
	done
}

@test "wrong usage: exit status 2, one line, nothing on stdout" {
	ask
	assert_refused 2 'a command is missing'
	ask token "$SANDBOX_API" "$SANDBOX_API"
	assert_refused 2 'unexpected argument'
	ask status "$SANDBOX_API" "$SANDBOX_API"
	assert_refused 2 'unexpected argument'
	ask --nonsense token
	assert_refused 2 '--nonsense'
	ask token --profile
	assert_refused 2 --profile
	ask token -x
	assert_refused 2
	assert_token_requests 0
}

@test "a mistyped verb or option is told, with the one that was meant" {
	ask tokne </dev/null
	assert_refused 2 "'tokne' is not a command" 'did you mean token?'
	ask statsu <<<'no description'
	assert_refused 2 'did you mean status?'
	ask frobnicate </dev/null
	assert_refused 2 'see sypht-credential --help'
	ask token --porfile x
	assert_refused 2 'did you mean --profile?'
	ask --min-vaild=5 token
	assert_refused 2 'did you mean --min-valid?'
	ask token --min-valid
	assert_refused 2 '--min-valid: a value is missing'
	ask --protocol=keyring gte a b
	assert_refused 2 'did you mean get?'
	assert_token_requests 0
}

@test "a mistyped verb does not wait for a pipe on which nothing comes" {
	mkfifo silent
	exec 8<>silent
	try timeout 8 "$BUILD/sypht-credential" tokne <silent
	exec 8>&-
	assert_refused 2 'did you mean token?'
}

@test "an unknown verb gets silence from callers that speak git's grammar" {
	ask rotate < <(for_api)
	assert_silence
	ask rotate < <(for_api | sed 's/$/\r/')
	assert_silence
	try git-credential-sypht rotate </dev/null
	assert_silence
}

# erase, typed by a person --------------------------------------------------------------------------

@test "erase URL: drops the cached token, and says so, whatever stdin is" {
	token
	ask erase "$SANDBOX_API/some/path" < <(for_endpoint)
	assert_status 0
	assert_empty "$stderr"
	assert_output 'profile sypht: cached token dropped'
	ask erase "$SANDBOX_API" <&-
	assert_status 0
	assert_output 'profile sypht: no token was cached'
	token
	assert_token_requests 2
}

@test "erase URL: at a terminal it waits for nothing" {
	command -v script || skip_allowed 'script is not installed'
	token
	try timeout 20 script -qec "sypht-credential erase $SANDBOX_API" /dev/null </dev/null
	assert_contains "$output" 'profile sypht: cached token dropped'
}

@test "erase URL: a URL that no profile covers: 1; no URL, or two: 2; nothing is dropped" {
	token
	ask erase https://other.example
	assert_refused 1 'no profile names the origin of https://other.example'
	ask erase other.example
	assert_refused 2 "'other.example' is not an http or https URL"
	ask erase "$SANDBOX_API" "$SANDBOX_API"
	assert_refused 2 'unexpected argument'
	token
	assert_token_requests 1
}

@test "erase --profile NAME: drops that profile's token, unless git's grammar is on stdin" {
	configure_other
	token --profile other
	ask --profile other erase </dev/null
	assert_output 'profile other: cached token dropped'
	token
	ask erase --profile sypht <&-
	assert_output 'profile sypht: cached token dropped'
	token
	ask --profile sypht erase < <(for_api)
	assert_silence
	ask --profile none erase </dev/null
	assert_refused 2 "there is no profile 'none'"
	token
	assert_token_requests 4
}

# The default profile -------------------------------------------------------------------------------

# without_sypht NAME…: these profiles have the client credentials, and sypht has none.
without_sypht() {
	local name
	unset SYPHT_API_KEY SYPHT_AUTH_ENDPOINT SYPHT_API_BASE_ENDPOINT
	(umask 077 && client_secret >secret)
	for name; do profile "$name" "client_secret_file = $PWD/secret"; done | configure
}

@test "without a URL: the only profile of the config is meant, where sypht has no credentials" {
	without_sypht only
	export HTS_AUTH_LOCATION=$PWD/auth.json
	for words in token header --protocol=pnpm --protocol=goauth '--protocol=htslib token-file' erase\ --profile=only; do
		# shellcheck disable=SC2086
		ask $words </dev/null
		assert_status 0
	done
	assert_token_requests 1
}

@test "without a URL: sypht is meant as soon as it has credentials, or is named" {
	without_sypht only
	ask --profile sypht token
	assert_refused 1 "no client credentials for profile 'sypht'"
	sypht_env
	token
	assert_contains "$(sypht-credential status)" 'profile only'
	ask erase --profile only </dev/null
	assert_status 0
}

@test "without a URL: where several profiles could be meant, they are listed" {
	without_sypht one two three
	ask token
	assert_refused 1 --profile 'one, two, three'
	ask --profile two token
	assert_status 0
}

@test "login is for sypht, whatever other profile there is" {
	without_sypht only
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL
	client_id >credentials
	client_secret >>credentials
	ask login <credentials
	assert_status 0
	assert_contains "$output" 'profile sypht: client credentials kept'
}

@test "options may stand before the verb, behind it, and end with --" {
	configure_other
	assert_equal "$(token --profile other --min-valid 5 "$SANDBOX_API")" \
		"$("$BUILD/sypht-credential" --min-valid 5 --profile=other token -- "$SANDBOX_API")"
	assert_token_requests 1
}

# Where it is, and what it is given ------------------------------------------------------------------

@test "it finds its parts wherever it is called from, and by whatever name" {
	local way
	cd /
	ln -s "$BUILD/sypht-credential" "$TMPDIR/link"
	for way in sypht-credential "$TMPDIR/link" "$(realpath --relative-to=/ "$BUILD")/sypht-credential"; do
		rm -rf "$(cache_directory)"
		try "$way" token
		assert_issued "$output"
	done
}

@test "installed, it finds them in lib/sypht" {
	mkdir -p prefix/bin prefix/lib/sypht
	cp "$BUILD/sypht-credential" prefix/bin
	cp "$BUILD/sypht-mint" prefix/lib/sypht
	try prefix/bin/sypht-credential token
	assert_issued "$output"
}

@test "an installation without its parts is named as such" {
	mkdir bin
	cp "$BUILD/sypht-credential" bin
	try bin/sypht-credential token
	assert_refused 1 'sypht-mint is missing beside this program and in ../lib/sypht'
}

@test "a mint that ends badly is no token" {
	mkdir bin
	cp "$BUILD/sypht-credential" bin
	local mint
	for mint in 'exit 0' 'exit 1' 'kill -KILL 0' 'echo nonsense' 'echo credential=half' \
		'printf "credential=a b\n\n"' 'printf "credential=a-token\nexpires_in=0\n\n"' \
		'head -c 2000000 /dev/zero' 'exec >&-'; do
		printf '#!/bin/sh\n%s\n' "$mint" >bin/sypht-mint
		chmod +x bin/sypht-mint
		rm -rf "$(cache_directory)"
		try bin/sypht-credential token
		assert_refused 1 sypht-mint
	done
}

@test "it works with its standard descriptors closed, and writes into no file by mistake" {
	"$BUILD/sypht-credential" token <&- >out 2>&-
	assert_issued "$(<out)"
	rm -rf "$(cache_directory)"
	"$BUILD/sypht-credential" token <&- >&- 2>&- || true
	assert_issued "$(token)"
	assert_token_requests 2
	rm -rf "$(cache_directory)"
	for_api >in
	"$BUILD/sypht-credential" get <in >out 2>&-
	assert_contains "$(<out)" "password=$(token)"
}

@test "an answer that cannot be written: exit status 1, and one line" {
	local words
	token >/dev/null
	for words in token header curl-config --help --version status 'status --json' 'kubernetes --help'; do
		# shellcheck disable=SC2086
		try sh -c 'exec "$@" >/dev/full' - "$BUILD/sypht-credential" $words
		assert_refused 1 'cannot write the answer: No space left on device'
		# shellcheck disable=SC2086
		try sh -c 'exec "$@" >&-' - "$BUILD/sypht-credential" $words
		assert_refused 1 'cannot write the answer: Bad file descriptor'
	done
	try sh -c 'exec "$@" >&-' - "$BUILD/sypht-credential" get < <(for_api)
	assert_refused 1 'cannot write the answer'
}

# status -------------------------------------------------------------------------------------------

@test "status: profiles, origins, endpoint, client, where the secret is; nothing is asked" {
	configure_other 'origin = https://second.example'
	ask status
	assert_status 0
	assert_empty "$stderr"
	assert_line 'profile other'
	assert_line "  origin    $SANDBOX_API"
	assert_line '  origin    https://second.example'
	assert_line "  endpoint  $SANDBOX_TOKEN_URL"
	assert_line "  client    $SANDBOX_CLIENT_ID"
	assert_line '  secret    client_secret_command'
	assert_line '  token     none cached'
	assert_line 'profile sypht'
	assert_line '  secret    SYPHT_API_KEY'
	assert_token_requests 0
	assert_file_not_exist "$(cache_directory)"
}

@test "status: seconds left and scope of a cached token, and never the token or the secret" {
	local current
	current=$(token)
	ask status
	assert_line --regexp '^  token     35[34][0-9] seconds left, scope fileupload:all result:all validate:annotation$'
	refute_contains "$output" "$current"
	refute_contains "$output" "$SANDBOX_CLIENT_SECRET"
}

@test "status: the last refusal, as long as it is remembered" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask token
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask status
	assert_line --partial invalid_client
	age state 5
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask status
	refute_contains "$output" invalid_client
}

@test "status: a scope that was granted more narrowly than asked" {
	configure < <(profile sypht 'scope = result:all nothing:all')
	token >/dev/null
	ask status
	assert_line --regexp 'warning.*nothing:all'
}

@test "status: a cache that is open to others is refused, with the remedy and exit status 1" {
	token >/dev/null
	chmod 755 "$(cache_directory)"
	ask status
	assert_status 1
	assert_line --regexp '^  token     refused: .*chmod 700'
}

@test "status: one profile alone" {
	configure_other
	ask status --profile other
	assert_line 'profile other'
	refute_line 'profile sypht'
}
