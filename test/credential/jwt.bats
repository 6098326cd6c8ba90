#!/usr/bin/env bats
# private_key_jwt: a client that proves itself by a signature (RFC 7523), and never shows a secret.

load ../lib/suite
load ../lib/helper
load ../lib/identity

setup() {
	seal
	reset_sandbox
	export SYPHT_CAINFO=$SANDBOX_CA SYPHT_PROFILE=keyed
	KEY=$HOME/key.pem
}

# new_key OPTION…: for openssl genpkey.
new_key() {
	(umask 077 && openssl genpkey -out "$KEY" "$@" 2>/dev/null)
}

rsa_key() { new_key -algorithm RSA -pkeyopt rsa_keygen_bits:2048; }
ec_key() { new_key -algorithm EC -pkeyopt ec_paramgen_curve:P-256; }

# register [KEY_ID]: tell the token server of the public half.
register() {
	admin PUT key-client "$(openssl pkey -in "$KEY" -pubout | jq -Rs --arg kid "${1:-}" \
		'{client_id: "keyed-client", public_key: .} + if $kid == "" then {} else {key_id: $kid} end')" >&2
}

configure() {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '%s\n' '[profile keyed]' "origin = $SANDBOX_API" "token_url = $SANDBOX_TOKEN_URL" \
		'client_id = keyed-client' 'auth_method = private_key_jwt' "private_key_file = $KEY" "$@" \
		>"$XDG_CONFIG_HOME/sypht/config"
}

# part N [REQUEST]: the header (1) or the claims (2) of an assertion.
part() {
	local text
	text=$(field client_assertion "${2:-1}" | cut -d . -f "$1" | tr -- -_ +/)
	while ((${#text} % 4)); do text+='='; done
	base64 -d <<<"$text"
}

@test "RS256: an RSA key gets a token" {
	rsa_key
	register
	configure
	gives_token
	assert_equal "$(part 1)" '{"alg":"RS256","typ":"JWT"}'
}

@test "ES256: a P-256 key gets a token" {
	ec_key
	register
	configure
	gives_token
	assert_equal "$(part 1)" '{"alg":"ES256","typ":"JWT"}'
}

@test "PS256: an RSA key gets a token by it, if the config says so, or if it is a key for PSS alone" {
	rsa_key
	register
	configure 'assertion_algorithm = PS256'
	gives_token
	assert_equal "$(part 1)" '{"alg":"PS256","typ":"JWT"}'
	reset_sandbox
	rm -rf "$XDG_CACHE_HOME/sypht"
	configure
	openssl rsa -in "$KEY" -out plain.pem 2>/dev/null
	register
	new_key -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048
	refuses 1 invalid_client
	assert_equal "$(part 1)" '{"alg":"PS256","typ":"JWT"}'
}

@test "EdDSA: an Ed25519 key gets a token" {
	new_key -algorithm ED25519
	register
	configure
	gives_token
	assert_equal "$(part 1)" '{"alg":"EdDSA","typ":"JWT"}'
}

@test "a key with a password signs, if the password's file is private and right" {
	new_key -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:words-of-the-key
	admin PUT key-client "$(openssl pkey -in "$KEY" -passin pass:words-of-the-key -pubout |
		jq -Rs '{client_id: "keyed-client", public_key: .}')" >&2
	configure 'private_key_password_file = ~/password'
	refuses 1 "private key password file $HOME/password: No such file"
	(umask 077 && echo words-of-the-key >"$HOME/password")
	gives_token
	rm -rf "$XDG_CACHE_HOME/sypht"
	echo other >"$HOME/password"
	refuses 1 'not a private key in PEM that the password in private_key_password_file opens'
	refute_contains "$stderr" other
	chmod 644 "$HOME/password"
	refuses 1 "chmod 600 '$HOME/password'"
}

@test "ES256: every one of many signatures is good, short halves included" {
	ec_key
	register
	configure
	local _
	for _ in {1..40}; do
		gives_token
		sypht-credential erase <<<"protocol=https"$'\n'"host=${SANDBOX_API#https://}"
	done
	assert_equal "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS" | sort -u | wc -l)" 40
}

@test "the assertion says who, for whom, and until when: five minutes at most" {
	ec_key
	register
	configure
	gives_token
	try part 2
	assert_equal "$(jq -c '[.iss, .sub, .aud]' <<<"$output")" \
		"[\"keyed-client\",\"keyed-client\",\"$SANDBOX_TOKEN_URL\"]"
	assert_equal "$(jq '(.exp - .iat) as $life | $life > 60 and $life <= 300' <<<"$output")" true
	assert_equal "$(jq --argjson now "$(date +%s)" '($now - .iat) as $age | $age >= 0 and $age < 60' <<<"$output")" true
	assert_equal "$(field client_assertion_type)" \
		urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer
	assert_equal "$(field grant_type) $(field client_id)" 'client_credentials keyed-client'
	assert_empty "$(field client_secret)"
	refute_contains "$(jq -r '.headers[]' "$SANDBOX_TOKEN_REQUESTS")" Authorization
}

@test "each try has a jti of its own" {
	ec_key
	register
	configure
	faults '{"token": {"status": 503, "times": 2}}'
	gives_token
	local first second third
	first=$(part 2 1 | jq -r .jti) second=$(part 2 2 | jq -r .jti) third=$(part 2 3 | jq -r .jti)
	refute [ "$first" = "$second" ]
	refute [ "$second" = "$third" ]
	((${#first} >= 22))
}

@test "the key's id and the audience are as the config says" {
	ec_key
	register key-of-May
	configure 'private_key_id = key-of-May' "assertion_audience = $SANDBOX_ISSUER"
	gives_token
	assert_equal "$(part 1 | jq -r .kid)" key-of-May
	assert_equal "$(part 2 | jq -r .aud)" "$SANDBOX_ISSUER"
}

# thumbprint DIGEST: of cert.pem, as openssl takes it, in base64url.
thumbprint() {
	openssl x509 -in "$HOME/cert.pem" -outform DER | openssl dgst "-$1" -binary | base64 -w 0 |
		tr -- +/ -_ | tr -d =
}

@test "the certificate is named by both of its thumbprints, and the signature is good" {
	local key
	for key in rsa_key ec_key; do
		reset_sandbox
		rm -rf "$XDG_CACHE_HOME/sypht"
		$key
		register
		openssl req -x509 -key "$KEY" -subj /CN=robot -days 2 -out "$HOME/cert.pem"
		configure 'private_key_certificate = ~/cert.pem'
		gives_token
		assert_equal "$(part 1 | jq -r .x5t)" "$(thumbprint sha1)"
		assert_equal "$(part 1 | jq -r '."x5t#S256"')" "$(thumbprint sha256)"
	done
}

@test "a certificate that is missing, none, or another key's is refused, and nothing is sent" {
	ec_key
	register
	configure 'private_key_certificate = ~/cert.pem'
	refuses 1 "private_key_certificate: $HOME/cert.pem cannot be read"
	echo nonsense >"$HOME/cert.pem"
	rm -rf "$XDG_CACHE_HOME/sypht"
	refuses 1 'is not a certificate in PEM'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other \
		-keyout "$HOME/other.pem" -out "$HOME/cert.pem" 2>/dev/null
	rm -rf "$XDG_CACHE_HOME/sypht"
	refuses 1 'is not of the key in private_key_file'
	assert_equal "$(token_requests)" 0
}

@test "another key than the server knows is refused by the server" {
	ec_key
	register
	ec_key
	configure
	refuses 1 invalid_client
}

@test "a key that others can read is refused, with what to run" {
	ec_key
	chmod 640 "$KEY"
	configure
	refuses 1 "chmod 600 '$KEY'"
	assert_equal "$(token_requests)" 0
}

@test "no key, no PEM, a locked key, the wrong kind of key: each says so" {
	configure
	refuses 1 "private key file $KEY: No such file"
	(umask 077 && echo nonsense >"$KEY")
	refuses 1 'private_key_file: not a private key in PEM without a passphrase'
	new_key -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:x
	refuses 1 'without a passphrase'
	new_key -algorithm EC -pkeyopt ec_paramgen_curve:P-384
	refuses 1 'neither RSA of at least 2048 bits, EC P-256 nor Ed25519'
	new_key -algorithm RSA -pkeyopt rsa_keygen_bits:1024
	refuses 1 'neither RSA of at least 2048 bits, EC P-256 nor Ed25519'
	new_key -algorithm ED448
	refuses 1 'neither RSA of at least 2048 bits, EC P-256 nor Ed25519'
	rsa_key
	configure 'assertion_algorithm = ES256'
	refuses 1 'assertion_algorithm: ES256 is not for the kind of key in private_key_file'
	assert_equal "$(token_requests)" 0
}

@test "a key file with CRLF, and one of the old kind, are keys too" {
	ec_key
	register
	configure
	sed -i 's/$/\r/' "$KEY"
	gives_token
	sypht-credential erase <<<"protocol=https"$'\n'"host=${SANDBOX_API#https://}"
	(umask 077 && openssl ec -in <(tr -d '\r' <"$KEY") -out "$HOME/old.pem" 2>/dev/null)
	mv "$HOME/old.pem" "$KEY"
	assert_contains "$(<"$KEY")" 'BEGIN EC PRIVATE KEY'
	gives_token
}

@test "a profile without key or client id is an error in the config" {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '%s\n' '[profile keyed]' "token_url = $SANDBOX_TOKEN_URL" 'auth_method = private_key_jwt' \
		'client_id = x' >"$XDG_CONFIG_HOME/sypht/config"
	refuses 2 'needs client_id and private_key_file, for private_key_jwt'
}

@test "no environment, argument or file shows the key" {
	not_under_sanitizers 'strace and LeakSanitizer exclude each other'
	ec_key
	register
	configure
	strace -f -v -s 4096 -e trace=execve -o calls sypht-credential token
	local line
	line=$(sed -n 2p "$KEY")
	refute_contains "$(<calls)" "$line"
	try grep -rlF -- "$line" "$HOME"
	assert_output "$KEY"
}

@test "status names the key as the source, and login has nothing to do" {
	ec_key
	configure
	try sypht-credential status
	assert_contains "$output" 'secret    private_key_file'
	try sypht-credential login <<<secret
	assert_status 2
	assert_contains "$stderr" private_key_file
}
