#!/usr/bin/env bats
# What git says back: store, that a credential worked, and erase, that it did not. And the keeping
# of client credentials, by the same two verbs at the token endpoint's host.

load ../lib/suite
load ../lib/helper

# Where store keeps the credentials of PROFILE.
kept() {
	printf '%s\n' "$XDG_CONFIG_HOME/sypht/credentials/$1"
}

store_usual() {
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	assert_silence
}

# The endpoint takes every client.
takes_all() {
	faults '{"token": {"body": {"access_token": "a-token", "token_type": "Bearer"}, "times": "all"}}'
}

mode_of() {
	stat -c %a "$1"
}

# erase at the API -----------------------------------------------------------------------------

@test "erase: a token that is named is dropped, if it is the cached one" {
	local dead
	dead=$(token)
	ask erase < <(for_api capability[]=authtype authtype=Bearer "credential=$dead" \
		'wwwauth[]=Bearer error="invalid_token"')
	assert_silence
	refute [ "$(token)" = "$dead" ]
	assert_token_requests 2
}

@test "erase: a token that is named and no longer the cached one costs nothing" {
	local dead fresh
	dead=$(token)
	ask erase < <(for_api capability[]=authtype "credential=$dead")
	fresh=$(token)
	ask erase < <(for_api capability[]=authtype "credential=$dead")
	assert_silence
	assert_equal "$(token)" "$fresh"
	assert_token_requests 2
}

@test "erase: old callers name the token as a password" {
	local current
	current=$(token)
	ask erase < <(for_api username=oauth2 password=another)
	assert_equal "$(token)" "$current"
	ask erase < <(for_api username=oauth2 "password=$current")
	refute [ "$(token)" = "$current" ]
}

@test "erase: the host alone drops its token" {
	local dead
	dead=$(token)
	ask erase < <(for_api)
	assert_silence
	refute [ "$(token)" = "$dead" ]
}

@test "erase: another host, port, scheme or user drops nothing" {
	local current host=${SANDBOX_API#https://}
	current=$(token)
	ask erase < <(description protocol=https host=elsewhere.example)
	ask erase < <(description protocol=https "host=${host%:*}")
	ask erase < <(description protocol=http "host=$host")
	ask erase < <(for_api username=somebody)
	assert_silence
	assert_equal "$(token)" "$current"
}

@test "erase: at the API no secret is dropped, nor any other profile's token" {
	unset SYPHT_API_KEY
	configure < <(
		profile sypht
		profile other "origin = https://other.example" scope=result:all \
			"client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'" | sed 2d
	)
	store_usual
	local other
	token >/dev/null
	other=$(token --profile other)
	ask erase < <(for_api)
	assert_equal "$(token --profile other)" "$other"
	assert_issued "$(token)"
	assert_token_requests 3
}

@test "erase: every profile of the host is meant" {
	configure < <(profile one scope=result:all "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'")
	local one
	one=$(token --profile one)
	token --profile sypht
	ask erase < <(for_api)
	refute [ "$(token --profile one)" = "$one" ]
	token --profile sypht
	assert_token_requests 4
}

@test "erase: clears what is remembered of a failure" {
	faults '{"token": {"status": 400}}'
	ask token
	assert_refused 1 'HTTP status 400'
	ask erase < <(for_api)
	assert_issued "$(token)"
}

@test "erase: with nothing there is no complaint, and nothing is made" {
	ask erase < <(for_api)
	assert_silence
	assert_file_not_exist "$(cache_directory)"
	ask erase < <(for_endpoint)
	assert_silence
	assert_file_not_exist "$XDG_CONFIG_HOME/sypht"
}

@test "erase: waits for a mint under way, and drops what it brought" {
	faults '{"token": {"delay_ms": 300}}'
	"$BUILD/sypht-credential" token >first 3>&- &
	wait_until requested
	ask erase < <(for_api)
	assert_silence
	wait $!
	assert_issued "$(<first)"
	refute [ "$(token)" = "$(<first)" ]
}

requested() {
	[ "$(token_requests)" -gt 0 ]
}

@test "erase: malformed input is refused and drops nothing" {
	local current
	current=$(token)
	ask erase < <(for_api | sed '1s/https/ht\rtps/')
	assert_refused 2 'line 1'
	ask erase < <(description protocol=https)
	assert_refused 2 'no protocol, or no host'
	assert_equal "$(token)" "$current"
}

@test "store and erase: lines may end in CR LF" {
	local current
	current=$(token)
	ask erase < <(for_api | sed 's/$/\r/')
	assert_silence
	refute [ "$(token)" = "$current" ]
	unset SYPHT_API_KEY
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET" | sed 's/$/\r/')
	assert_silence
	token
}

# store at the API -------------------------------------------------------------------------------

@test "store: a token that came from us is not stored again" {
	local current
	current=$(token)
	ask store < <(for_api capability[]=authtype authtype=Bearer "credential=$current" ephemeral=1)
	assert_silence
	ask store < <(for_api username=oauth2 password=planted)
	assert_silence
	assert_equal "$(token)" "$current"
	assert_file_not_exist "$XDG_CONFIG_HOME/sypht"
}

@test "store: what belongs to a host of nobody's is not kept" {
	ask store < <(description protocol=https host=elsewhere.example username=me password=secret)
	assert_silence
	ask get < <(description protocol=https host=elsewhere.example username=me)
	assert_silence
	refute grep -rqs secret "$HOME"
}

# store at the token endpoint --------------------------------------------------------------------

@test "store: client credentials for the token endpoint's host are kept, and used" {
	unset SYPHT_API_KEY
	ask token
	assert_refused 1 'no client credentials' 'sypht-credential login'
	store_usual
	assert_issued "$(token)"
}

@test "store: what is kept is for its owner's eyes only, whatever the umask" {
	umask 0
	store_usual
	assert_equal "$(mode_of "$(kept sypht)")" 600
	assert_equal "$(mode_of "$(dirname "$(kept sypht)")")" 700
}

@test "store: replaces what was kept, and drops the token that came of it" {
	local first
	unset SYPHT_API_KEY
	store_usual
	first=$(token)
	ask store < <(for_endpoint "username=$(client_id JWT)" "password=$(client_secret JWT)")
	assert_silence
	refute [ "$(token)" = "$first" ]
	assert_contains "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS" | tail -n 1)" "client_id=$(client_id JWT)"
}

@test "store: credentials without a user or without a password are not kept" {
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID")
	ask store < <(for_endpoint password=secret)
	ask store < <(for_endpoint username= password=secret)
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=)
	assert_silence
	assert_file_not_exist "$(kept sypht)"
}

@test "store: a profile does not take the credentials of another client of its endpoint" {
	unset SYPHT_API_KEY
	configure < <(profile one; profile two | sed "s/^client_id.*/client_id = $(client_id JWT)/")
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	assert_silence
	assert_file_exist "$(kept one)"
	assert_file_exist "$(kept sypht)"
	assert_file_not_exist "$(kept two)"

	ask --profile two store < <(for_endpoint username=third password=secret)
	assert_refused 1 "profile 'two' is for client $(client_id JWT)"
}

@test "store: stored credentials of another client are not used, and said to be another's" {
	unset SYPHT_API_KEY
	store_usual
	export SYPHT_CLIENT_ID=another
	ask token
	assert_refused 1 another "$SANDBOX_CLIENT_ID"
	assert_token_requests 0
}

@test "store: a profile that was pointed at another endpoint does not take the secret along" {
	unset SYPHT_API_KEY
	store_usual
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_BYSTANDER/oauth2/token
	ask token
	assert_refused 1 'no client credentials'
	assert_equal "$(bystander_requests)" 0

	SYPHT_AUTH_ENDPOINT=$SANDBOX_ISSUER/another/path ask token
	assert_refused 1 invalid_request
}

@test "store: two names of which one is the other's half-written file do not meet" {
	configure < <(profile a; profile a.new)
	ask --profile a.new store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=new)
	ask --profile a store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=old)
	assert_contains "$(<"$(kept a)")" password=old
	assert_contains "$(<"$(kept a.new)")" password=new
}

@test "store: many at once leave one of what they stored, whole" {
	local n stores=()
	unset SYPHT_API_KEY
	takes_all
	for n in {1..40}; do
		"$BUILD/sypht-credential" store < <(for_endpoint "username=client-$n" \
			"password=$(printf "%0$((n * 100))d" "$n")") 3>&- &
		stores+=($!)
	done
	wait "${stores[@]}"
	n=$(sed -n 's/^username=client-//p' "$(kept sypht)")
	assert_equal "$(sed -n 's/^password=//p' "$(kept sypht)")" "$(printf "%0$((n * 100))d" "$n")"
	assert_equal "$(ls -A "$(dirname "$(kept sypht)")")" sypht
}

@test "store: a folder that others can enter is refused, with the remedy" {
	store_usual
	chmod 711 "$(dirname "$(kept sypht)")"
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=another)
	assert_refused 1 "run: chmod 700 '$(dirname "$(kept sypht)")'"
	refute_contains "$(<"$(kept sypht)")" another
}

@test "store: what works is not replaced by what the endpoint refuses" {
	unset SYPHT_API_KEY
	store_usual
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=wrong)
	assert_refused 1 invalid_client
	refute_contains "$(<"$(kept sypht)")" wrong
	assert_issued "$(token)"
}

@test "store: what replaces something comes with the token it was proved by" {
	unset SYPHT_API_KEY
	store_usual
	token >/dev/null
	store_usual
	token >/dev/null
	assert_token_requests 2
}

@test "store: a full disk leaves what was kept before" {
	small_disk "$XDG_CONFIG_HOME/sypht"
	store_usual
	fill_disk "$XDG_CONFIG_HOME/sypht"
	takes_all
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$(printf '%05000d' 0)")
	assert_refused 1 "cannot write $XDG_CONFIG_HOME/sypht/credentials/sypht: No space left on device"
	unset SYPHT_API_KEY
	assert_issued "$(token)"
}

# erase at the token endpoint --------------------------------------------------------------------

@test "erase: at the token endpoint what was stored is dropped, its tokens too" {
	unset SYPHT_API_KEY
	store_usual
	token >/dev/null
	ask erase < <(for_endpoint)
	assert_silence
	assert_file_not_exist "$(kept sypht)"
	ask token
	assert_refused 1 'no client credentials'
}

@test "erase: at the token endpoint every field that is given must be equal" {
	store_usual
	ask erase < <(for_endpoint username=somebody)
	ask erase < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=another)
	assert_file_exist "$(kept sypht)"
	ask erase < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	assert_file_not_exist "$(kept sypht)"
}

@test "erase: at the token endpoint secrets that are configured elsewhere stay" {
	(umask 077 && printf %s "$SANDBOX_CLIENT_SECRET" >secret)
	configure < <(profile sypht "client_secret_file = $PWD/secret")
	unset SYPHT_API_KEY
	ask erase < <(for_endpoint)
	assert_silence
	assert_issued "$(token)"
}
