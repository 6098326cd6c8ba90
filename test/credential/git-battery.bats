#!/usr/bin/env bats
# What git asks of every external credential helper, for one that mints and stores no passwords:
# silence where it has nothing to say, never a byte on stderr, nobody else's host taken for its own.

load ../lib/suite

setup() {
	seal
	export GIT_CONFIG_NOSYSTEM=1 GIT_ASKPASS=$HOME/askpass
	git config --global credential.helper sypht
	cat >"$GIT_ASKPASS" <<-'EOF'
		#!/bin/sh
		echo "prompt: $1" >&2
		case $1 in
		*Username*) echo askpass-username ;;
		*) echo askpass-password ;;
		esac
	EOF
	chmod 700 "$GIT_ASKPASS"
}

# fill LINE…: git must end up asking the person, and hear nothing from the helper on the way.
must_prompt() {
	try git credential fill < <(printf '%s\n' "$@")
	assert_status 0
	assert_line password=askpass-password
	refute_contains "$stderr" sypht
	assert_equal "$(grep -vc '^prompt: ' <<<"$stderr")" 0
}

# must_be_silent VERB LINE…
must_be_silent() {
	local verb=$1
	shift
	try git-credential-sypht "$verb" < <(printf '%s\n' "$@")
	assert_status 0
	assert_empty "$output"
	assert_empty "$stderr"
}

THERE=(protocol=https host=example.com)

@test "nothing is known: git prompts" {
	must_prompt "${THERE[@]}"
}

@test "what was stored for a host that is not ours is not handed out either" {
	must_be_silent store "${THERE[@]}" username=store-user password=store-pass
	must_be_silent get "${THERE[@]}"
	must_prompt "${THERE[@]}"
}

@test "another protocol, another host, another user, another path: silence" {
	must_prompt protocol=http host=example.com
	must_prompt protocol=https host=other.tld
	must_prompt protocol=https host=example.com username=other
	git config --global credential.useHttpPath true
	must_prompt protocol=https host=example.com path=bar.git
}

@test "a host of ours over plain http: silence" {
	must_be_silent get protocol=http host=api.sypht.com
}

@test "protocols that are not http: silence" {
	must_be_silent get protocol=cert host= path=/x
	must_be_silent get protocol=ssh host=api.sypht.com
}

@test "erase by host, by user, by password, of what was never there" {
	must_be_silent erase "${THERE[@]}"
	must_be_silent erase "${THERE[@]}" username=user1
	must_be_silent erase "${THERE[@]}" username=user1 password=pass1
	must_be_silent erase protocol=https host=api.sypht.com
	must_be_silent erase protocol=https host=auth.sypht.com username=user1 password=pass1
}

@test "empty username and password are taken without a word" {
	must_be_silent store "${THERE[@]}" username= password=
	must_be_silent store protocol=https host=auth.sypht.com username= password=
	try find "$XDG_CONFIG_HOME" -type f
	assert_empty "$output"
}

@test "an expiry and a refresh token are taken without a word" {
	must_be_silent store "${THERE[@]}" username=u password=p password_expiry_utc=9999999999 oauth_refresh_token=r
	must_prompt "${THERE[@]}"
}

@test "a bearer credential is taken without a word, ephemeral or not" {
	must_be_silent store capability[]=authtype authtype=Bearer credential=token "${THERE[@]}"
	must_be_silent store capability[]=authtype authtype=Bearer credential=token ephemeral=1 "${THERE[@]}"
	must_be_silent get capability[]=authtype "${THERE[@]}"
}

@test "a host hidden behind a long line is not taken for the host" {
	local size filler
	for size in 1001 1024 4096 65500; do
		filler=$(head -c "$size" /dev/zero | tr '\0' a)
		must_be_silent get "wwwauth[]=${filler}host=api.sypht.com" "${THERE[@]}"
	done
}

@test "a line beyond 65535 bytes spoils the whole question" {
	local filler
	filler=$(head -c 65536 /dev/zero | tr '\0' a)
	try git-credential-sypht get < <(printf '%s\n' "wwwauth[]=${filler}host=api.sypht.com" "${THERE[@]}")
	assert_status 2
	assert_empty "$output"
}

@test "no protocol, or no host: an error, never an answer for all" {
	local line
	for line in protocol=https host=api.sypht.com path=x; do
		try git-credential-sypht get <<<"$line"
		assert_status 2
		assert_empty "$output"
		try git-credential-sypht erase <<<"$line"
		assert_status 2
	done
}

@test "a verb of tomorrow, and no input at all" {
	must_be_silent renew "${THERE[@]}"
	try git-credential-sypht renew </dev/null
	assert_status 0
	assert_empty "$output$stderr"
}

@test "a key and a capability of tomorrow are passed over" {
	must_be_silent get capability[]=telepathy mood=fine "${THERE[@]}"
}

@test "capability says what is spoken" {
	try git-credential-sypht capability </dev/null
	assert_output "version 0
capability authtype
capability state"
	assert_empty "$stderr"
}
