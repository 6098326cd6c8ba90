# shellcheck shell=bash
# What the suites about clients without a secret have in common:  load ../lib/identity

POD_CLIENT=pod-client
POD_ISSUER=https://cluster.example
POD_SUBJECT=system:serviceaccount:default:report
POD_AUDIENCE=api://AzureADTokenExchange
POD_TYPE=urn:ietf:params:oauth:client-assertion-type:jwt-bearer

# cluster_key: a new key of the cluster that signs assertions, in cluster.pem.
cluster_key() {
	(umask 077 && openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out cluster.pem 2>/dev/null)
}

# What the endpoints of Entra ID and Keycloak, as test/sandbox/federation.mjs plays them, trust.
trust_cluster() {
	admin PUT trust "$(openssl pkey -in cluster.pem -pubout | jq -Rs --arg client "$POD_CLIENT" \
		--arg issuer "$POD_ISSUER" --arg subject "$POD_SUBJECT" --arg audience "$POD_AUDIENCE" \
		--arg type "$POD_TYPE" '{public_key: ., client_id: $client, issuer: $issuer,
		subject: $subject, audience: $audience, assertion_type: $type}')" >&2
}

base64url() {
	base64 -w 0 | tr -- +/ -_ | tr -d =
}

# An assertion of the cluster, as the variables above say, that lives for $POD_LIFE seconds. No two
# are the same.
assertion() {
	local input now
	now=$(date +%s)
	input=$(printf '{"alg":"RS256","typ":"JWT"}' | base64url).$(jq -cjn --arg iss "$POD_ISSUER" \
		--arg sub "$POD_SUBJECT" --arg aud "$POD_AUDIENCE" --argjson exp $((now + ${POD_LIFE:-3600})) \
		--argjson iat "$now" --arg jti "$RANDOM$RANDOM$RANDOM" '$ARGS.named' | base64url)
	printf '%s.%s' "$input" "$(printf %s "$input" | openssl dgst -sha256 -sign cluster.pem | base64url)"
}

# profile_of NAME [KEY=VALUE…]: the config, with the client of these suites.
profile_of() {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '%s\n' "[profile $1]" "origin = $SANDBOX_API" "client_id = $POD_CLIENT" "${@:2}" \
		>"$XDG_CONFIG_HOME/sypht/config"
}

gives_token() {
	try sypht-credential token
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(plain_curl --cacert "$SANDBOX_CA" -o /dev/null -w '%{http_code}' \
		-H "Authorization: Bearer $output" "$SANDBOX_API/echo")" 200
}

# refuses STATUS TEXT…
refuses() {
	try sypht-credential token
	assert_refused "$@"
}

# Drop the cached token, and what is remembered of failures.
forget() {
	rm -rf "$XDG_CACHE_HOME/sypht"
}

# field NAME [N]: of the body of the Nth token request.
field() {
	jq -r .body "$SANDBOX_TOKEN_REQUESTS" | sed -n "${2:-1}p" | tr '&' '\n' | sed -n "s/^$1=//p"
}

# rotated_while_refused COMMAND…: run it while the endpoint, which takes its time, has what the file
# held before.
rotated_while_refused() {
	faults '{"token": {"delay_ms": 1500, "times": 1}}'
	sypht-credential token >answer 2>complaint 3>&- &
	local asking=$!
	wait_until token_request_came
	"$@"
	# shellcheck disable=SC2034 # as try sets them
	status=0
	# shellcheck disable=SC2034
	wait "$asking" || status=$?
	# shellcheck disable=SC2034
	output=$(<answer) stderr=$(<complaint)
}

token_request_came() {
	[ "$(token_requests)" -gt 0 ]
}
