#!/usr/bin/env bats
# Every command in README, in the man pages and in CONTRIBUTING is run, and does what stands there.

# shellcheck disable=SC2016,SC2317 # backticks mean code fences; functions stand in for programs

load suite
load readme

README=$BATS_TEST_DIRNAME/../README.md
CONTRIBUTING=$BATS_TEST_DIRNAME/../.github/CONTRIBUTING.md

setup_file() {
	start_sandbox
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	reset_sandbox
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL SYPHT_API_BASE_ENDPOINT=$SANDBOX_API
	export SYPHT_CAINFO=$SANDBOX_CA CURL_CA_BUNDLE=$SANDBOX_CA GIT_SSL_CAINFO=$SANDBOX_CA
	# as at a terminal, where curl draws no meter beside what it prints
	echo no-progress-meter >"$HOME/.curlrc"
}

# As after "login".
log_in() {
	printf '%s\n' "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET" | sypht-credential login
}

with_key() {
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET
}

with_repository() {
	git init -q -b main work
	git -C work -c user.name=A -c user.email=a@b commit -q --allow-empty -m Begin
	rm -rf "$SANDBOX_GIT/reports.git"
	git clone -q --bare work "$SANDBOX_GIT/reports.git"
}

@test "readme: the first screen" {
	play "$README" ''
	assert_equal "$(token_requests)" 1
}

@test "readme: every section with a command or a file is played here" {
	local title
	while IFS= read -r title; do
		section "$README" "$title" | grep -qE '^```(console|[a-z]+ .)' || continue
		grep -qF "\"\$README\" '$title'" "$BATS_TEST_FILENAME" || fail "not played: $title"
	done < <(titles "$README")
	while IFS= read -r title; do
		section "$CONTRIBUTING" "$title" | grep -q '^```console' || continue
		grep -qF "\"\$CONTRIBUTING\" '$title'" "$BATS_TEST_FILENAME" || fail "not played: $title"
	done < <(titles "$CONTRIBUTING")
}

@test "readme: every link within leads somewhere" {
	local place anchors
	anchors=$(titles "$README" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9\n-')
	for place in $(grep -oE '\]\(#[^)]*\)' "$README" | tr -d ']()#'); do
		grep -qxF -e "$place" <<<"$anchors" || fail "no such section: $place"
	done
	for place in $(grep -ohE '\]\([^h#)][^)]*\)' "$README" "$CONTRIBUTING" | tr -d ']()'); do
		assert_file_exist "$ROOT/$place"
	done
}

@test "readme: every make it speaks of is a target" {
	local target
	while read -r target; do
		make "$target" || fail "no such target: $target"
	done < <(grep -ohE '^(    |\$ (sudo )?)make [a-z-]+|`make [a-z-]+' "$README" "$CONTRIBUTING" |
		sed 's/.*make //' | sort -u)
}

@test "readme: install" {
	play "$README" 'Install'
}

@test "readme: how it works" {
	play "$README" 'How it works'
}

@test "readme: log in, and look" {
	play "$README" 'Put it to work'
}

@test "readme: a script" {
	log_in
	section "$README" 'A script' | sed -n '/^\$ cat report.sh/,/^\$ sh/p' | sed '1d;$d' |
		sed "$(there)" >report.sh
	# shown from the file as it is, and so with the document's host
	cat() { command cat "$@" | back | sed "s|byclientid/$SANDBOX_CLIENT_ID|byclientid/client_id|"; }
	play "$README" 'A script'
	unset -f cat
}

@test "readme: a cron job, which cron runs by sh, with little of an environment" {
	local line
	log_in
	line=$(section "$README" 'A cron job' | sed -n '/^```crontab/,/^```$/p' | sed '1d;$d' | sed "$(there)")
	[[ $line =~ ^([^ ]+\ +){5}(.*) ]]
	bare sh -c "${BASH_REMATCH[2]}"
	grep -q "$SANDBOX_CLIENT_ID" "$HOME/company.json"
	# "A cron job" has no console; it is played all the same: "$README" 'A cron job'
}

@test "readme: a container" {
	with_key
	play "$README" 'A container'
}

@test "readme: a systemd unit" {
	play "$README" 'A systemd unit'
	assert_equal "$(token_requests)" 1
	! command -v systemd-analyze >/dev/null || {
		section "$README" 'A systemd unit' | sed -n '/^```ini/,/^```$/p' | sed '1d;$d' |
			sed 's|^ExecStart=.*|ExecStart=/bin/true|' >report.service
		systemd-analyze verify "$PWD/report.service"
	}
}

@test "readme: PHP-FPM, whose workers have the pool's environment and the service's preload" {
	local environment
	play "$README" 'PHP-FPM'
	install -D -m 600 <(printf '%s\n' "$SANDBOX_CLIENT_SECRET") "$PWD/etc/sypht/secret-of-www-data"
	install -d -m 700 "$PWD/var/cache/sypht-www-data"
	mapfile -t environment < <(sed -nE 's/^env\[(.*)\] = /\1=/p' "$PWD/etc/php/8.2/fpm/pool.d/www.conf")
	assert_equal "${#environment[@]}" 3
	try bare HOME= "$(unit_settings "$PWD/etc/systemd/system/php8.2-fpm.service.d/sypht.conf" Environment)" \
		"${environment[@]}" php -r '
		$handle = curl_init($argv[1]);
		curl_setopt($handle, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
		curl_exec($handle);' -- "$SANDBOX_API/app/company/byclientid/$SANDBOX_CLIENT_ID"
	assert_contains "$output" "$SANDBOX_CLIENT_ID"
}

@test "readme: a git remote" {
	log_in
	with_repository
	# before 2.46 git takes no bearer token, and the sandbox wants one: the plugin is there for it
	git() {
		case $1 in
		clone) command sypht-run git "$@" 2>&1 | grep -v 'empty repository' ;;
		*) command git "$@" ;;
		esac
	}
	play "$README" 'A git remote'
	unset -f git
}

@test "readme: Bazel" {
	log_in
	play "$README" 'Bazel'
	assert_equal "$(sed 's/.*=//' .bazelrc)" "$BUILD/sypht-credential"
}

@test "readme: Kubernetes" {
	local words
	log_in
	play "$README" 'Kubernetes'
	# the command of the kubeconfig, as kubectl would run it
	mapfile -t words < <(sed -n 's/^ *command: //p' kubeconfig; sed -n 's/^ *args: //p' kubeconfig | jq -r '.[]')
	try "${words[@]}"
	assert_status 0
	assert_contains "$output" '"kind":"ExecCredential"'
}

@test "readme: other callers, by the table" {
	log_in
	try env "$(section "$README" 'Other callers' | grep -oE "GOAUTH='[^']*'" | tr -d "'")" \
		sh -c '$GOAUTH'
	assert_contains "$output" 'Authorization: Bearer '
	export HTS_AUTH_LOCATION=$PWD/hts
	try sypht-credential --protocol=htslib token-file
	assert_contains "$(cat hts)" access_token
	try sypht-credential token-file
	assert_file_exist "$output"
	ln -s "$BUILD/sypht-credential" keyring
	try ./keyring get "$SANDBOX_API" oauth2
	assert_status 0
}

@test "readme: profiles of other providers" {
	play "$README" 'Other providers'
}

@test "readme: troubleshooting" {
	log_in
	play "$README" 'Troubleshooting'
}

@test "readme: the symptoms told are words the programs say" {
	local words
	for words in 'no client credentials for profile' 'open to others; run: chmod' 'others can read' \
		'(asked less than' 'SSL certificate problem'; do
		[ "$words" = 'SSL certificate problem' ] ||
			grep -rqF "$words" "$ROOT/helper" || fail "nobody says: $words"
		section "$README" 'Troubleshooting' | grep -qF "${words% than}" || fail "not told: $words"
	done
}

@test "contributing: build and test" {
	cd "$ROOT" || return
	test() { assert_file_exist "$ROOT/$*"; }
	section "$CONTRIBUTING" 'Build and test' | sed -n 's/^\$ test\/run //p' | while read -r suite; do
		assert_file_exist "$ROOT/$suite"
	done
	play_words "$CONTRIBUTING" 'Build and test'
	# all of "$CONTRIBUTING" 'Build and test' but the suites themselves
}

# The commands of a section, but those that run suites, which would run this one again.
play_words() {
	local command
	while IFS= read -r command; do
		case $command in
		'test/run '*) ;;
		*) eval "$command" || fail "status $? of: $command" ;;
		esac
	done < <(section "$1" "$2" | sed -n 's/^\$ //p')
}

@test "manual: every example is run" {
	local page
	with_key
	# what a person would answer
	sypht-credential() {
		case $* in
		login) printf '%s\n' "${SYPHT_API_KEY%%:*}" "${SYPHT_API_KEY#*:}" |
			command sypht-credential login ;;
		*) command sypht-credential "$@" ;;
		esac
	}
	echo '<?php' >report.php
	for page in "$ROOT"/helper/*.1 "$ROOT"/plugin/*.1 "$ROOT"/plugin/*.7; do
		while IFS= read -r command; do
			printf '%s\n' "$command"
			(eval "$(sed -e 's|/app/company$|/app/company/byclientid/client_id|' -e 's|--profile billing|--profile sypht|' \
				-e "$(there)" <<<"$command")") >printed 2>&1 || {
				cat printed
				[[ $command == *'--check busybox' ]] || fail "in $page: $command"
			}
		done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/s/^\$ //p' "$page" | sed 's/\\e/\\/g')
	done
	unset -f sypht-credential
}

@test "manual: the example profiles are taken" {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	(umask 077 && sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$ROOT/helper/sypht-config.5" |
		grep -v '^\.\|^An\|^One' >"$XDG_CONFIG_HOME/sypht/config")
	try sypht-credential status
	assert_status 0
	assert_contains "$output" 'profile billing'
	assert_contains "$output" 'profile stock'
}
