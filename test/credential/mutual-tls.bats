#!/usr/bin/env bats
# Clients that show a certificate to the token endpoint (RFC 8705), over real mutual TLS.

load ../lib/suite
load ../lib/helper
load ../lib/identity

setup() {
	seal
	reset_sandbox
	umask 077
	export SYPHT_CAINFO=$SANDBOX_CA CURL_CA_BUNDLE=$SANDBOX_CA SYPHT_PROFILE=robot
}

# certificate NAME [OPTION…]: NAME.key and NAME.pem, signed by the sandbox's CA of clients unless the
# options say otherwise.
certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=robot \
		-keyout "$1.key" -out "$1.pem" -days 365 "${@:2}" 2>/dev/null
}

by_authority() {
	certificate "$1" -CA "$SANDBOX_CLIENTS_CA" -CAkey "$SANDBOX_CLIENTS_CA_KEY" "${@:2}"
}

# register SUBJECT: with the token server; register_own FILE: that certificate.
register() { admin PUT tls-client "{\"client_id\": \"$POD_CLIENT\", \"subject\": \"$1\"}" >&2; }
register_own() {
	admin PUT tls-client "$(jq -Rs --arg id "$POD_CLIENT" '{client_id: $id, certificate: .}' "$1")" >&2
}

configure_robot() {
	profile_of robot "token_url = $SANDBOX_TOKEN_URL" 'auth_method = tls_client_auth' "$@"
}

@test "tls: a certificate of the CA gets a token, and nothing else is sent" {
	by_authority robot
	register CN=robot
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	gives_token
	assert_equal "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS")" "grant_type=client_credentials&client_id=$POD_CLIENT"
	refute_contains "$(jq -r '.headers[]' "$SANDBOX_TOKEN_REQUESTS")" Authorization
}

@test "tls: a certificate that the server knows gets a token, whoever signed it" {
	certificate robot
	register_own robot.pem
	profile_of robot "token_url = $SANDBOX_TOKEN_URL" 'auth_method = self_signed_tls_client_auth' \
		"client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	gives_token
}

@test "tls: one file may hold both, in PEM or PKCS#12, with a password or without" {
	by_authority robot
	register CN=robot
	cat robot.pem robot.key >both.pem
	openssl pkcs12 -export -in robot.pem -inkey robot.key -passout pass: -out open.p12
	openssl pkcs12 -export -in robot.pem -inkey robot.key -passout pass:words-of-the-key -out locked.p12
	echo words-of-the-key >password
	configure_robot "client_certificate_file = $PWD/both.pem"
	gives_token
	forget
	configure_robot "client_certificate_file = $PWD/open.p12"
	gives_token
	forget
	configure_robot "client_certificate_file = $PWD/locked.p12" "private_key_password_file = $PWD/password"
	gives_token
	forget
	configure_robot "client_certificate_file = $PWD/locked.p12" "private_key_file = $PWD/locked.p12" \
		"private_key_password_file = $PWD/password"
	gives_token
}

@test "tls: a key in PEM with a password" {
	by_authority robot
	register CN=robot
	openssl pkey -in robot.key -aes256 -passout pass:words-of-the-key -out locked.key
	echo words-of-the-key >password
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/locked.key" \
		"private_key_password_file = $PWD/password"
	gives_token
	forget
	echo other >password
	refuses 1 'private_key_file: not a private key in PEM that the password in private_key_password_file opens'
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/locked.key"
	refuses 1 'private_key_file: not a private key in PEM without a passphrase'
}

@test "tls: the file of the certificate may be readable by all, that of the key may not" {
	by_authority robot
	register CN=robot
	chmod 644 robot.pem
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	gives_token
	forget
	chmod 644 robot.key
	refuses 1 "others can read this secret; run: chmod 600 '$PWD/robot.key'"
	cat robot.key >>robot.pem
	configure_robot "client_certificate_file = $PWD/robot.pem"
	refuses 1 "others can read this secret; run: chmod 600 '$PWD/robot.pem'"
}

@test "tls: another subject, another CA: the server refuses it, once" {
	by_authority robot
	register CN=someone-else
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	refuses 1 invalid_client
	assert_equal "$(token_requests)" 1
	register CN=robot
	certificate robot
	refuses 1 invalid_client
	assert_equal "$(token_requests)" 2
}

@test "tls: what cannot be used is not sent: no certificate, another key's, expired, no PEM, a FIFO, none" {
	by_authority robot
	by_authority other
	configure_robot "client_certificate_file = $PWD/other.pem" "private_key_file = $PWD/robot.key"
	refuses 1 "client_certificate_file: $PWD/other.pem is not of the key in private_key_file"
	echo nonsense >other.pem
	refuses 1 "client_certificate_file: $PWD/other.pem is not a certificate in PEM"
	head -c 102400 /dev/zero >other.pem
	refuses 1 "client_certificate_file: $PWD/other.pem cannot be read"
	rm other.pem
	mkfifo other.pem
	refuses 1 "client_certificate_file: $PWD/other.pem cannot be read"
	rm other.pem
	refuses 1 "client_certificate_file: $PWD/other.pem cannot be read"
	configure_robot "client_certificate_file = $PWD/robot.key"
	refuses 1 'client_certificate_file: the file is not a certificate in PEM'
	openssl pkcs12 -export -nokeys -in robot.pem -passout pass: -out keyless.p12
	configure_robot "client_certificate_file = $PWD/keyless.p12"
	refuses 1 'client_certificate_file: not PKCS#12 that the password'
	head -c 200 /dev/zero >zeros.p12
	configure_robot "client_certificate_file = $PWD/zeros.p12"
	refuses 1 'client_certificate_file: not PKCS#12 that the password'
	assert_equal "$(token_requests)" 0
}

@test "tls: a certificate that has expired is not sent, and the reason says since when" {
	expired robot
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	refuses 1 'client_certificate_file: the certificate expired ' 'replace it, unless the clock'
	assert_equal "$(token_requests)" 0
	try sypht-credential status
	assert_status 1
	assert_line --partial 'error     client_certificate_file: the certificate expired'
}

# expired NAME: as certificate does, but of yesterday.
expired() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
	openssl req -new -key "$1.key" -subj /CN=robot -out "$1.csr"
	: >index
	echo 01 >serial
	printf '%s\n' '[ca]' 'default_ca = one' '[one]' 'database = index' 'serial = serial' 'new_certs_dir = .' \
		'default_md = sha256' 'policy = any' '[any]' 'commonName = supplied' >ca.conf
	openssl ca -batch -notext -config ca.conf -cert "$SANDBOX_CLIENTS_CA" -keyfile "$SANDBOX_CLIENTS_CA_KEY" \
		-startdate 20200101000000Z -enddate 20200102000000Z -in "$1.csr" -out "$1.pem" 2>/dev/null
}

@test "tls: a certificate without id or file, or an endpoint without TLS, is an error in the config" {
	configure_robot
	refuses 2 'needs client_id and client_certificate_file, for tls_client_auth'
	by_authority robot
	profile_of robot 'token_url = http://127.0.0.1:9/token' 'auth_method = tls_client_auth' \
		"client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	try sypht-credential token
	assert_refused 2 'tls_client_auth needs an https URL'
}

@test "tls: mtls_endpoint_aliases of the metadata are followed, by such clients alone" {
	by_authority robot
	register CN=robot
	faults "$(jq -n --arg issuer "$SANDBOX_ISSUER" --arg endpoint "$SANDBOX_BYSTANDER/token" \
		--arg alias "$SANDBOX_TOKEN_URL" '{issuer: {times: "all",
		path: "/.well-known/oauth-authorization-server", body: {issuer: $issuer,
		token_endpoint: $endpoint, mtls_endpoint_aliases: {token_endpoint: $alias}}}}')"
	profile_of robot "issuer = $SANDBOX_ISSUER" 'auth_method = tls_client_auth' \
		"client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	gives_token
	echo value >secret
	profile_of robot "issuer = $SANDBOX_ISSUER" "client_secret_file = $PWD/secret"
	try sypht-credential token
	assert_status 1
	assert_equal "$(bystander_requests)" 1
}

@test "tls: an alias that is no https URL is refused" {
	by_authority robot
	faults "$(jq -n --arg issuer "$SANDBOX_ISSUER" '{issuer: {times: "all",
		path: "/.well-known/oauth-authorization-server", body: {issuer: $issuer,
		token_endpoint: $issuer, mtls_endpoint_aliases: {token_endpoint: "http://elsewhere.example/"}}}}')"
	profile_of robot "issuer = $SANDBOX_ISSUER" 'auth_method = tls_client_auth' \
		"client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	refuses 1 "token_endpoint 'http://elsewhere.example/' is not an https URL"
}

@test "tls: certificate and key that are replaced while they are refused are read again" {
	certificate robot
	by_authority next
	register CN=robot
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	rotated_while_refused replace_both
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(token_requests)" 2
}

replace_both() {
	mv next.key robot.key
	mv next.pem robot.pem
}

@test "tls: another certificate leads to another cached token" {
	by_authority robot
	by_authority other
	register CN=robot
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	gives_token
	configure_robot "client_certificate_file = $PWD/other.pem" "private_key_file = $PWD/other.key"
	gives_token
	assert_equal "$(token_requests)" 2
}

@test "status: it says whose certificate it is, and warns before its end" {
	by_authority robot -days 365
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	try sypht-credential status
	assert_status 0
	assert_line --regexp '^  identity  CN=robot, from CN=Sandbox CA of clients, expires in [0-9]+ s$'
	refute_contains "$output" warning
	try sypht-credential status --json
	assert_equal "$(jq -c '.profiles[0].identity | [.subject, .issuer]' <<<"$output")" \
		'["CN=robot","CN=Sandbox CA of clients"]'
	faketime_certificate
	try sypht-credential status
	assert_status 0
	assert_line --regexp '^  warning   the certificate expires in [0-9] days; replace it$'
}

# One that was made 360 days ago.
faketime_certificate() {
	faketime -f -360d openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=robot \
		-CA "$SANDBOX_CLIENTS_CA" -CAkey "$SANDBOX_CLIENTS_CA_KEY" -keyout robot.key -out robot.pem \
		-days 365 2>/dev/null
}

@test "login: a client with a certificate has no secret to store" {
	by_authority robot
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $PWD/robot.key"
	try sypht-credential login <<<secret
	assert_refused 2 "profile 'robot' has private_key_file, so there is no client secret to store"
}

@test "no argument, environment, trace or file shows the key or its password" {
	not_under_sanitizers 'strace and LeakSanitizer exclude each other'
	local line
	by_authority robot
	register CN=robot
	openssl pkcs12 -export -in robot.pem -inkey robot.key -passout pass:words-of-the-key -out locked.p12
	line=$(sed -n 2p robot.key)
	rm robot.key
	echo words-of-the-key >password
	configure_robot "client_certificate_file = $PWD/locked.p12" "private_key_password_file = $PWD/password"
	strace -f -v -s 8192 -e trace=execve -o calls env SYPHT_TRACE=1 sypht-credential token >answer 2>story
	grep -q . answer
	refute_contains "$(cat calls story)" "${line:0:24}"
	refute_contains "$(cat calls story)" words-of-the-key
	try grep -rlF -e "${line:0:24}" -e words-of-the-key "$HOME"
	assert_output "$PWD/password"
}

# A PKCS#11 token in software, with the key of robot.key; its URI in $uri.
store_key_in_token() {
	local module
	module=$(compgen -G '/usr/lib/*/softhsm/libsofthsm2.so' || compgen -G /usr/lib/softhsm/libsofthsm2.so) || return
	mkdir tokens
	printf 'directories.tokendir = %s\n' "$PWD/tokens" >softhsm2.conf
	export SOFTHSM2_CONF=$PWD/softhsm2.conf PKCS11_MODULE_PATH=$module
	openssl pkcs8 -topk8 -nocrypt -in robot.key -out robot.pk8
	softhsm2-util --init-token --free --label robots --pin 4711 --so-pin 4711 >/dev/null
	softhsm2-util --import robot.pk8 --token robots --label robot --id 01 --pin 4711 >/dev/null
	uri='pkcs11:token=robots;object=robot;type=private?pin-value=4711'
}

@test "tls: a key that stays in a PKCS#11 token" {
	command -v softhsm2-util >/dev/null && compgen -G '/usr/lib/*/engines-3/pkcs11.so' >/dev/null ||
		skip_allowed 'neither softhsm2 nor the engine for PKCS#11 is installed'
	by_authority robot
	register CN=robot
	store_key_in_token
	rm robot.key robot.pk8
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = $uri"
	gives_token
	forget
	configure_robot "client_certificate_file = $PWD/robot.pem" "private_key_file = ${uri/object=robot/object=other}"
	refuses 1 private_key_file
	refute_contains "$stderr" 4711
}
