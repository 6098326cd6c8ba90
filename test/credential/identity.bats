#!/usr/bin/env bats
# Clients without a secret: an assertion that somebody else signed (RFC 7521), as the token of a
# Kubernetes cluster is.

load ../lib/suite
load ../lib/helper
load ../lib/identity

setup() {
	seal
	reset_sandbox
	umask 077
	export SYPHT_CAINFO=$SANDBOX_CA CURL_CA_BUNDLE=$SANDBOX_CA SYPHT_PROFILE=pod
	ASSERTION=$HOME/assertion
	cluster_key
	trust_cluster
	configure_pod "client_assertion_file = $ASSERTION"
}

configure_pod() {
	profile_of pod "token_url = $SANDBOX_ISSUER/realms/main/protocol/openid-connect/token" \
		'auth_method = client_assertion' "$@"
}

@test "assertion: that of a file gets a token, and is sent as it is, with its type and the client id" {
	assertion >"$ASSERTION"
	gives_token
	assert_equal "$(field client_assertion)" "$(<"$ASSERTION")"
	assert_equal "$(field client_assertion_type)" \
		urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer
	assert_equal "$(field grant_type) $(field client_id)" "client_credentials $POD_CLIENT"
	assert_empty "$(field client_secret)"
	refute_contains "$(jq -r '.headers[]' "$SANDBOX_TOKEN_REQUESTS")" Authorization
}

@test "assertion: that of a command gets a token" {
	assertion >"$ASSERTION"
	configure_pod 'client_assertion_command = cat ~/assertion'
	gives_token
}

@test "assertion: the file comes before the command" {
	assertion >"$ASSERTION"
	configure_pod "client_assertion_file = $ASSERTION" 'client_assertion_command = exit 3'
	gives_token
	try sypht-credential status
	assert_line '  secret    client_assertion_file'
}

@test "assertion: the type is as the config says, as SPIFFE wants it" {
	POD_TYPE=urn:ietf:params:oauth:client-assertion-type:jwt-spiffe trust_cluster
	assertion >"$ASSERTION"
	refuses 1 'unknown client_assertion_type'
	configure_pod "client_assertion_file = $ASSERTION" \
		'client_assertion_type = urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'
	gives_token
}

@test "assertion: oidc-provider takes one that its client signed elsewhere, and each only once" {
	local endings
	admin PUT key-client "$(openssl pkey -in cluster.pem -pubout |
		jq -Rs '{client_id: "pod-client", public_key: .}')" >&2
	POD_ISSUER=$POD_CLIENT POD_SUBJECT=$POD_CLIENT POD_AUDIENCE=$SANDBOX_ISSUER assertion >"$ASSERTION"
	profile_of pod "token_url = $SANDBOX_TOKEN_URL" 'auth_method = client_assertion' \
		"client_assertion_file = $ASSERTION"
	gives_token
	forget
	refuses 1 invalid_client
	# a command makes another one, so the answer that was lost costs nothing
	for endings in 1 2; do
		POD_ISSUER=$POD_CLIENT POD_SUBJECT=$POD_CLIENT POD_AUDIENCE=$SANDBOX_ISSUER assertion >"one-$endings"
	done
	profile_of pod "token_url = $SANDBOX_TOKEN_URL" 'auth_method = client_assertion' \
		"client_assertion_command = cat '$PWD'/one-1 && mv '$PWD'/one-2 '$PWD'/one-1"
	gives_token
	forget
	cp "$ASSERTION" one-2
	gives_token
}

# Each has a reason of its own ---------------------------------------------------------------------

@test "assertion: one that has expired is not sent, and the reason says since when" {
	POD_LIFE=-120 assertion >"$ASSERTION"
	refuses 1 "client_assertion_file: the assertion expired 12"
	assert_contains "$stderr" 'is it renewed, and is the clock of this machine right?'
	assert_equal "$(token_requests)" 0
	# and nothing of that is remembered
	assertion >"$ASSERTION"
	gives_token
}

@test "assertion: of the wrong audience, it is refused, and the reason names audience and subject" {
	POD_AUDIENCE=https://elsewhere.example assertion >"$ASSERTION"
	refuses 1 "does it expect audience 'https://elsewhere.example' and subject '$POD_SUBJECT'?"
	assert_contains "$stderr" 'invalid_client: AADSTS700212'
	assert_equal "$(token_requests)" 1
}

@test "assertion: another subject, another issuer, another signer: the endpoint's words are shown" {
	POD_SUBJECT=system:serviceaccount:default:other assertion >"$ASSERTION"
	refuses 1 AADSTS700213
	POD_ISSUER=https://elsewhere.example assertion >"$ASSERTION"
	refuses 1 AADSTS700211
	cluster_key
	assertion >"$ASSERTION"
	refuses 1 AADSTS700027
}

@test "assertion: what is no JWT is not sent: empty, short, two lines, NUL, JSON, base64 of other things" {
	local content
	for content in '' '\n' nonsense 'a.b' 'a.b.c' 'a..c' '{"a": "b.c.d"}' 'eyJhIjoxfQ.W10.c' 'eyJhIjoxfQ.eyJhIjoxfQ.' \
		'eyJhIjoxfQ.eyJhIjoxfQ.c2ln\nmore\n' 'eyJhIjoxfQ.eyJhIjoxfQ.c2ln\0' ' eyJhIjoxfQ.eyJhIjoxfQ.c2ln' \
		'eyJhIjoxfQ.eyJhIjoxfQ.c2ln.c2ln' 'eyJhIjoxfQ==.eyJhIjoxfQ==.c2ln'; do
		# shellcheck disable=SC2059
		printf "$content" >"$ASSERTION"
		try sypht-credential token
		assert_refused 1
		case $stderr in
		*'is empty; expected a client assertion'* | *'holds more than one line; expected a client'*) ;;
		*'holds a NUL byte'* | *'not a JWT, which is three parts in base64url'*) ;;
		*) fail "no such reason: $stderr" ;;
		esac
	done
	assert_equal "$(token_requests)" 0
}

@test "assertion: a line end behind it is ignored, LF or CRLF, but no second one" {
	local ending
	for ending in '\n' '\r\n'; do
		# shellcheck disable=SC2059
		{ assertion; printf "$ending"; } >"$ASSERTION"
		gives_token
		assert_equal "$(field client_assertion)" "$(tr -d '\r\n' <"$ASSERTION")"
		forget
		reset_sandbox
	done
	{ assertion; printf '\n\n'; } >"$ASSERTION"
	refuses 1 'holds more than one line'
}

@test "assertion: 100 KiB are too long, whatever they are" {
	head -c 102400 /dev/zero | tr '\0' a >"$ASSERTION"
	refuses 1 "$ASSERTION: longer than 16384 bytes, so not a client assertion"
	configure_pod 'client_assertion_command = cat ~/assertion'
	refuses 1 "client_assertion_command of profile 'pod' printed too much"
	assert_equal "$(token_requests)" 0
}

@test "assertion: a file that is missing, a directory, a FIFO, a device: each has its reason at once" {
	refuses 1 "client assertion file $ASSERTION: No such file or directory"
	mkdir "$ASSERTION"
	refuses 1 "$ASSERTION: not a regular file"
	rmdir "$ASSERTION"
	mkfifo "$ASSERTION"
	refuses 1 "$ASSERTION: not a regular file"
	configure_pod 'client_assertion_file = /dev/zero'
	refuses 1 '/dev/zero: not a regular file'
}

@test "assertion: a symbolic link is followed, as Kubernetes projects its tokens by links" {
	mkdir -p projected/..first projected/..second
	assertion >projected/..first/token
	ln -s ..first projected/..data
	ln -s ..data/token projected/token
	configure_pod "client_assertion_file = $PWD/projected/token"
	gives_token
	forget
	assertion >projected/..second/token
	ln -s ..second projected/..next
	mv -T projected/..next projected/..data
	gives_token
	assert_equal "$(field client_assertion 2)" "$(<projected/..second/token)"
}

@test "assertion: others must not be able to read the file, but where it is mounted for the pod" {
	assertion >"$ASSERTION"
	chmod 644 "$ASSERTION"
	refuses 1 "others can read this secret; run: chmod 600 '$ASSERTION'"
}

@test "assertion: a token of 0644 that is projected below /var/run/secrets is believed" {
	needs_root 'mount a file system'
	mounted=/run/secrets/test-$$
	mkdir -p "$mounted"
	mount -t tmpfs -o size=64k,mode=755 tmpfs "$mounted" || skip_allowed 'no mounts here'
	assertion >"$mounted/token"
	chmod 644 "$mounted/token"
	configure_pod "client_assertion_file = /var/run/secrets/test-$$/token"
	gives_token
	chmod 666 "$mounted/token"
	forget
	refuses 1 'others can write this secret'
}

@test "assertion: a command that fails, prints nothing, or takes too long: each has its reason" {
	configure_pod 'client_assertion_command = exit 3'
	refuses 1 "client_assertion_command of profile 'pod' ended with exit status 3"
	configure_pod 'client_assertion_command = true'
	refuses 1 'client_assertion_command: is empty; expected a client assertion'
	configure_pod 'client_assertion_command = exec sleep 60'
	SYPHT_TIMEOUT=1 refuses 1 "client_assertion_command of profile 'pod' did not end in time"
}

@test "assertion: a profile without client id or assertion, or with a store for all, is an error in the config" {
	profile_of pod "token_url = $SANDBOX_TOKEN_URL" 'auth_method = client_assertion'
	refuses 2 'needs client_id and client_assertion_file or client_assertion_command, for client_assertion'
	configure_pod "client_assertion_file = $ASSERTION" 'shared_store = redis://127.0.0.1'
	refuses 2 'needs a client secret, or the file of a private key, for shared_store'
	profile_of pod "token_url = $SANDBOX_TOKEN_URL" 'auth_method = private_key_jwt' \
		'private_key_file = pkcs11:token=robot' 'shared_store = redis://127.0.0.1'
	refuses 2 'needs a client secret, or the file of a private key, for shared_store'
}

# Rotation ------------------------------------------------------------------------------------------

@test "assertion: it is read anew for each mint" {
	assertion >"$ASSERTION"
	gives_token
	assertion >"$ASSERTION"
	forget
	gives_token
	assert_equal "$(field client_assertion 2)" "$(<"$ASSERTION")"
}

@test "assertion: one that is replaced while it is refused is read again, and nobody's request fails" {
	POD_AUDIENCE=https://elsewhere.example assertion >"$ASSERTION"
	assertion >next
	rotated_while_refused mv next "$ASSERTION"
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(field client_assertion 2)" "$(<"$ASSERTION")"
	assert_equal "$(token_requests)" 2
}

@test "assertion: refused, and not replaced, it is sent once only" {
	POD_AUDIENCE=https://elsewhere.example assertion >"$ASSERTION"
	rotated_while_refused true
	assert_refused 1 AADSTS700212
	assert_equal "$(token_requests)" 1
}

@test "secret: one that is replaced while it is refused is read again, too" {
	profile_of pod "token_url = $SANDBOX_TOKEN_URL" 'client_secret_file = ~/secret'
	sed -i "s/^client_id = .*/client_id = $(client_id)/" "$XDG_CONFIG_HOME/sypht/config"
	echo old >"$HOME/secret"
	client_secret >next
	chmod 600 "$HOME/secret" next
	rotated_while_refused mv next "$HOME/secret"
	assert_status 0
	assert_equal "$(token_requests)" 2
}

@test "private key: one that is replaced while it is refused is read again, too" {
	local registered
	admin PUT key-client "$(openssl pkey -in cluster.pem -pubout |
		jq -Rs '{client_id: "pod-client", public_key: .}')" >&2
	profile_of pod "token_url = $SANDBOX_TOKEN_URL" 'auth_method = private_key_jwt' \
		"private_key_file = $HOME/key.pem"
	registered=$(<cluster.pem)
	(umask 077 && printf '%s\n' "$registered" >next)
	cluster_key
	mv cluster.pem "$HOME/key.pem"
	rotated_while_refused mv next "$HOME/key.pem"
	assert_status 0
	assert_equal "$(token_requests)" 2
}

# What is kept ---------------------------------------------------------------------------------------

@test "assertion: another file, command or client id leads to another cached token" {
	assertion >"$ASSERTION"
	cp "$ASSERTION" "$HOME/second"
	gives_token
	gives_token
	assert_equal "$(token_requests)" 1
	configure_pod 'client_assertion_file = ~/second'
	gives_token
	assert_equal "$(token_requests)" 2
	configure_pod 'client_assertion_command = cat ~/second'
	gives_token
	assert_equal "$(token_requests)" 3
	refute_contains "$(cat "$XDG_CACHE_HOME/sypht"/*.token)" second
}

@test "assertion: one token request for 200 curls under the plugin, and one more after the token's life" {
	assertion >"$ASSERTION"
	unset SYPHT_PROFILE
	herd 200 sypht-run curl -fsS -o /dev/null "$SANDBOX_API/echo"
	assert_empty "$(<herd.err)"
	assert_equal "$(token_requests)" 1
	assertion >"$ASSERTION"
	age token 3600
	sypht-run curl -fsS -o /dev/null "$SANDBOX_API/echo"
	assert_equal "$(token_requests)" 2
	assert_equal "$(field client_assertion 2)" "$(<"$ASSERTION")"
}

# Who is told what -----------------------------------------------------------------------------------

@test "status: it says who the assertion is for, who made it and how long it lives, and shows none of it" {
	assertion >"$ASSERTION"
	try sypht-credential status
	assert_status 0
	assert_line '  secret    client_assertion_file'
	assert_line --regexp "^  identity  $POD_SUBJECT, from $POD_ISSUER, expires in [0-9]+ s$"
	refute_contains "$output" "$(cut -d . -f 3 "$ASSERTION")"
	assert_equal "$(token_requests)" 0
	try sypht-credential status --online
	assert_status 0
	assert_line --regexp '^  online    the endpoint gave a token'
	try sypht-credential status --json
	assert_equal "$(jq -c '.profiles[0].identity | [.subject, .issuer, (.expires | length)]' <<<"$output")" \
		"[\"$POD_SUBJECT\",\"$POD_ISSUER\",20]"
}

@test "status: an assertion that has expired, or is none, is an error" {
	POD_LIFE=-120 assertion >"$ASSERTION"
	try sypht-credential status
	assert_status 1
	assert_line --regexp '^  error     client_assertion_file: the assertion expired 12[0-9] s ago'
	try sypht-credential status --json
	assert_status 1
	assert_contains "$(jq -r '.profiles[0].secret_refused' <<<"$output")" 'expired'
	echo nonsense >"$ASSERTION"
	try sypht-credential status
	assert_status 1
	assert_line --partial 'error     client_assertion_file: not a JWT'
}

@test "login: there is nothing to keep, and nothing is asked for" {
	assertion >"$ASSERTION"
	try sypht-credential login <<<secret
	assert_refused 2 "profile 'pod'" client_assertion_file
	assert_file_not_exist "$XDG_CONFIG_HOME/sypht/credentials/pod"
}

@test "no argument, environment, trace, log or file shows the assertion" {
	not_under_sanitizers 'strace and LeakSanitizer exclude each other'
	assertion >"$ASSERTION"
	local secret
	secret=$(cut -d . -f 3 "$ASSERTION")
	strace -f -v -s 8192 -e trace=execve -o calls env SYPHT_TRACE=1 sypht-credential token >answer 2>story
	grep -q . answer
	grep -q . story
	refute_contains "$(cat calls story)" "${secret:0:24}"
	try grep -rlF -- "${secret:0:24}" "$HOME"
	assert_output "$ASSERTION"
}

@test "an endpoint that repeats the assertion, whole or in part, does not bring it into the reason" {
	assertion >"$ASSERTION"
	local secret
	secret=$(cut -d . -f 3 "$ASSERTION")
	faults "{\"token\": {\"status\": 400, \"body\": {\"error\": \"invalid_client\", \"error_description\": \"$(<"$ASSERTION")\"}}}"
	try sypht-credential token
	assert_refused 1 '****'
	refute_contains "$stderr" "${secret:0:24}"
	forget
	faults "{\"token\": {\"body\": {\"access_token\": \"$(<"$ASSERTION")\", \"token_type\": \"bearer\"}}}"
	refuses 1 "access_token is the client's own secret"
}

# Entra ID ---------------------------------------------------------------------------------------------

in_azure() {
	trust_cluster
	assertion >"$ASSERTION"
	profile_of pod 'provider = entra' "$@"
	sed -i /client_id/d "$XDG_CONFIG_HOME/sypht/config"
	export AZURE_CLIENT_ID=$POD_CLIENT AZURE_TENANT_ID=tenant-of-the-test
	export AZURE_FEDERATED_TOKEN_FILE=$ASSERTION AZURE_AUTHORITY_HOST=$SANDBOX_ISSUER/
}

@test "entra: Azure's variables say all there is to say, and one token is enough" {
	in_azure
	gives_token
	gives_token
	assert_equal "$(token_requests)" 1
	assert_equal "$(jq -r .line "$SANDBOX_TOKEN_REQUESTS")" 'POST /tenant-of-the-test/oauth2/v2.0/token HTTP/1.1'
	assert_equal "$(field client_id)" "$POD_CLIENT"
	AZURE_AUTHORITY_HOST=$SANDBOX_ISSUER gives_token
	assert_equal "$(token_requests)" 1
}

@test "entra: without an authority in the environment it is login.microsoftonline.com" {
	in_azure
	unset AZURE_AUTHORITY_HOST
	try sypht-credential status
	assert_line '  endpoint  https://login.microsoftonline.com/tenant-of-the-test/oauth2/v2.0/token'
	assert_line "  client    $POD_CLIENT"
}

@test "entra: no other profile takes anything of Azure's variables" {
	in_azure
	profile_of pod "token_url = $SANDBOX_TOKEN_URL"
	try sypht-credential status
	assert_line "  endpoint  $SANDBOX_TOKEN_URL"
	assert_line '  secret    none is stored or configured'
	refute_contains "$output" "$ASSERTION"
	SYPHT_PROFILE=sypht try sypht-credential status
	refute_contains "$output" tenant-of-the-test
	refute_contains "$output" "$POD_CLIENT"
}

@test "entra: what the profile says comes first, and without a token of the cluster its secret counts" {
	in_azure 'client_secret_file = ~/secret' 'client_id = own-client'
	try sypht-credential status
	assert_line '  secret    client_assertion_file'
	(umask 077 && echo value >"$HOME/secret")
	unset AZURE_FEDERATED_TOKEN_FILE
	try sypht-credential status
	assert_line '  secret    client_secret_file'
	try sypht-credential token
	assert_equal "$(field client_id) $(field client_secret)" "$POD_CLIENT value"
}

@test "entra: a tenant that is no tenant, an authority that is no https URL, and neither: errors of the config" {
	in_azure
	AZURE_TENANT_ID=a/../b refuses 2 'AZURE_TENANT_ID: expected a tenant'
	AZURE_AUTHORITY_HOST=http://login.example refuses 2 'AZURE_AUTHORITY_HOST: expected an https URL'
	unset AZURE_TENANT_ID
	refuses 2 'needs token_url or issuer'
}

# An answer that is none -------------------------------------------------------------------------------

@test "endpoint: a 200 that is no token is asked for once more: empty, HTML, cut short" {
	local fault
	for fault in '"body": ""' '"body": "<html>busy</html>"' '"truncate": 10' '"truncate": 10, "chunked": true'; do
		assertion >"$ASSERTION"
		faults "{\"token\": {\"times\": 1, $fault}}"
		gives_token
		assert_equal "$(token_requests)" 2
		forget
		reset_sandbox
	done
	faults '{"token": {"times": "all", "body": "<html>busy</html>"}}'
	refuses 1 'the answer is not a JSON object'
	assert_equal "$(token_requests)" 2
}
