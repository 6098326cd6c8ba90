#!/usr/bin/env bats
# Every command and every file of sypht-tutorial(7) does what the page says.

# shellcheck disable=SC2016,SC2034,SC2317 # backticks mean code fences; functions stand in for programs

load ../lib/suite
load ../lib/readme
load ../lib/identity

README=$BATS_TEST_DIRNAME/../../README.md
TUTORIAL=$BATS_TEST_DIRNAME/../../helper/sypht-tutorial.7

setup_file() {
	start_sandbox
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal_for_documents
}

@test "tutorial: every section with a command or a file is played here" {
	assert_all_played "$TUTORIAL" TUTORIAL
}

@test "tutorial: storing credentials" {
	play "$TUTORIAL" 'STORING YOUR CREDENTIALS'
}

@test "tutorial: a request" {
	log_in
	play "$TUTORIAL" 'MAKING A REQUEST'
	assert_equal "$(api_requests)" 2
}

@test "tutorial: a script" {
	log_in
	play "$TUTORIAL" 'WRITING A SCRIPT'
	assert_equal "$(token_requests)" 1
}

@test "tutorial: a program" {
	log_in
	play "$TUTORIAL" 'WRITING A PROGRAM'
}

@test "tutorial: a systemd service" {
	play "$TUTORIAL" 'RUNNING A SYSTEMD SERVICE'
	assert_equal "$(token_requests)" 1
	! command -v systemd-analyze >/dev/null || {
		sed 's|^ExecStart=.*|ExecStart=/bin/true|' "$PWD/etc/systemd/system/report.service" >report.service
		systemd-analyze verify "$PWD/report.service"
	}
}

@test "tutorial: PHP-FPM, whose workers have the pool's environment and the service's preload" {
	local environment
	php -r 'curl_init();' || skip_allowed 'not installed: PHP with libcurl; scripts/setup reach'
	install -D -m 644 <(printf '%s\n' "$SANDBOX_README_CLIENT_SECRET") "$PWD/etc/sypht/secret-of-www-data"
	mkdir -p "$PWD/var/cache"
	play "$TUTORIAL" 'RUNNING PHP-FPM'
	mapfile -t environment < <(sed -nE 's/^env\[(.*)\] = /\1=/p' "$PWD/etc/php/8.2/fpm/pool.d/www.conf")
	assert_equal "${#environment[@]}" 3
	try bare HOME= "$(unit_settings "$PWD/etc/systemd/system/php8.2-fpm.service.d/sypht.conf" Environment)" \
		"${environment[@]}" php -r '
		$handle = curl_init($argv[1]);
		curl_setopt($handle, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
		curl_exec($handle);' -- "$SANDBOX_API/app/company/byclientid/client_id"
	assert_contains "$output" '"clientId":"client_id"'
}

@test "tutorial: a container" {
	log_in
	section "$README" 'A container' | sed -n '/^```dockerfile/,/^```$/p' | sed "1d;\$d;$(there)" >Dockerfile
	install -D -m 600 <(printf '%s\n' "$SANDBOX_README_CLIENT_SECRET") "$PWD/run/secrets/sypht"
	with_key
	play "$TUTORIAL" 'RUNNING A CONTAINER'
	grep -q . token
	# what the image of Alpine is built with is what scripts/setup names for Alpine
	grep -qF "names='$(sed -n '2s/^RUN apk add //p' Dockerfile.alpine) " "$ROOT/scripts/setup"
	command make -n -C "$ROOT" install DESTDIR=/out >/dev/null
}

@test "tutorial: a token in a file, which the timer's service replaces" {
	local unit=$PWD/etc/systemd/system/sypht-token.service start
	play "$TUTORIAL" 'KEEPING A TOKEN IN A FILE'
	read -ra start < <(unit_settings "$unit" ExecStart)
	echo old >token
	with_key
	BEARER_TOKEN_FILE=$PWD/token "${start[@]}"
	assert_issued_token "$(<token)"
	! command -v systemd-analyze >/dev/null || {
		sed -i 's|^ExecStart=.*|ExecStart=/bin/true|' "$unit"
		systemd-analyze verify "$unit" "${unit%.service}.timer"
	}
}

assert_issued_token() {
	assert_equal "$(plain_curl --cacert "$SANDBOX_CA" -o /dev/null -w '%{http_code}' \
		-H "Authorization: Bearer $1" "$SANDBOX_API/echo")" 200
}

in_cluster() {
	umask 077
	POD_CLIENT=report
	cluster_key
	trust_cluster
	assertion >cluster-token
	unset SYPHT_AUTH_ENDPOINT SYPHT_API_BASE_ENDPOINT
}

@test "tutorial: Kubernetes and Entra ID" {
	in_cluster
	export AZURE_CLIENT_ID=$POD_CLIENT AZURE_TENANT_ID=tenant-of-the-test
	export AZURE_FEDERATED_TOKEN_FILE=$PWD/cluster-token AZURE_AUTHORITY_HOST=$SANDBOX_ISSUER/
	play "$TUTORIAL" 'Kubernetes and Microsoft Entra ID'
	assert_equal "$(token_requests)" 1
}

@test "tutorial: GitHub Actions" {
	POD_AUDIENCE=$SANDBOX_ISSUER/realms/main
	in_cluster
	faults "{\"bystander\": {\"times\": \"all\", \"body\": {\"value\": \"$(<cluster-token)\"}}}"
	export ACTIONS_ID_TOKEN_REQUEST_TOKEN=of-the-job ACTIONS_ID_TOKEN_REQUEST_URL="$SANDBOX_BYSTANDER_HTTP/?v=1"
	play "$TUTORIAL" 'GitHub Actions'
	assert_equal "$(requests 'select(.server == "bystander") | [.path, .scheme]')" \
		"[\"/?v=1&audience=$SANDBOX_ISSUER/realms/main\",\"bearer\"]"
}

@test "tutorial: SPIFFE" {
	POD_TYPE=urn:ietf:params:oauth:client-assertion-type:jwt-spiffe
	in_cluster
	mkdir bin
	printf '%s\n' '#!/bin/sh' "jq -R '[{svids: [{svid: .}]}]' '$PWD/cluster-token'" >bin/spire-agent
	chmod +x bin/spire-agent
	PATH=$PWD/bin:$PATH play "$TUTORIAL" 'SPIFFE'
	assert_equal "$(token_requests)" 1
}

@test "tutorial: Keycloak with mutual TLS, by the endpoint that its metadata name for it" {
	in_cluster
	mkdir -p etc/sypht
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=robot -days 300 \
		-CA "$SANDBOX_CLIENTS_CA" -CAkey "$SANDBOX_CLIENTS_CA_KEY" \
		-keyout etc/sypht/report.key -out etc/sypht/report.pem
	admin PUT tls-client "{\"client_id\": \"$POD_CLIENT\", \"subject\": \"CN=robot\"}"
	faults "$(jq -n --arg issuer "$SANDBOX_ISSUER/realms/main" --arg alias "$SANDBOX_TOKEN_URL" '{issuer: {times: "all",
		path: "/.well-known/oauth-authorization-server/realms/main", body: {issuer: $issuer,
		token_endpoint: "https://elsewhere.example/", mtls_endpoint_aliases: {token_endpoint: $alias}}}}')"
	play "$TUTORIAL" 'Keycloak with mutual TLS'
	assert_equal "$(token_requests)" 1
}

@test "tutorial: sudo" {
	with_key
	play "$TUTORIAL" 'USING SUDO'
}

@test "tutorial: git" {
	log_in
	play "$TUTORIAL" 'CLONING WITH GIT'
	assert_equal "$(git config --global --get-regexp '^credential' | back)" \
		'credential.https://api.sypht.com.helper sypht'
}

@test "tutorial: Bazel" {
	log_in
	play "$TUTORIAL" 'BUILDING WITH BAZEL'
	assert_equal "$(sed 's/.*=//' .bazelrc)" "$BUILD/sypht-credential"
}

@test "tutorial: Go" {
	log_in
	play "$TUTORIAL" 'go'
}

@test "tutorial: cargo" {
	play "$TUTORIAL" 'cargo'
	grep -qF 'credential-provider = ["sypht-credential"]' "$HOME/.cargo/config.toml"
}

@test "tutorial: pip and uv" {
	log_in
	play "$TUTORIAL" 'pip and uv'
}

@test "tutorial: pnpm" {
	log_in
	play "$TUTORIAL" 'pnpm'
}

@test "tutorial: docker, podman and skopeo" {
	log_in
	play "$TUTORIAL" 'docker, podman and skopeo'
	assert_equal "$(jq -r '.credHelpers[]' "$HOME/.docker/config.json")" sypht
}

@test "tutorial: Kubernetes" {
	local words
	log_in
	play "$TUTORIAL" 'CALLING KUBERNETES'
	# the command of the kubeconfig, as kubectl would run it
	mapfile -t words < <(sed -n 's/^ *command: //p' kubeconfig; sed -n 's/^ *args: //p' kubeconfig | jq -r '.[]')
	try "${words[@]}"
	assert_status 0
	assert_contains "$output" '"kind":"ExecCredential"'
}

@test "tutorial: scientific data" {
	log_in
	play "$TUTORIAL" 'READING SCIENTIFIC DATA'
	grep -q access_token htslib-token
}

@test "tutorial: a token for many machines" {
	play "$TUTORIAL" 'SHARING A TOKEN AMONG MACHINES'
}

@test "tutorial: cleaning up" {
	log_in
	play "$TUTORIAL" 'CLEANING UP'
	assert_file_not_exist "$XDG_CONFIG_HOME/sypht/credentials/sypht"
}
