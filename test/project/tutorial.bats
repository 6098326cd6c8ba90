#!/usr/bin/env bats
# Every command and every file of sypht-tutorial(7) does what the page says.

# shellcheck disable=SC2016,SC2317 # backticks mean code fences; functions stand in for programs

load ../lib/suite
load ../lib/readme

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
