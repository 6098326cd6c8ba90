#!/usr/bin/env bats
# The sandbox is what all other suites believe; here it is put to the question itself, with
# plain curl.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
}

sandbox_curl() {
	plain_curl --cacert "$SANDBOX_CA" "$@"
}

# grant ID SECRET [CURL OPTION…]: Sypht's documented token request.
grant() {
	local id=$1 secret=$2
	shift 2
	sandbox_curl -u "$id:$secret" -d "grant_type=client_credentials&client_id=$id" "$@" "$SANDBOX_TOKEN_URL"
}

# token_of [NAME]: a fresh token of that client.
token_of() {
	grant "$(client_id "${1:-}")" "$(client_secret "${1:-}")" | jq -r .access_token
}

# call TOKEN [CURL OPTION…] URL
call() {
	local token=$1
	shift
	sandbox_curl -H "Authorization: Bearer $token" "$@"
}

code_of() {
	call "$@" -o /dev/null -w '%{http_code}'
}

@test "the token endpoint answers Basic credentials with a bearer token that lives an hour" {
	try grant "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET"
	assert_equal "$(jq -c '[.token_type, .expires_in]' <<<"$output")" '["Bearer",3600]'
}

@test "a request without scope is granted every scope its client has" {
	try grant "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET"
	assert_equal "$(jq -r .scope <<<"$output")" 'fileupload:all result:all validate:annotation'
}

@test "a request with scope is granted that scope" {
	try grant "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET" -d scope=result:all
	assert_equal "$(jq -r .scope <<<"$output")" result:all
}

@test "a wrong secret is invalid_client, with a Basic challenge" {
	try grant "$SANDBOX_CLIENT_ID" wrong -i
	assert_contains "$output" 'HTTP/1.1 401'
	assert_contains "${output,,}" 'www-authenticate: basic'
	assert_contains "$output" '"error":"invalid_client"'
}

@test "a secret of odd characters passes form-encoded and fails as it is" {
	local encoded
	encoded=$(jq -rn --arg secret "$SANDBOX_ODD_CLIENT_SECRET" '$secret | @uri')

	try grant "$SANDBOX_ODD_CLIENT_ID" "$encoded"
	assert_contains "$output" access_token
	try grant "$SANDBOX_ODD_CLIENT_ID" "$SANDBOX_ODD_CLIENT_SECRET"
	refute_contains "$output" access_token
}

@test "the endpoint of old takes id, secret and audience in the body" {
	try sandbox_curl -d grant_type=client_credentials -d audience=https://api.sypht.com \
		-d "client_id=$SANDBOX_LEGACY_CLIENT_ID" -d "client_secret=$SANDBOX_LEGACY_CLIENT_SECRET" \
		"$SANDBOX_LEGACY_TOKEN_URL"
	assert_contains "$output" access_token
}

@test "the issuer's metadata name the token endpoint" {
	try sandbox_curl "$SANDBOX_ISSUER/.well-known/openid-configuration"
	assert_equal "$(jq -r .token_endpoint <<<"$output")" "$SANDBOX_TOKEN_URL"
}

@test "without the sandbox's CA nobody connects" {
	try plain_curl "$SANDBOX_API/open"
	assert_status 60
}

@test "the token request is journalled byte for byte" {
	grant "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET"
	try cat "$SANDBOX_TOKEN_REQUESTS"
	assert_equal "$(jq -r .line <<<"$output")" 'POST /oauth2/token HTTP/1.1'
	assert_equal "$(jq -r .body <<<"$output")" "grant_type=client_credentials&client_id=$SANDBOX_CLIENT_ID"
	assert_contains "$(jq -r '.headers[]' <<<"$output")" \
		"Authorization: Basic $(printf %s "$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET" | base64 -w 0)"
}

@test "the journal and the counters know every request, and tokens by fingerprint alone" {
	local token
	token=$(token_of)
	call "$token" "$SANDBOX_API/echo"

	assert_equal "$(token_requests) $(api_requests)" '1 1'
	try requests '[.server, .method, .path, .status, .token]'
	local mark
	mark=$(printf %s "$token" | sha256sum | cut -c 1-8)
	assert_line --index 0 "[\"token\",\"POST\",\"/oauth2/token\",200,\"$mark\"]"
	assert_line --index 1 "[\"api\",\"GET\",\"/echo\",200,\"$mark\"]"
	refute_contains "$(cat "$SANDBOX_REQUESTS")" "$token"
}

@test "the API lets a live token in, at every address it has" {
	local token url
	token=$(token_of)
	for url in "$SANDBOX_API" "$SANDBOX_API_HTTP" ${SANDBOX_API_IPV6:+"$SANDBOX_API_IPV6"}; do
		try code_of "$token" "$url/echo"
		assert_output 200
	done
}

@test "the API turns away no token, nonsense and a forged JWT" {
	try sandbox_curl -i "$SANDBOX_API/echo"
	assert_contains "$output" 'HTTP/1.1 401'
	assert_contains "$output" 'www-authenticate: Bearer error="invalid_token"'
	try code_of nonsense "$SANDBOX_API/echo"
	assert_output 401
	try code_of e30.e30.e30 "$SANDBOX_API/echo"
	assert_output 401
}

@test "a token without the scope is told which one it lacks" {
	try call "$(token_of NARROW)" -i -X POST "$SANDBOX_API/fileupload"
	assert_contains "$output" 'HTTP/1.1 403'
	assert_contains "$output" 'error="insufficient_scope", scope="fileupload:all"'
}

@test "a revoked token is dead, and others live" {
	local first second
	first=$(token_of)
	second=$(token_of)
	revoke_tokens "$first"
	try code_of "$first" "$SANDBOX_API/echo"
	assert_output 401
	try code_of "$second" "$SANDBOX_API/echo"
	assert_output 200
}

@test "revoking all ends JWTs too, and what is issued afterwards lives" {
	local jwt
	jwt=$(token_of JWT)
	try code_of "$jwt" "$SANDBOX_API/echo"
	assert_output 200
	revoke_tokens
	try code_of "$jwt" "$SANDBOX_API/echo"
	assert_output 401
	try code_of "$(token_of JWT)" "$SANDBOX_API/echo"
	assert_output 200
}

@test "a token dies when its time is up" {
	local token
	token_lifetime "$SANDBOX_SHORT_CLIENT_ID" 1
	token=$(token_of SHORT)
	died() { [ "$(code_of "$token" "$SANDBOX_API/echo")" = 401 ]; }
	wait_until died
}

@test "an uploaded invoice comes back as its fields" {
	local token file
	token=$(token_of)
	file=$(call "$token" -F fileToUpload=@"$ROOT/test/sandbox/invoice.pdf" \
		-F 'fieldSets=["sypht.document","sypht.invoice"]' "$SANDBOX_API/fileupload" | jq -r .fileId)

	try call "$token" "$SANDBOX_API/result/final/$file"
	assert_equal "$(jq -r .status <<<"$output")" FINALISED
	assert_equal "$(jq -r '.results.fields[] | select(.name == "document.referenceNo").value' <<<"$output")" INV-2042
	assert_equal "$(jq -r '.results.fields[] | select(.name == "invoice.total").value' <<<"$output")" 1320.00
}

@test "fields not asked for are not extracted" {
	local token file
	token=$(token_of)
	file=$(call "$token" -F fileToUpload=@"$ROOT/test/sandbox/invoice.pdf" \
		-F fieldSets=sypht.document "$SANDBOX_API/fileupload" | jq -r .fileId)
	try call "$token" "$SANDBOX_API/result/final/$file"
	refute_contains "$output" invoice.total
}

@test "an upload without a file is refused" {
	try call "$(token_of)" -i -F fieldSets=sypht.invoice "$SANDBOX_API/fileupload"
	assert_contains "$output" 'HTTP/1.1 400'
}

@test "the shipped invoice is what its script writes" {
	local node
	node=$(readlink "/proc/$SANDBOX_PID/exe")
	"$node" "$ROOT/test/sandbox/make-invoice.mjs" | cmp - "$ROOT/test/sandbox/invoice.pdf"
}

@test "the bystander answers anybody and notes a token it is shown" {
	try plain_curl -H 'Authorization: Bearer astray' "$SANDBOX_BYSTANDER_HTTP/anything"
	assert_contains "$output" '"path":"/anything"'
	assert_equal "$(requests .token)" "\"$(printf astray | sha256sum | cut -c 1-8)\""
}

@test "a redirect leads where it was told" {
	try call "$(token_of)" -o /dev/null -w '%{http_code} %{redirect_url}' \
		"$SANDBOX_API/redirect?status=307&to=$SANDBOX_BYSTANDER/x"
	assert_output "307 $SANDBOX_BYSTANDER/x"
}

@test "files are served to callers, whole, in one range and in several" {
	local token
	token=$(token_of)
	printf 0123456789 >"$SANDBOX_FILES/digits"

	try call "$token" "$SANDBOX_API/files/digits"
	assert_output 0123456789
	try call "$token" -r 2-4 "$SANDBOX_API/files/digits"
	assert_output 234
	try call "$token" -r 0-1,-2 "$SANDBOX_API/files/digits"
	assert_contains "$output" 'Content-Range: bytes 8-9/10'
	assert_equal "$(code_of "$token" -r 10- "$SANDBOX_API/files/digits")" 416
	assert_equal "$(code_of "$token" --path-as-is "$SANDBOX_API/files/../ca.pem")" 404
	try sandbox_curl -o /dev/null -w '%{http_code}' "$SANDBOX_API/files/digits"
	assert_output 401
}

@test "git's own server answers for repositories" {
	git init -q --bare "$SANDBOX_GIT/empty.git"
	try call "$(token_of)" -i "$SANDBOX_API/git/empty.git/info/refs?service=git-upload-pack"
	assert_contains "$output" 'HTTP/1.1 200'
	assert_contains "$output" '# service=git-upload-pack'
}

@test "API and bystander have an address for HTTP/2" {
	local url
	for url in "$SANDBOX_API_HTTP2/open" "$SANDBOX_BYSTANDER_HTTP2"; do
		try sandbox_curl -o /dev/null -w '%{http_version} %{http_code}' "$url"
		assert_output '2 200'
	done
}

# Faults: what is ordered, and what curl makes of it.

spoilt() {
	faults "{\"token\": $1}"
	try grant "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET" -i
}

@test "fault: a status with headers, once, and then all is well" {
	spoilt '{"status": 429, "headers": {"Retry-After": "7"}}'
	assert_contains "$output" 'HTTP/1.1 429'
	assert_contains "$output" 'Retry-After: 7'
	try grant "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET"
	assert_contains "$output" access_token
}

@test "fault: one after the other, each as often as it says" {
	local codes=
	faults '{"api": [{"status": 500, "times": 2}, {"status": 503}]}'
	for _ in 1 2 3 4; do codes+=" $(code_of x "$SANDBOX_API/open")"; done
	assert_equal "$codes" ' 500 500 503 200'
}

@test "fault: for one path alone, and for all requests until ended" {
	faults '{"api": {"status": 500, "times": "all", "path": "/open/a"}}'
	assert_equal "$(code_of x "$SANDBOX_API/open/a")" 500
	assert_equal "$(code_of x "$SANDBOX_API/open/b")" 200
	assert_equal "$(code_of x "$SANDBOX_API/open/a")" 500
	faults '{}'
	assert_equal "$(code_of x "$SANDBOX_API/open/a")" 200
}

@test "fault: a body as it stands" {
	spoilt '{"body": "{\"access_token\": \"a\\u0000b\", \"expires_in\": 1e999}"}'
	assert_contains "$output" '{"access_token": "a\u0000b", "expires_in": 1e999}'
}

@test "fault: the connection closed, or reset, without an answer" {
	spoilt '{"close": true}'
	assert_status 52
	spoilt '{"reset": true}'
	assert_status 56
}

@test "fault: a body cut short" {
	spoilt '{"truncate": 5}'
	assert_status 18
}

@test "fault: a late answer, and a slow one" {
	faults '{"api": [{"delay_ms": 5000}, {"drip_ms": 1000}]}'
	try plain_curl --max-time 0.3 "$SANDBOX_API_HTTP/open"
	assert_status 28
	try plain_curl --max-time 0.3 "$SANDBOX_API_HTTP/open"
	assert_status 28
	assert_contains "$stderr" 'bytes received'
}

@test "fault: a huge body, with its length or without" {
	faults '{"api": [{"huge": 2000000}, {"huge": 2000000, "chunked": true}]}'
	assert_equal "$(plain_curl "$SANDBOX_API_HTTP/open" | wc -c)" 2000000
	try plain_curl -o body -D - "$SANDBOX_API_HTTP/open"
	assert_contains "$output" 'Transfer-Encoding: chunked'
}

@test "fault: an answer before the request's body is read" {
	faults '{"api": {"early": true, "status": 401}}'
	head -c 1000000 /dev/zero >body
	try plain_curl -T body -o /dev/null -w '%{http_code}' "$SANDBOX_API_HTTP/open"
	assert_output 401
	assert_equal "$(requests .body_bytes)" 0
}

@test "fault: a name that is none is refused" {
	try faults '{"token": {"stutter": true}}'
	assert_status 1
	assert_contains "$stderr" 'no such fault: stutter'
}

@test "the sandbox ends with whoever it was started for" {
	local parent pid
	sleep 60 3>&- &
	parent=$!
	"$(readlink "/proc/$SANDBOX_PID/exe")" "$ROOT/test/sandbox/sandbox.mjs" second --parent "$parent" 3>&- &
	pid=$!
	wait_until test -e second/sandbox.env
	kill "$parent"
	gone() { ! kill -0 "$pid" 2>/dev/null; }
	wait_until gone
}

@test "the sandbox keeps no private key on the disk, but that with which tests certify their clients" {
	try grep -rl --exclude=clients-ca.key 'PRIVATE KEY' "${SANDBOX_CA%/*}"
	assert_status 1
}
