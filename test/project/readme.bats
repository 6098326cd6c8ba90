#!/usr/bin/env bats
# Every command in README, in the man pages and in CONTRIBUTING is run, and does what stands there.

# shellcheck disable=SC2016,SC2317 # backticks mean code fences; functions stand in for programs

load ../lib/suite
load ../lib/readme

README=$BATS_TEST_DIRNAME/../../README.md
CONTRIBUTING=$BATS_TEST_DIRNAME/../../.github/CONTRIBUTING.md

setup_file() {
	start_sandbox
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal_for_documents
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
	assert_all_played "$README" README
	assert_all_played "$CONTRIBUTING" CONTRIBUTING
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
	done < <(grep -ohE '^(    |\$ (sudo )?)make [a-z0-9-]+|`(sudo )?make [a-z0-9-]+' "$README" "$CONTRIBUTING" |
		sed 's/.*make //' | sort -u)
}

@test "readme: install" {
	local package packages
	play "$README" 'Install'
	mapfile -t packages < <(grep -oE '[^ ]*/?sypht-credential_[^` ]*deb' "$README" | grep -v ^/tmp/)
	[ ${#packages[@]} -ge 2 ] || fail 'README names the package fewer than twice'
	for package in "${packages[@]}"; do
		apt install "$PWD/${package#*./}"
	done
}

@test "readme: a script" {
	log_in
	section "$README" 'A script' | sed -n '/^\$ cat report.sh/,/^\$ sh/p' | sed '1d;$d' |
		sed "$(there)" >report.sh
	# shown as the document has it, with its host
	cat() { command cat "$@" | back; }
	play "$README" 'A script'
	unset -f cat
}

@test "readme: a cron job, which cron runs by sh, with little of an environment" {
	local line
	log_in
	line=$(section "$README" 'A cron job' | sed -n '/^```crontab/,/^```$/p' | sed '1d;$d' | sed "$(there)")
	[[ $line =~ ^([^ ]+\ +){5}(.*) ]]
	bare sh -c "${BASH_REMATCH[2]}"
	grep -q client_id "$HOME/company.json"
	# it has no console, so this is what plays "$README" 'A cron job'
}

@test "readme: a container" {
	with_key
	play "$README" 'A container'
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

@test "readme: any other provider" {
	# an origin that the built-in profile does not name
	PROVIDER_API=$SANDBOX_API_HTTP
	play "$README" 'Any other provider'
	try sypht-credential status "$PROVIDER_API/invoices"
	assert_contains "$output" "client    $SANDBOX_README_CLIENT_ID"
}

@test "readme: all callers, by the table" {
	log_in
	try env "$(section "$README" 'All callers' | grep -oE "GOAUTH='[^']*'" | tr -d "'")" \
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

@test "manual: every example does what the page says" {
	local page
	log_in
	for page in "$ROOT"/helper/sypht-credential.1 "$ROOT"/plugin/run/*.1 "$ROOT"/plugin/*.7; do
		# an example may change the shell
		(play "$page" 'EXAMPLES')
	done
}

@test "manual: revoked tokens, and troubleshooting" {
	log_in
	play "$ROOT/helper/sypht-credential.1" 'Revoked tokens'
	play "$ROOT/helper/sypht-credential.1" 'TROUBLESHOOTING'
}

@test "manual: the example profiles are taken" {
	local name
	(umask 077 && mkdir -p "$XDG_CONFIG_HOME/sypht" && section "$ROOT/helper/sypht-config.5" EXAMPLES |
		grep '^\[profile\|^[a-z_]* = ' >"$XDG_CONFIG_HOME/sypht/config")
	# their secrets are not here, so status complains, but of those alone
	try sypht-credential status
	assert_empty "$(grep '^ *error ' <<<"$output" | grep -v 'secret\|private key')"
	for name in $(section "$ROOT/helper/sypht-config.5" EXAMPLES | sed -n 's/^\[profile \(.*\)\]$/\1/p'); do
		assert_contains "$output" "profile $name"
	done
}
