#!/usr/bin/env bats
# What all processes of a user remember about one token: how the last try to get one failed, which
# token the API refused, and who renews it.

load ../lib/suite
load ../lib/helper

requested() {
	[ "$(token_requests)" -ge "$1" ]
}

# get_echo: one request to the API by a process under the plugin; its HTTP status is the output.
get_echo() {
	under curl -sS -o /dev/null -w '%{http_code}' "$SANDBOX_API/echo/1"
	assert_status 0
}

# refuse TOKEN: tell the helper, as git does, that the API refused it.
refuse() {
	ask erase < <(for_api capability[]=authtype authtype=Bearer "credential=$1")
	assert_silence
}

# with_secret_file ID:SECRET: a profile without a client id, whose secret is in ./secret.
with_secret_file() {
	unset SYPHT_API_KEY
	configure < <(profile sypht "client_secret_file = $PWD/secret" | sed /client_id/d)
	put_secret "$1"
}

put_secret() {
	(umask 077 && printf '%s\n' "$1" >secret)
}

good() {
	printf '%s:%s\n' "$(client_id "${1:-}")" "$(client_secret "${1:-}")"
}

# The API refuses ---------------------------------------------------------------------------------

@test "refused tokens: the first refusal is healed at once, the second waits" {
	local first second
	first=$(token)
	refuse "$first"
	second=$(token)
	refute [ "$second" = "$first" ]
	refuse "$second"
	age state -20
	ask token
	assert_refused 1 "refuses even fresh tokens of profile 'sypht'" 'the next is fetched in '
	assert_token_requests 2
}

@test "refused tokens: the wait grows from five seconds to a minute while it goes on" {
	local seconds current later
	current=$(token)
	refuse "$current"
	for seconds in 5 10 20 40 60 60; do
		current=$(token)
		refuse "$current"
		# time enough for a busy machine
		later=$((seconds < 40 ? 20 : 0))
		age state -$later
		ask token
		assert_refused 1 'refuses even fresh tokens'
		assert_equal "$(($(sed -n 's/^replace_from=//p' "$(entry state)") - $(date +%s) + 20 >= seconds))" 1
		age state "$((seconds + later))"
	done
	assert_token_requests 7
}

@test "refused tokens: after a quiet time the next refusal is a first one again" {
	refuse "$(token)"
	token >/dev/null
	age state 11
	refuse "$(token)"
	assert_issued "$(token)"
	assert_token_requests 3
}

@test "refused tokens: 20 processes that loop over erase and get cost two token requests" {
	local start=$SECONDS
	token >/dev/null
	loop() {
		local current
		for _ in 1 2 3; do
			current=$("$BUILD/sypht-credential" token) || return 0
			for_api "credential=$current" capability[]=authtype | "$BUILD/sypht-credential" erase
		done
	}
	herd 20 loop
	# under load the loops may take longer than the pause
	(($(token_requests) <= 2 + (SECONDS - start) / 5)) || fail "$(token_requests) token requests"
}

@test "refused tokens: one-request processes under the plugin cost two token requests" {
	faults '{"api": {"status": 401, "headers": {"www-authenticate": "Bearer error=\"invalid_token\""}, "times": "all"}}'
	local start=$SECONDS
	for _ in 1 2 3 4 5 6; do
		get_echo
		assert_output 401
	done
	(($(token_requests) <= 2 + (SECONDS - start) / 5)) || fail "$(token_requests) token requests"
}

@test "refused tokens: a token that one process had replaced serves the next one" {
	token >/dev/null
	revoke_tokens
	get_echo
	assert_output 200
	get_echo
	assert_output 200
	assert_token_requests 2
}

@test "refused tokens: each that had worked is replaced at once, however soon" {
	token >/dev/null
	for _ in 1 2 3; do
		revoke_tokens
		get_echo
		assert_output 200
	done
	assert_token_requests 4
}

@test "refused tokens: git's store says that the replacement works" {
	refuse "$(token)"
	ask store < <(for_api capability[]=authtype authtype=Bearer "credential=$(token)")
	assert_silence
	refuse "$(token)"
	assert_issued "$(token)"
	assert_token_requests 3
}

@test "refused tokens: the record holds too little of a token to tell which one it was" {
	local current
	current=$(token)
	refuse "$current"
	refute grep -qF "$current" "$(entry state)"
	[[ $(sed -n 's/^refused=//p' "$(entry state)") =~ ^[0-9a-f]{8}$ ]]
}

# The endpoint refuses ----------------------------------------------------------------------------

@test "failures: a refused secret is asked again after 5, 10, 20 and at last 300 seconds" {
	local seconds requests=0
	with_secret_file "$SANDBOX_CLIENT_ID:wrong"
	for seconds in 5 10 20 40 80 160 300 300; do
		ask token
		assert_refused 1 invalid_client
		refute_contains "$stderr" 'asked less than'
		requests=$((requests + 1))
		ask token
		assert_refused 1 "(asked less than $seconds s ago)"
		age state "$seconds"
	done
	assert_token_requests $requests
}

@test "failures: a changed secret is asked with at once" {
	with_secret_file "$SANDBOX_CLIENT_ID:wrong"
	ask token
	assert_refused 1 invalid_client
	put_secret "$(good)"
	assert_issued "$(token)"
}

@test "failures: files from the future do not void what is remembered" {
	with_secret_file "$SANDBOX_CLIENT_ID:wrong"
	touch -d '+1 hour' secret "$XDG_CONFIG_HOME/sypht/config"
	ask token
	assert_refused 1 invalid_client
	ask token
	assert_refused 1 '(asked less than 5 s ago)'
	assert_token_requests 1
}

@test "failures: Retry-After is obeyed for longer than five seconds, and for five minutes at most" {
	local asked expected
	for asked in 60 3600; do
		rm -rf "$(cache_directory)"
		expected=$((asked > 300 ? 300 : asked))
		faults "{\"token\": {\"status\": 429, \"headers\": {\"retry-after\": \"$asked\"}, \"times\": \"all\"}}"
		SYPHT_TIMEOUT=2 ask token
		assert_status 1
		SYPHT_TIMEOUT=2 ask token
		assert_refused 1 "(asked less than $expected s ago)"
	done
}

@test "failures: the right SYPHT_API_KEY works at once after a wrong one" {
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask token
	assert_refused 1 invalid_client
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask token
	assert_refused 1 '(asked less than 5 s ago)'
	assert_issued "$(token)"
}

@test "failures: the right SYPHT_CAINFO works at once after a wrong one" {
	local right=$SYPHT_CAINFO
	unset SYPHT_CAINFO CURL_CA_BUNDLE
	SYPHT_TIMEOUT=2 ask token
	assert_status 1
	export SYPHT_CAINFO=$right SYPHT_TIMEOUT=2
	assert_issued "$(token)"
}

@test "failures: a CA bundle that was mended works at once" {
	cp "$SYPHT_CAINFO" right
	export SYPHT_CAINFO=$PWD/bundle CURL_CA_BUNDLE=$PWD/bundle SYPHT_TIMEOUT=5
	: >bundle
	ask token
	assert_status 1
	cp right bundle
	assert_issued "$(token)"
}

# sum_under SECRET VARIABLE=VALUE…: what the record of a failure keeps of the environment.
sum_under() {
	rm -rf "$(cache_directory)"
	SYPHT_API_KEY=$SANDBOX_CLIENT_ID:$1 env "${@:2}" sypht-credential token >/dev/null 2>&1 || true
	sed -n 's/^environment=//p' "$(entry state)"
}

@test "failures: records of several environments say no more about the secret than one" {
	local one other sums=()
	for variable in no_proxy=x no_proxy=y SYPHT_TIMEOUT=9; do
		one=$(sum_under wrong-one "$variable")
		other=$(sum_under wrong-other "$variable")
		[ "$one" -lt 4096 ] && [ "$one" != "$other" ] || fail "$one, $other"
		sums+=($((one ^ other)))
	done
	assert_equal "${sums[*]}" "${sums[0]} ${sums[0]} ${sums[0]}"
}

@test "failures: no_proxy works at once after a proxy that is not there" {
	https_proxy=http://127.0.0.1:1 SYPHT_TIMEOUT=5 ask token
	assert_status 1
	export https_proxy=http://127.0.0.1:1 no_proxy=127.0.0.1,localhost SYPHT_TIMEOUT=5
	assert_issued "$(token)"
}

@test "failures: nothing of the secret is in the record" {
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID:h0rse_battery_staple
	ask token
	assert_status 1
	refute grep -q h0rse "$(entry state)"
	# too little for anybody to check a guess by
	(($(sed -n 's/^environment=//p' "$(entry state)") < 4096))
}

@test "failures: what older versions have left is removed" {
	local stem
	token >/dev/null
	stem=$(entry token)
	stem=${stem%.token}
	touch "$stem.failed" "$stem.serial"
	rm "$stem.token"
	token >/dev/null
	assert_file_not_exist "$stem.failed"
	assert_file_not_exist "$stem.serial"
}

# Another client ----------------------------------------------------------------------------------

@test "clients: a secret file that names another client leads to another token" {
	local first
	with_secret_file "$(good)"
	first=$(token)
	put_secret "$(good JWT)"
	refute [ "$(token)" = "$first" ]
	assert_contains "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS" | tail -n 1)" "client_id=$(client_id JWT)"
	put_secret "$(good)"
	get_echo
	assert_output 200
	assert_contains "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS" | tail -n 1)" "client_id=$SANDBOX_CLIENT_ID"
}

@test "clients: as long as the secret file stays as it is its token is served" {
	with_secret_file "$(good)"
	assert_equal "$(token)" "$(token)"
	get_echo
	assert_output 200
	assert_token_requests 1
}

@test "clients: a command that is another one in the config leads to another token" {
	unset SYPHT_API_KEY
	configure < <(profile sypht "client_secret_command = echo $(good)" | sed /client_id/d)
	token >/dev/null
	configure < <(profile sypht "client_secret_command = echo $(good JWT)" | sed /client_id/d)
	token >/dev/null
	assert_contains "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS" | tail -n 1)" "client_id=$(client_id JWT)"
}

@test "clients: with a client id in the config a new secret costs no token request" {
	unset SYPHT_API_KEY
	configure < <(profile sypht "client_secret_file = $PWD/secret")
	put_secret "$SANDBOX_CLIENT_SECRET"
	token >/dev/null
	put_secret "$SANDBOX_CLIENT_SECRET"
	token >/dev/null
	assert_token_requests 1
}

# Renewal -----------------------------------------------------------------------------------------

@test "renewal: one-request processes start it, and only the first of them ever waits" {
	local lives current
	export SYPHT_TRACE=$TMPDIR/trace
	get_echo
	for lives in 1 2 3; do
		current=$(sed -n 's/^credential=//p' "$(entry token)")
		age token 3300
		faults '{"token": {"delay_ms": 2000}}'
		get_echo
		assert_output 200
		get_echo
		assert_output 200
		wait_until requested $((lives + 1))
		settle
		refute [ "$(sed -n 's/^credential=//p' "$(entry token)")" = "$current" ]
	done
	assert_token_requests 4
	assert_equal "$(grep -c 'renewing in the background' trace)" 3
	assert_equal "$(requests 'select(.server == "api" and .status != 200)')" ''
}

@test "renewal: in the last minute the token is served where no other can be had" {
	local current
	current=$(token)
	age token 3550
	faults '{"token": {"status": 400, "times": "all"}}'
	ask token
	assert_output "$current"
	assert_empty "$stderr"
	ask get < <(for_api capability[]=authtype)
	assert_attribute credential "$current"
	assert_attribute password_expiry_utc "$(sed -n 's/^expires=//p' "$(entry token)")"
	get_echo
	assert_output 200
	age token 60
	ask token
	assert_refused 1 'HTTP status 400'
}

@test "renewal: in the last minute nobody waits for an endpoint for longer than the token lives" {
	local current
	current=$(token)
	age token 3588
	faults '{"token": {"delay_ms": 20000, "times": "all"}}'
	ask token
	assert_status 0
	assert_output "$current"
}

@test "renewal: a token that was refused is not served in its last minute" {
	local current
	current=$(token)
	age token 3550
	refuse "$current"
	faults '{"token": {"status": 400, "times": "all"}}'
	ask token
	assert_refused 1 'HTTP status 400'
}

@test "renewal: happens in the root directory, and finds what relative paths mean" {
	local renewal
	cp "$SYPHT_CAINFO" bundle
	export SYPHT_CAINFO=bundle
	(umask 077 && printf %s "$SANDBOX_CLIENT_SECRET" >secret)
	unset SYPHT_API_KEY
	configure < <(profile sypht 'client_secret_file = ./secret')
	token >/dev/null
	age token 3300
	faults '{"token": {"delay_ms": 3000}}'
	token >/dev/null
	wait_until requested 2
	for renewal in $(pgrep -x sypht-credentia); do readlink "/proc/$renewal/cwd" || true; done >directories
	grep -qx / directories
	settle
	assert_token_requests 2
}

@test "renewal: a cache that takes nothing is not paid for with a token request a call" {
	local current
	small_disk "$(cache_directory)"
	current=$(token)
	fill_disk "$mounted"
	file=$(entry token)
	shift_times 3300 <"$file" >aged
	cat aged >"$file"
	for _ in 1 2 3; do
		assert_equal "$(token)" "$current"
		settle
		get_echo
		assert_output 200
	done
	assert_token_requests 1
}

@test "cache: a token file that cannot be replaced costs the caching, and is not said to be dropped" {
	needs_root 'mount a file'
	local file
	token >/dev/null
	age token 4000
	file=$(entry token)
	mount --bind "$file" "$file" || skip_allowed 'no mounts here'
	mounted=$file
	ask token
	assert_issued "$output"
	assert_empty "$stderr"
	ask erase "$SANDBOX_API"
	assert_refused 1 'cannot remove' "${file##*/}" busy
	try sypht-credential logout
	assert_refused 1 'no client credentials were kept, but cannot remove'
	umount "$file"
	mounted=
	ask erase "$SANDBOX_API"
	assert_status 0
}

@test "renewal: a cache that is read-only is not paid for with a token request a call" {
	local current
	small_disk "$(cache_directory)"
	current=$(token)
	age token 3300
	mount -o remount,ro "$mounted"
	for _ in 1 2 3; do assert_equal "$(token)" "$current"; done
	assert_token_requests 1
}
