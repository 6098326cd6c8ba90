#!/usr/bin/env bats
# The token endpoint by its issuer's metadata: RFC 8414, OpenID Connect, and what is not believed.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
	export SYPHT_CAINFO=$SANDBOX_CA SYPHT_PROFILE=found
	(umask 077 && client_secret >"$HOME/secret")
	configure "$SANDBOX_ISSUER"
}

configure() {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '%s\n' '[profile found]' "origin = $SANDBOX_API" "issuer = $1" "client_id = $(client_id)" \
		'client_secret_file = ~/secret' "${@:2}" >"$XDG_CONFIG_HOME/sypht/config"
}

gives_token() {
	try sypht-credential token
	assert_status 0
	assert_empty "$stderr"
}

refuses() {
	try sypht-credential token
	assert_status 1
	assert_empty "$output"
	assert_contains "$stderr" "$1"
	assert_equal "$(token_requests)" 0
}

# metadata ISSUER TOKEN_ENDPOINT [PATH]: what the issuer answers instead, at that path.
metadata() {
	faults "$(jq -n --arg issuer "$1" --arg endpoint "$2" \
		--arg path "${3:-/.well-known/oauth-authorization-server}" \
		'{issuer: {path: $path, body: {issuer: $issuer, token_endpoint: $endpoint}}}')"
}

asked() {
	requests 'select(.server == "issuer").path' | tr '\n' ' '
}

@test "OpenID Connect's metadata will do, where those of RFC 8414 are not to be had" {
	gives_token
	assert_equal "$(asked)" \
		'"/.well-known/oauth-authorization-server" "/.well-known/openid-configuration" '
	assert_equal "$(token_requests)" 1
}

@test "the metadata of RFC 8414 come first" {
	metadata "$SANDBOX_ISSUER" "$SANDBOX_TOKEN_URL"
	gives_token
	assert_equal "$(asked)" '"/.well-known/oauth-authorization-server" '
}

@test "an issuer with a path: between host and path, then behind it" {
	configure "$SANDBOX_ISSUER/tenant"
	metadata "$SANDBOX_ISSUER/tenant" "$SANDBOX_TOKEN_URL" /.well-known/oauth-authorization-server/tenant
	gives_token
	configure "$SANDBOX_ISSUER/other"
	metadata "$SANDBOX_ISSUER/other" "$SANDBOX_TOKEN_URL" /other/.well-known/openid-configuration
	gives_token
}

@test "a slash at the issuer's end is part of its name, and not of the place" {
	configure "$SANDBOX_ISSUER/"
	metadata "$SANDBOX_ISSUER/" "$SANDBOX_TOKEN_URL"
	gives_token
	configure "$SANDBOX_ISSUER/" 'scope = result:all'
	metadata "$SANDBOX_ISSUER" "$SANDBOX_TOKEN_URL"
	try sypht-credential token
	assert_status 1
}

@test "where the place of RFC 8414 has another issuer's metadata, those of OpenID Connect will do" {
	metadata https://elsewhere.example "$SANDBOX_BYSTANDER/token"
	gives_token
	assert_equal "$(asked)" \
		'"/.well-known/oauth-authorization-server" "/.well-known/openid-configuration" '
	assert_equal "$(bystander_requests)" 0
}

@test "another issuer's metadata are refused, and nothing is sent there" {
	faults "$(jq -n --arg endpoint "$SANDBOX_BYSTANDER/token" '{issuer: {times: "all",
		body: {issuer: "https://elsewhere.example", token_endpoint: $endpoint}}}')"
	refuses "the metadata are those of issuer 'https://elsewhere.example'"
	assert_equal "$(bystander_requests)" 0
}

@test "an endpoint on plain http, with a user, or no URL at all is refused" {
	local endpoint
	for endpoint in http://elsewhere.example/token https://a@elsewhere.example/ ftp://x/ nonsense \
		'https://x.example/ y' 'https://x.example/#y'; do
		metadata "$SANDBOX_ISSUER" "$endpoint"
		refuses 'is not an https URL'
		rm -f "$XDG_CACHE_HOME/sypht/"*.state
	done
}

@test "metadata without an endpoint say so" {
	faults "{\"issuer\": {\"body\": {\"issuer\": \"$SANDBOX_ISSUER\"}}}"
	refuses 'name no token_endpoint'
}

@test "no metadata anywhere: the last place and its status are named" {
	faults '{"issuer": {"status": 404, "times": "all"}}'
	refuses '/.well-known/openid-configuration: HTTP status 404'
}

@test "no JSON, a huge answer, a redirect: no metadata" {
	faults '{"issuer": {"body": "<html>", "times": "all"}}'
	refuses 'no metadata'
	rm -f "$XDG_CACHE_HOME/sypht/"*.state
	faults "{\"issuer\": {\"status\": 302, \"headers\": {\"location\": \"$SANDBOX_BYSTANDER\"}, \"times\": \"all\"}}"
	refuses 'HTTP status 302'
	assert_equal "$(bystander_requests)" 0
	rm -f "$XDG_CACHE_HOME/sypht/"*.state
	faults '{"issuer": {"huge": 3000000, "times": "all"}}'
	refuses 'larger than'
}

@test "a fault of the moment is tried again" {
	faults '{"issuer": {"status": 503}}'
	gives_token
}

@test "discovery and token request share one timeout" {
	export SYPHT_TIMEOUT=1
	faults '{"issuer": {"delay_ms": 700, "times": "all"}}'
	timed try sypht-credential token
	assert_status 1
	assert_took_less 2500
}

@test "token_url, where it is said, needs no discovery" {
	configure "$SANDBOX_ISSUER" "token_url = $SANDBOX_TOKEN_URL"
	gives_token
	assert_empty "$(asked)"
}

@test "an issuer for sypht takes the place of the endpoint it was built with" {
	unset SYPHT_PROFILE
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API
	sed -i 's/profile found/profile sypht/; /^origin/d' "$XDG_CONFIG_HOME/sypht/config"
	gives_token
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL
	reset_sandbox
	gives_token
	assert_empty "$(asked)"
}

@test "store and erase find the profile by its issuer's host" {
	sed -i /client_secret_file/d "$XDG_CONFIG_HOME/sypht/config"
	sypht-credential store <<<"protocol=https"$'\n'"host=${SANDBOX_ISSUER#https://}"$'\n'"username=$(client_id)"$'\n'"password=$(client_secret)"
	gives_token
}

@test "an issuer that is no https URL is an error in the config, with its line" {
	configure http://issuer.example
	try sypht-credential token
	assert_status 2
	assert_contains "$stderr" 'config:3: issuer: expected an https URL'
}
