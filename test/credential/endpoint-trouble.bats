#!/usr/bin/env bats
# Whatever the token endpoint does: a reason in one line, exit status 1, nothing on stdout, in
# bounded time, after as many requests as it is worth, and no harm to a token that still lives.

load ../lib/suite
load ../lib/helper

# answers BODY [MEMBER…]: the endpoint's answer from now on, and other members of the fault.
answers() {
	local body=$1
	shift
	faults "$(jq -cn --arg body "$body" \
		'{token: ({body: $body, times: "all"} + ($ARGS.positional | map(fromjson) | add // {}))}' \
		--args "$@")"
}

# grants MEMBERS: a good answer but for these members.
grants() {
	answers "$(jq -c '{access_token: "a-token", token_type: "Bearer", expires_in: 3600} + .' <<<"$1")"
}

# peer MODE…: start test/drivers/peer.py; peer_port is where it listens.
peer() {
	mkfifo peer.stdin
	"$ROOT/test/drivers/peer.py" "$@" <peer.stdin >peer.port 3>&- &
	exec 7>peer.stdin
	wait_until test -s peer.port
	peer_port=$(<peer.port)
}

teardown() {
	exec 7>&-
}

traced() {
	export SYPHT_TRACE=$TMPDIR/trace
}

# How many attempts the trace tells of.
assert_attempts() {
	assert_equal "$(grep -c 'try [0-9]' "$SYPHT_TRACE") attempts" "$1 attempts"
}

# No connection, or one that breaks ----------------------------------------------------------------

@test "endpoint: a refused connection is tried three times more" {
	traced
	export SYPHT_AUTH_ENDPOINT=https://127.0.0.1:1/oauth2/token
	timed ask token
	assert_refused 1 https://127.0.0.1:1/oauth2/token 'Failed to connect'
	assert_attempts 4
	assert_took_less 10000
}

@test "endpoint: a name that does not resolve is named" {
	export SYPHT_AUTH_ENDPOINT=https://nowhere.invalid/oauth2/token SYPHT_TIMEOUT=2
	timed ask token
	assert_refused 1 nowhere.invalid
	assert_took_less 6000
}

@test "endpoint: a resolver that does not answer is named, inside SYPHT_TIMEOUT" {
	unshare -m true 2>/dev/null || skip_allowed 'no mount namespace here'
	echo 'nameserver 127.0.0.53' >resolv.conf
	export SYPHT_AUTH_ENDPOINT=https://nowhere.example/oauth2/token SYPHT_TIMEOUT=1
	export PWD BUILD
	# shellcheck disable=SC2016  # the inner shell's
	timed try unshare -m -n sh -ec '
		mount --bind "$PWD/resolv.conf" /etc/resolv.conf
		ip link set lo up 2>/dev/null || ifconfig lo up
		python3 -c "import socket, time
silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind((\"127.0.0.53\", 53))
open(\"ready\", \"w\")
time.sleep(60)" 3>&- &
		trap "kill $!" EXIT
		until [ -e ready ]; do sleep 0.02; done
		"$BUILD/sypht-credential" token'
	assert_refused 1 'https://nowhere.example/oauth2/token: no DNS answer in time'
	assert_took_less 8000
}

@test "endpoint: a black hole costs SYPHT_TIMEOUT and no more" {
	peer silent
	export SYPHT_AUTH_ENDPOINT=https://127.0.0.1:$peer_port/oauth2/token SYPHT_TIMEOUT=1
	timed ask token
	assert_refused 1 "https://127.0.0.1:$peer_port" 'no answer in time'
	[ "$took_ms" -ge 900 ]
	assert_took_less 5000
}

@test "endpoint: an answer that does not come costs SYPHT_TIMEOUT and no more" {
	faults '{"token": {"delay_ms": 60000, "times": "all"}}'
	SYPHT_TIMEOUT=1 timed ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" 'no answer in time'
	[ "$took_ms" -ge 900 ]
	assert_took_less 5000
	assert_token_requests 1
}

@test "endpoint: an answer that comes in drips costs SYPHT_TIMEOUT and no more" {
	faults '{"token": {"drip_ms": 200, "times": "all"}}'
	SYPHT_TIMEOUT=1 timed ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" 'no answer in time'
	[ "$took_ms" -ge 900 ]
	assert_took_less 5000
}

@test "endpoint: a connection that is reset is tried three times more" {
	faults '{"token": {"reset": true, "times": "all"}}'
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" reset
	assert_token_requests 4
}

@test "endpoint: a connection that is closed without an answer is tried three times more" {
	faults '{"token": {"close": true, "times": "all"}}'
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL"
	assert_token_requests 4
}

@test "endpoint: half a token is no token" {
	faults '{"token": {"truncate": 30, "times": "all"}}'
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL"
	assert_token_requests 4
}

@test "endpoint: something that is not HTTP is no answer" {
	peer nonsense
	export SYPHT_AUTH_ENDPOINT=http://127.0.0.1:$peer_port/oauth2/token
	ask token
	assert_refused 1 "http://127.0.0.1:$peer_port/oauth2/token"
}

# TLS ------------------------------------------------------------------------------------------

@test "endpoint: a certificate that nobody vouches for is refused at once" {
	traced
	unset SYPHT_CAINFO CURL_CA_BUNDLE
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" certificate
	assert_attempts 1
	assert_token_requests 0
}

@test "endpoint: a certificate for another host is refused at once" {
	traced
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other.example \
		-addext subjectAltName=DNS:other.example -keyout pem -out certificate 2>/dev/null
	cat certificate >>pem
	peer tls pem TLSv1_3
	export SYPHT_AUTH_ENDPOINT=https://127.0.0.1:$peer_port/oauth2/token SYPHT_CAINFO=$PWD/certificate
	ask token
	assert_refused 1 'SSL'
	assert_attempts 1
}

@test "endpoint: TLS before 1.2 is refused, though OpenSSL would allow it" {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 -keyout pem -out certificate 2>/dev/null
	cat certificate >>pem
	cat >openssl.conf <<-'END'
		openssl_conf = init
		[init]
		ssl_conf = ssl
		[ssl]
		system_default = all
		[all]
		MinProtocol = TLSv1
		CipherString = ALL:@SECLEVEL=0
	END
	peer tls pem TLSv1_1
	export OPENSSL_CONF=$PWD/openssl.conf
	try plain_curl --cacert certificate "https://127.0.0.1:$peer_port/"
	assert_contains "$stderr" HTTP/0.9 # so far it came

	export SYPHT_AUTH_ENDPOINT=https://127.0.0.1:$peer_port/oauth2/token
	SYPHT_CAINFO=$PWD/certificate SYPHT_TIMEOUT=1 ask token
	assert_refused 1 "https://127.0.0.1:$peer_port" 'protocol version'
}

@test "endpoint: a server without TLS is no token endpoint" {
	export SYPHT_AUTH_ENDPOINT=https://${SANDBOX_API_HTTP#http://}/oauth2/token
	ask token
	assert_refused 1 "$SYPHT_AUTH_ENDPOINT" SSL
}

@test "endpoint: a CA bundle that is not there is named" {
	export SYPHT_CAINFO=$PWD/missing.pem
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" missing.pem
	assert_token_requests 0
}

@test "endpoint: the CA bundle is SYPHT_CAINFO, else CURL_CA_BUNDLE, else SSL_CERT_FILE" {
	unset SYPHT_CAINFO
	export CURL_CA_BUNDLE=$SANDBOX_CA SSL_CERT_FILE=/nowhere
	assert_issued "$(token)"
	unset CURL_CA_BUNDLE
	export SSL_CERT_FILE=$SANDBOX_CA SYPHT_CACHE_DIR=$TMPDIR/second
	assert_issued "$(token)"
}

# Refusals and bad moments -----------------------------------------------------------------------

@test "endpoint: a wrong secret is invalid_client, and asked about once" {
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" invalid_client
	assert_token_requests 1
}

@test "endpoint: a scope that is not to be had is refused in the server's words" {
	answers '{"error": "invalid_scope", "error_description": "no such scope"}' '{"status": 400}'
	ask token
	assert_refused 1 'invalid_scope: no such scope'
	assert_token_requests 1
}

@test "endpoint: no other 4xx is asked about twice" {
	local code requests=0
	for code in 400 401 403 404 405 408 410 418 422 451; do
		faults "{\"token\": {\"status\": $code, \"times\": \"all\"}}"
		SYPHT_CACHE_DIR=$TMPDIR/$code ask token
		assert_refused 1 "$SANDBOX_TOKEN_URL" "HTTP status $code"
		assert_token_requests $((++requests))
	done
}

@test "endpoint: 500, 502, 503 and 504 are tried three times more" {
	local code requests=0
	for code in 500 502 503 504; do
		faults "{\"token\": {\"status\": $code, \"times\": \"all\"}}"
		SYPHT_CACHE_DIR=$TMPDIR/$code ask token
		assert_refused 1 "$SANDBOX_TOKEN_URL" "HTTP status $code"
		assert_token_requests $((requests += 4))
	done
}

@test "endpoint: a bad moment costs a second request, and nobody else notices" {
	local fault requests=0
	for fault in '"status": 503' '"status": 429' '"reset": true' '"close": true' '"truncate": 10'; do
		faults "{\"token\": {$fault, \"times\": 1}}"
		SYPHT_CACHE_DIR=$TMPDIR/${fault//[^a-z0-9]/} ask token
		assert_status 0
		assert_empty "$stderr"
		assert_issued "$output"
		assert_token_requests $((requests += 2))
	done
}

# The times of the token requests, in milliseconds, a line each.
times_of_requests() {
	local time
	jq -r .time "$SANDBOX_TOKEN_REQUESTS" | while read -r time; do date -d "$time" +%s%3N; done
}

@test "endpoint: Retry-After in seconds is obeyed" {
	local times
	faults '{"token": {"status": 429, "headers": {"Retry-After": "1"}}}'
	ask token
	assert_issued "$output"
	mapfile -t times < <(times_of_requests)
	[ $((times[1] - times[0])) -ge 990 ]
}

@test "endpoint: Retry-After as a date is obeyed" {
	local date times
	date=$(($(date +%s) + 2))
	faults "{\"token\": {\"status\": 503, \"headers\": {\"Retry-After\": \"$(date -u -d @$date '+%a, %d %b %Y %T GMT')\"}}}"
	ask token
	assert_issued "$output"
	mapfile -t times < <(times_of_requests)
	[ "${times[1]}" -ge $((date * 1000 - 10)) ]
}

@test "endpoint: Retry-After beyond the time there is ends the waiting at once" {
	local after
	for after in 60 9223372036854775807 99999999999999999999999 'Wed, 01 Jan 3000 00:00:00 GMT'; do
		faults "{\"token\": {\"status\": 429, \"headers\": {\"Retry-After\": \"$after\"}, \"times\": \"all\"}}"
		SYPHT_CACHE_DIR=$TMPDIR/$after timed ask token
		assert_refused 1 'HTTP status 429'
		assert_took_less 8000
	done
}

@test "endpoint: Retry-After that makes no sense is passed over" {
	local after
	for after in -1 soon '' 0; do
		faults "{\"token\": {\"status\": 429, \"headers\": {\"Retry-After\": \"$after\"}}}"
		SYPHT_CACHE_DIR=$TMPDIR/x$after timed ask token
		assert_issued "$output"
		assert_took_less 8000
	done
}

@test "endpoint: retries end with SYPHT_TIMEOUT" {
	faults '{"token": {"status": 503, "delay_ms": 700, "times": "all"}}'
	SYPHT_TIMEOUT=1 timed ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL"
	assert_took_less 5000
}

@test "endpoint: a redirect is not followed, to nowhere and with no status" {
	local code requests=0
	for code in 301 302 303 307 308; do
		faults "{\"token\": {\"status\": $code, \"headers\": {\"Location\": \"$SANDBOX_BYSTANDER/\"}, \"times\": \"all\"}}"
		SYPHT_CACHE_DIR=$TMPDIR/$code ask token
		assert_refused 1 "$SANDBOX_TOKEN_URL" "HTTP status $code" 'redirects are not followed'
		assert_token_requests $((++requests))
	done
	assert_equal "$(bystander_requests)" 0
}

@test "endpoint: a plain http endpoint on this machine is not asked through a proxy" {
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_API_HTTP/oauth2/token http_proxy=$SANDBOX_BYSTANDER_HTTP
	export all_proxy=$SANDBOX_BYSTANDER_HTTP
	ask token
	assert_refused 1 "$SYPHT_AUTH_ENDPOINT"
	assert_equal "$(bystander_requests) $(api_requests)" '0 1'
}

@test "endpoint: an https endpoint is asked through the proxy that the environment names" {
	export https_proxy=http://127.0.0.1:1
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" 'Failed to connect'
	assert_token_requests 0
}

@test "endpoint: a long URL leaves room for the reason" {
	SYPHT_AUTH_ENDPOINT="$SANDBOX_TOKEN_URL?$(printf %0300d 0)" SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" invalid_client
}

# Answers ----------------------------------------------------------------------------------------

@test "endpoint: an error decides, whatever the status" {
	answers '{"error": "temporarily_unavailable", "access_token": "a-token", "token_type": "Bearer"}'
	ask token
	assert_refused 1 temporarily_unavailable
	assert_token_requests 1
}

@test "endpoint: an error that is null or empty is none" {
	local error
	for error in null '""'; do
		grants "{\"error\": $error, \"error_description\": \"\"}"
		SYPHT_CACHE_DIR=$TMPDIR/$error ask token
		assert_output a-token
		assert_empty "$stderr"
	done
	answers '{"error": null}'
	ask token
	assert_refused 1 'no access_token'
}

@test "endpoint: an error that is no text still decides" {
	local error
	for error in 5 '{}' '[]' true false; do
		grants "{\"error\": $error}"
		SYPHT_CACHE_DIR=$TMPDIR/$error ask token
		assert_refused 1 "$SANDBOX_TOKEN_URL" error
	done
}

@test "endpoint: what the server says cannot paint the terminal, nor fill it" {
	answers "$(jq -cn '{error: "in\u001bvalid\nclient\u009b", error_description: ("\u007f\r\n\t" + "x" * 5000)}')" '{"status": 400}'
	ask token
	assert_refused 1 'in?valid?client' 'xxx'
	[ "${#stderr}" -lt 300 ]
	refute_contains "$stderr" $'\u009b'
}

# is_clean TEXT: valid UTF-8 without control characters, those of Unicode's bidirectional text among
# them.
is_clean() {
	python3 -c '
import sys, unicodedata
text = sys.argv[1].encode("utf-8", "surrogateescape").decode("utf-8")
sys.exit(any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(c) in
             ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI") for c in text))' "$1"
}

@test "endpoint: what the server says is cut between characters, and what is no UTF-8 replaced" {
	local pad
	for pad in '' xx; do
		answers "$(jq -cn --arg pad "$pad" '{error: "no", error_description: ($pad + "\u20ac\ud83d\ude00" * 200)}')" '{"status": 400}'
		SYPHT_CACHE_DIR=$TMPDIR/x$pad ask token
		assert_refused 1 $'\u20ac'
		is_clean "$stderr"
		refute_contains "${stderr#*"$SANDBOX_TOKEN_URL"}" '?'
		answers "$(jq -cn --arg pad "$pad" '{error: ($pad + "\u20ac" * 200)}')" '{"status": 400}'
		SYPHT_CACHE_DIR=$TMPDIR/y$pad ask token
		is_clean "$stderr"
	done
	answers "$(jq -cn '{error: "a\u202eb\u2066c\u2028d\u0085e"}')" '{"status": 400}'
	SYPHT_CACHE_DIR=$TMPDIR/bidi ask token
	assert_refused 1 'a?b?c?d?e'
	peer refuses $'{"error": "a\xff\xc3(\xed\xa0\x80b"}'
	export SYPHT_AUTH_ENDPOINT=http://127.0.0.1:$peer_port/oauth2/token
	ask token
	assert_refused 1 'a??(???b'
	is_clean "$stderr"
}

@test "endpoint: a refusal names the HTTP status, and Retry-After" {
	answers '{"error": "slow_down", "error_description": "too many"}' \
		'{"status": 429, "headers": {"Retry-After": "120"}}'
	ask token
	assert_refused 1 'slow_down: too many (HTTP status 429, Retry-After 120 s)'
	faults '{"token": {"status": 503, "headers": {"Retry-After": "60"}, "times": "all"}}'
	SYPHT_CACHE_DIR=$TMPDIR/plain ask token
	assert_refused 1 'HTTP status 503, Retry-After 60 s'
	answers "$(jq -cn '{error: "invalid_client", error_description: ("x" * 500)}')" '{"status": 401}'
	SYPHT_CACHE_DIR=$TMPDIR/long ask token
	assert_refused 1 'xxx (HTTP status 401); check the client secret and auth_method'
	answers nonsense
	SYPHT_CACHE_DIR=$TMPDIR/nonsense ask token
	assert_refused 1 'HTTP status 200'
}

@test "endpoint: a secret that it repeats is hidden, in reasons, traces, scopes and the cache" {
	local pair
	pair=$(printf %s "$SYPHT_API_KEY" | base64 -w 0)
	answers "$(jq -cn --arg pair "$pair" '{error: ("see " + $pair), error_description: $ENV.SYPHT_API_KEY}')" '{"status": 400}'
	SYPHT_TRACE=1 ask token
	assert_contains "$stderr" 'see ****: '
	refute_contains "$stderr" "$pair"
	refute_contains "$stderr" "$SANDBOX_CLIENT_SECRET"

	export SYPHT_CACHE_DIR=$TMPDIR/second
	grants "$(jq -cn --arg pair "$pair" '{scope: ("result:all " + $pair + " " + $ENV.SANDBOX_CLIENT_SECRET)}')"
	ask token
	assert_output a-token
	ask status
	assert_contains "$output" 'scope result:all **** ****'
	refute grep -rqFe "$pair" -e "$SANDBOX_CLIENT_SECRET" "$SYPHT_CACHE_DIR"
}

@test "endpoint: an assertion is not repeated, nor its signature" {
	(umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key 2>/dev/null)
	configure < <(profile keyed 'auth_method = private_key_jwt' "private_key_file = $PWD/key")
	peer parrot
	export SYPHT_PROFILE=keyed
	sed -i "s|^token_url.*|token_url = http://127.0.0.1:$peer_port/oauth2/token|" "$XDG_CONFIG_HOME/sypht/config"
	SYPHT_TRACE=1 ask token
	assert_status 1
	assert_contains "$stderr" 'parrot: ****'
	refute_contains "$stderr" "parrot: eyJ"
	refute_contains "$stderr" 'and .'
}

@test "endpoint: a secret that comes back as the token is refused" {
	grants "$(jq -cn '{access_token: $ENV.SANDBOX_CLIENT_SECRET}')"
	ask token
	assert_refused 1 "access_token is the client's own secret"
	refute_contains "$stderr" "$SANDBOX_CLIENT_SECRET"
}

@test "endpoint: sypht-mint answers a token or an error, never both" {
	local scope
	for scope in 100 40000 70000; do
		grants "$(jq -cn --argjson length $scope '{scope: ("s" * $length)}')"
		try "$BUILD/sypht-mint" < <(printf '%s\n' "token_url=$SANDBOX_TOKEN_URL" "cainfo=$SANDBOX_CA" \
			"client_id=$SANDBOX_CLIENT_ID" "client_secret=$SANDBOX_CLIENT_SECRET" timeout_ms=5000 '')
		assert_equal "$(grep -c '^credential=' <<<"$output") $(grep -c '^error=' <<<"$output")" '1 0'
	done
	faults '{"token": {"status": 429, "headers": {"Retry-After": "77"}, "times": "all"}}'
	try "$BUILD/sypht-mint" < <(printf '%s\n' "token_url=$SANDBOX_TOKEN_URL" "cainfo=$SANDBOX_CA" \
		"client_id=$SANDBOX_CLIENT_ID" "client_secret=$SANDBOX_CLIENT_SECRET" timeout_ms=5000 '')
	assert_equal "$(grep -c '^credential=' <<<"$output") $(grep -c '^error=' <<<"$output")" '0 1'
	assert_line retry_after=77
}

@test "endpoint: an answer that is no JSON object is named so" {
	local body
	for body in '' nonsense '<html>' '[]' '"a-token"' null 5 '{"access_token": "a-token"' \
		'{"access_token": "a-token", "token_type": "bearer"} trailing' "{'access_token': 'a-token'}"; do
		answers "$body"
		SYPHT_CACHE_DIR=$TMPDIR/$(cksum <<<"$body") ask token
		assert_refused 1 "$SANDBOX_TOKEN_URL" 'not a JSON object'
	done
}

@test "endpoint: JSON a hundred thousand levels deep is refused" {
	answers "{\"access_token\": $(printf '[%.0s' {1..100000})"
	ask token
	assert_refused 1 'not a JSON object'
}

@test "endpoint: an answer beyond a mebibyte is refused, with its length or without" {
	faults '{"token": {"huge": 2000000, "times": "all"}}'
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" 'larger than'
	faults '{"token": {"huge": 2000000, "chunked": true, "times": "all"}}'
	SYPHT_CACHE_DIR=$TMPDIR/second ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL" 'larger than'
	assert_token_requests 2
}

@test "endpoint: a token that is missing, or no text, is refused" {
	local value
	answers '{"token_type": "Bearer"}'
	ask token
	assert_refused 1 access_token
	for value in null 5 true '[]' '{}' '["a-token"]'; do
		grants "{\"access_token\": $value}"
		SYPHT_CACHE_DIR=$TMPDIR/$value ask token
		assert_refused 1 access_token
	done
}

@test "endpoint: a token with characters that no bearer token has is refused" {
	local value
	for value in '' ' ' 'a token' 'a\ntoken' 'a\r\nX-Forged: 1' 'a\ttoken' 'a\u0001token' 'a\"token' \
		'a,token' '=' 'a=token' 'tök' 'a\u007f' 'a%0d%0a'; do
		grants "{\"access_token\": \"$value\"}"
		SYPHT_CACHE_DIR=$TMPDIR/$(cksum <<<"$value") ask token
		assert_refused 1 'no bearer token may have'
	done
}

@test "endpoint: a NUL does not cut a token short, raw or escaped" {
	grants '{"access_token": "a-token\u0000tail"}'
	ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL"
	faults '{"token": {"body": "{\"access_token\": \"a-token\u0000tail\"}", "times": "all"}}'
	SYPHT_CACHE_DIR=$TMPDIR/raw ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL"
	faults '{"token": {"body": "{\"access_token\": \"a-token\"}\u0000", "times": "all"}}'
	SYPHT_CACHE_DIR=$TMPDIR/behind ask token
	assert_refused 1 "$SANDBOX_TOKEN_URL"
}

@test "endpoint: every character of a bearer token passes" {
	grants '{"access_token": "AZaz09-._~+/=="}'
	ask token
	assert_output 'AZaz09-._~+/=='
}

@test "endpoint: a token of 60 KiB is served and cached, and a longer one refused" {
	grants "{\"access_token\": \"$(printf '%061440d' 0)\"}"
	ask token
	assert_output "$(printf '%061440d' 0)"
	ask get < <(for_api capability[]=authtype)
	assert_attribute credential "$(printf '%061440d' 0)"
	assert_token_requests 1

	grants "{\"access_token\": \"$(printf '%061441d' 0)\"}"
	SYPHT_CACHE_DIR=$TMPDIR/second ask token
	assert_refused 1 'too long'
}

@test "endpoint: a token type other than bearer is refused, in whatever case bearer is written" {
	local type
	for type in '"mac"' '"bearer "' '""' 5 '[]' '"DPoP"'; do
		grants "{\"token_type\": $type}"
		SYPHT_CACHE_DIR=$TMPDIR/$type ask token
		assert_refused 1 token_type
	done
	for type in '"bearer"' '"BEARER"' '"Bearer"'; do
		grants "{\"token_type\": $type}"
		SYPHT_CACHE_DIR=$TMPDIR/$type ask token
		assert_output a-token
	done
}

@test "endpoint: a member that nobody knows is ignored" {
	grants '{"refresh_token": "r", "id_token": 5, "x": {"y": []}}'
	ask token
	assert_output a-token
}

# expires_in -------------------------------------------------------------------------------------

# assert_life SECONDS: that long the cached token lives. One of a second may be renewed meanwhile.
assert_life() {
	local life
	life=$(($(sed -n 's/^expires=//p' "$(entry token)") - $(sed -n 's/^obtained=//p' "$(entry token)")))
	((life <= $1 && life >= $1 - 5)) || fail "it lives $life s, not $1 s"
}

# lives MEMBERS SECONDS: a token granted with these is cached for so long.
lives() {
	rm -rf "$(cache_directory)"
	grants "$1"
	ask token
	assert_output a-token
	assert_life "$2"
}

@test "expires_in: seconds, whole or not, as a number or in a string" {
	lives '{"expires_in": 1200}' 1200
	lives '{"expires_in": 1200.9}' 1200
	lives '{"expires_in": "1200"}' 1200
	lives '{"expires_in": 1}' 1
}

@test "expires_in: missing or null, a token of Sypht's lives an hour" {
	lives '{"expires_in": null}' 3600
	answers '{"access_token": "a-token"}'
	rm -rf "$(cache_directory)"
	ask token
	assert_output a-token
	assert_life 3600
}

@test "expires_in: missing, a token of another profile lives five minutes, or as configured" {
	configure < <(profile other "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'")
	export SYPHT_PROFILE=other
	lives '{"expires_in": null}' 300
	configure < <(profile other "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'" \
		'default_lifetime = 77')
	lives '{"expires_in": null}' 77
}

@test "expires_in: never beyond max_lifetime, an hour for Sypht and a day for others" {
	lives '{"expires_in": 86400}' 3600
	lives '{"expires_in": 1e30}' 3600
	lives '{"expires_in": "99999999999999999999"}' 3600
	configure < <(profile other "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'")
	SYPHT_PROFILE=other lives '{"expires_in": 1e9}' 86400
	configure < <(profile other "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'" \
		'max_lifetime = 50' 'default_lifetime = 100')
	SYPHT_PROFILE=other lives '{"expires_in": 1000}' 50
	SYPHT_PROFILE=other lives '{"expires_in": null}' 50
}

@test "expires_in: a number beyond all numbers is as long as max_lifetime" {
	answers '{"access_token": "a-token", "expires_in": 1e999}'
	ask token
	assert_output a-token
	assert_life 3600
}

@test "expires_in: no life at all is refused" {
	local value
	for value in 0 -1 -3600 0.5 '"0"' -1e30; do
		grants "{\"expires_in\": $value}"
		SYPHT_CACHE_DIR=$TMPDIR/$value ask token
		assert_refused 1 'no life left'
	done
}

@test "expires_in: what is no number is refused" {
	local value
	for value in true '[]' '{}' '""' '"soon"' '"1e3"' '"-5"' '" 5"' '"0x10"'; do
		grants "{\"expires_in\": $value}"
		SYPHT_CACHE_DIR=$TMPDIR/$(cksum <<<"$value") ask token
		assert_refused 1 'not a number'
	done
}

# A token that lives -------------------------------------------------------------------------------

@test "a live token is served through all of it, and nobody is asked" {
	local current fault
	current=$(token)
	for fault in '"status": 500' '"reset": true' '"body": "nonsense"' '"delay_ms": 60000' '"huge": 2000000'; do
		faults "{\"token\": {$fault, \"times\": \"all\"}}"
		ask token
		assert_output "$current"
		assert_empty "$stderr"
	done
	assert_token_requests 1
}

@test "a token due for renewal is served though the renewal fails, and nobody waits for it" {
	local current fault requests=1
	current=$(token)
	age token 3300
	for fault in '"status": 400' '"body": "{}"' '"delay_ms": 60000'; do
		faults "{\"token\": {$fault, \"times\": \"all\"}}"
		SYPHT_TIMEOUT=2 timed ask token
		assert_output "$current"
		assert_empty "$stderr"
		assert_took_less 1800
		settle
		assert_token_requests $((++requests))
		rm "$(entry state)"
	done
}
