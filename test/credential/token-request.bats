#!/usr/bin/env bats
# The token request, byte for byte, as the sandbox received it.

load ../lib/suite
load ../lib/helper

# The last request's line, headers and body.
line_sent() { jq -r .line "$SANDBOX_TOKEN_REQUESTS" | tail -n 1; }
headers_sent() { jq -c .headers "$SANDBOX_TOKEN_REQUESTS" | tail -n 1 | jq -r '.[]'; }
body_sent() { jq -r .body "$SANDBOX_TOKEN_REQUESTS" | tail -n 1; }

assert_body() {
	assert_equal "$(body_sent)" "$1"
}

# The user and password of Basic, as they were sent; empty where there was none.
basic_sent() {
	headers_sent | sed -n 's/^Authorization: Basic //p' | base64 -d
}

# Where the secret is does not matter here.
secret_is() {
	printf 'client_secret_command = printf %%s %s\n' "'$1'"
}

# What is documented -------------------------------------------------------------------------------

@test "the token request is the one that Sypht documents" {
	local version body="grant_type=client_credentials&client_id=$SANDBOX_CLIENT_ID"
	version=$(sypht-credential --version)
	assert_issued "$(token)"
	assert_equal "$(line_sent)" 'POST /oauth2/token HTTP/1.1'
	assert_equal "$(headers_sent)" "Host: ${SANDBOX_ISSUER#https://}
Authorization: Basic $(printf %s "$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET" | base64 -w 0)
User-Agent: ${version/ //}
Accept: application/json
Content-Length: ${#body}
Content-Type: application/x-www-form-urlencoded"
	assert_body "$body"
	assert_token_requests 1
}

@test "the endpoint of old is sent id, secret and audience in the body" {
	sypht_env LEGACY
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_LEGACY_TOKEN_URL
	assert_issued "$(token)"
	assert_equal "$(line_sent)" 'POST /oauth/token HTTP/1.1'
	assert_empty "$(basic_sent)"
	assert_body "grant_type=client_credentials&client_id=$(client_id LEGACY)&client_secret=$(client_secret LEGACY)&audience=https%3A%2F%2Fapi.sypht.com"
}

@test "the endpoint of old is sent the audience and by the method that are configured" {
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_LEGACY_TOKEN_URL
	SYPHT_AUDIENCE=urn:mine ask token
	assert_contains "$(body_sent)" '&audience=urn%3Amine'
	configure <<<$'[profile sypht]\nauth_method = basic\naudience ='
	ask token
	assert_issued "$output"
	assert_body "grant_type=client_credentials&client_id=$SANDBOX_CLIENT_ID"
}

# What is asked for ----------------------------------------------------------------------------------

@test "scope, audience and each resource are sent where they are set, form-encoded, in that order" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	configure < <(profile sypht 'scope = result:all a/b&c=d' "audience = https://x.example/?a b" \
		'resource = https://one.example' 'resource = urn:two')
	ask token
	assert_body "grant_type=client_credentials&client_id=$SANDBOX_CLIENT_ID&scope=result%3Aall+a%2Fb%26c%3Dd&audience=https%3A%2F%2Fx.example%2F%3Fa+b&resource=https%3A%2F%2Fone.example&resource=urn%3Atwo"
}

@test "letters beyond ASCII are sent as UTF-8" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	configure < <(profile sypht 'audience = größe')
	ask token
	assert_body "grant_type=client_credentials&client_id=$SANDBOX_CLIENT_ID&audience=gr%C3%B6%C3%9Fe"
}

@test "SYPHT_AUDIENCE stands above the config's audience" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	configure < <(profile sypht 'audience = urn:config')
	SYPHT_AUDIENCE=urn:environment ask token
	assert_body "grant_type=client_credentials&client_id=$SANDBOX_CLIENT_ID&audience=urn%3Aenvironment"
}

@test "a scope is granted as asked" {
	configure < <(profile sypht 'scope = result:all')
	ask token
	assert_equal "$(sed -n 's/^granted_scope=//p' "$(entry token)")" result:all
}

@test "a scope that was granted more narrowly is a warning in the trace, and a token all the same" {
	configure < <(profile sypht 'scope = result:all nothing:all')
	SYPHT_TRACE=1 ask token
	assert_issued "$output"
	assert_contains "$stderr" "warning: asked for scope 'result:all nothing:all', granted 'result:all'"
}

@test "a resource gets a token for that API" {
	configure < <(profile sypht "resource = $SANDBOX_RESOURCE")
	ask token
	assert_issued "$output"
	assert_equal "$(cut -d . -f 2 <<<"$output" | tr -- -_ +/ | base64 -d 2>/dev/null | jq -r .aud)" "$SANDBOX_RESOURCE"
}

@test "a resource that the server does not know is its invalid_target" {
	configure < <(profile sypht 'resource = https://unknown.example')
	ask token
	assert_refused 1 invalid_target
}

@test "a query in the token URL goes along, and its path as it is" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	SYPHT_AUTH_ENDPOINT="$SANDBOX_TOKEN_URL?a=b&c" ask token
	assert_equal "$(line_sent)" 'POST /oauth2/token?a=b&c HTTP/1.1'
}

# How the client shows itself ------------------------------------------------------------------------

@test "basic_encoding rfc form-encodes both halves, raw sends them as they are" {
	local secret
	secret=$(client_secret ODD)
	configure < <(profile one "$(secret_is "$secret")" | sed "s/^client_id.*/client_id = $(client_id ODD)/")
	assert_issued "$(token --profile one)"
	assert_equal "$(basic_sent)" "$(client_id ODD):$(jq -rn --arg text "$secret" '$text | @uri')"

	sypht_env ODD
	rm "$(entry token)"
	ask token
	assert_refused 1 invalid_client
	assert_equal "$(basic_sent)" "$(client_id ODD):$secret"
}

@test "basic_encoding can be chosen, for Sypht and for others" {
	sypht_env ODD
	configure <<<$'[profile sypht]\nbasic_encoding = rfc'
	assert_issued "$(token)"

	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	configure < <(profile one basic_encoding=raw "$(secret_is 'a b/%')")
	ask token --profile one
	assert_equal "$(basic_sent)" "$SANDBOX_CLIENT_ID:a b/%"
}

@test "for the letters that Sypht issues both encodings are the same bytes" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	local secret=AZaz09._~- raw
	configure < <(profile one "$(secret_is $secret)"; profile two basic_encoding=raw scope=x "$(secret_is $secret)")
	ask token --profile one
	raw=$(basic_sent)
	ask token --profile two
	assert_equal "$(basic_sent)" "$raw"
}

@test "a blank in a half is + in rfc" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	configure < <(profile one "$(secret_is 'a b%20c')")
	ask token --profile one
	assert_equal "$(basic_sent)" "$SANDBOX_CLIENT_ID:a+b%2520c"
}

@test "auth_method post puts the secret into the body, and nowhere else" {
	configure < <(profile one auth_method=post "$(secret_is "$(client_secret LEGACY)")" |
		sed "s/^client_id.*/client_id = $(client_id LEGACY)/")
	assert_issued "$(token --profile one)"
	assert_empty "$(basic_sent)"
	assert_body "grant_type=client_credentials&client_id=$(client_id LEGACY)&client_secret=$(client_secret LEGACY)"
}

@test "a secret of eight kilobytes passes, and of every printable character" {
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	SYPHT_API_KEY=id:$(printf '%08000d' 0) ask token
	assert_output a-token
	assert_equal "$(basic_sent | wc -c)" 8003

	local odd
	odd=$(printf '\\x%x' {33..126})
	# shellcheck disable=SC2059
	odd=$(printf "$odd")
	SYPHT_API_KEY=id2:$odd ask token
	assert_equal "$(basic_sent)" "id2:$odd"
}

# What has no say ------------------------------------------------------------------------------------

@test "neither netrc nor curlrc nor a cookie of curl's has a say" {
	printf 'machine 127.0.0.1 login wrong password wrong\n' >"$HOME/.netrc"
	printf 'header = "X-Forged: 1"\nuser = wrong:wrong\n' >"$HOME/.curlrc"
	NETRC=$HOME/.netrc CURL_HOME=$HOME ask token
	assert_issued "$output"
	refute_contains "$(headers_sent)" X-Forged
	refute_contains "$(headers_sent)" Cookie
}
