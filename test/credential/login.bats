#!/usr/bin/env bats
# login and logout, store and erase: what is kept, where, and only once it has proved good; and
# every place a secret may come from, each with the real thing.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
	sypht_env
	unset SYPHT_API_KEY
	ID=$(client_id) SECRET=$(client_secret)
	KEPT=$XDG_CONFIG_HOME/sypht/credentials/sypht
	ENDPOINT=${SANDBOX_TOKEN_URL#https://}
	ENDPOINT=${ENDPOINT%%/*}
}

# configure LINE…: a config whose profile "sandbox" is of the sandbox, and these lines.
configure() {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '%s\n' '[profile sandbox]' "origin = $SANDBOX_API" "token_url = $SANDBOX_TOKEN_URL" "$@" \
		>"$XDG_CONFIG_HOME/sypht/config"
	export SYPHT_PROFILE=sandbox
	KEPT=$XDG_CONFIG_HOME/sypht/credentials/sandbox
}

log_in() {
	try sypht-credential login <<<"$ID"$'\n'"$SECRET"
}

gives_token() {
	try sypht-credential token
	assert_status 0
	assert_empty "$stderr"
}

gives_none() {
	try sypht-credential token
	assert_status 1
	assert_empty "$output"
}

# Nothing that lies around, but for the files named, holds the secret.
assert_nowhere_but() {
	try grep -rlF -- "$SECRET" "$HOME"
	assert_output "$(printf '%s\n' "$@")"
}

# login and logout ------------------------------------------------------------------------------

@test "login: keeps what has proved good, 0600, and says where" {
	log_in
	assert_status 0
	assert_empty "$stderr"
	assert_output "profile sypht: client credentials kept in $KEPT"
	assert_equal "$(stat -c %a "$KEPT" "${KEPT%/*}")" $'600\n700'
	assert_equal "$(token_requests)" 1
	assert_nowhere_but "$KEPT"
}

@test "login: the token it was proved by is the first to be served" {
	log_in
	gives_token
	assert_equal "$(token_requests)" 1
}

@test "login: keeps nothing that the endpoint refuses" {
	SECRET=wrong
	log_in
	assert_status 1
	assert_contains "$stderr" invalid_client
	refute [ -e "$KEPT" ]
}

@test "login: keeps nothing when the endpoint cannot be reached" {
	export SYPHT_AUTH_ENDPOINT=https://127.0.0.1:1/token SYPHT_TIMEOUT=1
	log_in
	assert_status 1
	refute [ -e "$KEPT" ]
}

@test "login: a wrong secret after a good one leaves the good one" {
	log_in
	SECRET=wrong
	log_in
	assert_status 1
	gives_token
}

@test "login: takes id:secret, key=value lines, and CRLF" {
	local said
	for said in "$ID:$SECRET" $'username='"$ID"$'\npassword='"$SECRET" "$ID"$'\r\n'"$SECRET"$'\r'; do
		rm -rf "$KEPT"
		try sypht-credential login <<<"$said"
		assert_status 0
		assert_exists "$KEPT"
	done
}

@test "login: takes nothing else" {
	local said
	for said in '' "$ID" $'a\nb\nc' ':x' 'x:' $'username=x'; do
		try sypht-credential login <<<"$said"
		assert_status 2
		assert_contains "$stderr" 'login: '
	done
	assert_equal "$(token_requests)" 0
}

@test "login: where the profile names the client id, the secret is enough, and another id is refused" {
	configure "client_id = $ID"
	try sypht-credential login <<<"$SECRET"
	assert_status 0
	gives_token
	try sypht-credential login <<<"$ID:$SECRET"
	assert_status 0
	gives_token
	try python3 "$ROOT/test/drivers/terminal.py" "$ID:$SECRET" unasked "$BUILD/sypht-credential" login
	assert_status 0
	refute_contains "$output" "$SECRET"
	gives_token
	try sypht-credential login <<<"other"$'\n'"$SECRET"
	assert_status 2
	assert_contains "$stderr" "is '$ID', not 'other'"
}

@test "login: of no use where the profile looks elsewhere, and says so" {
	configure 'client_secret_command = true'
	log_in
	assert_status 2
	assert_contains "$stderr" client_secret_command
	assert_equal "$(token_requests)" 0
}

@test "login: a variable that comes first is told of" {
	export SYPHT_API_KEY=$ID:$SECRET
	log_in
	assert_status 0
	assert_contains "$output" 'SYPHT_API_KEY is set, and takes precedence'
}

@test "login: drops the tokens of before" {
	log_in
	gives_token
	local before=$output
	log_in
	gives_token
	refute [ "$output" = "$before" ]
}

@test "login: lifts what is remembered of a wrong secret at once" {
	SYPHT_API_KEY=$ID:wrong gives_none
	log_in
	gives_token
}

@test "login: hides the secret at a terminal, and shows the prompt on stderr" {
	try python3 "$ROOT/test/drivers/terminal.py" "$ID" "$SECRET" "$BUILD/sypht-credential" login
	assert_status 0
	assert_contains "$output" "Client secret of '$ID'"
	assert_contains "$output" 'client credentials kept'
	refute_contains "$output" "$SECRET"
	gives_token
}

@test "login: id:secret at the first prompt is both, and is not shown again" {
	try python3 "$ROOT/test/drivers/terminal.py" "$ID:$SECRET" unasked "$BUILD/sypht-credential" login
	assert_status 0
	assert_contains "$output" 'client credentials kept'
	refute_contains "$output" 'Client secret of'
	assert_equal "$(grep -oF -e "$SECRET" <<<"$output" | wc -l)" 1
	gives_token
	try python3 "$ROOT/test/drivers/terminal.py" "$ID:" "$SECRET" "$BUILD/sypht-credential" login
	assert_status 0
	assert_contains "$output" "Client secret of '$ID' (not shown)"
	refute_contains "$output" "$SECRET"
}

@test "login: an interrupt at the prompt leaves the terminal as it was" {
	cat >person.py <<'EOF'
import os, pty, signal, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a runner in the background ignores it
    os.execvp("sypht-credential", ["sypht-credential", "login"])
seen = b""
def wait(text):
    global seen
    while text not in seen:
        seen += os.read(terminal, 1000)
wait(b"Client id: ")
os.write(terminal, b"id\n")
wait(b"(not shown): ")
assert not termios.tcgetattr(terminal)[3] & termios.ECHO
keep = os.open("/proc/%d/fd/0" % pid, os.O_RDWR | os.O_NOCTTY)
os.write(terminal, b"\x03")
status = os.waitpid(pid, 0)[1]
assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT, status
assert termios.tcgetattr(keep)[3] & termios.ECHO
EOF
	try python3 person.py
	assert_status 0
	refute [ -e "$KEPT" ]
}

@test "logout: drops credentials and tokens, and says what" {
	log_in
	gives_token
	try sypht-credential logout
	assert_status 0
	assert_output 'profile sypht: client credentials dropped, and no token is cached'
	refute [ -e "$KEPT" ]
	gives_none
	try sypht-credential logout
	assert_status 0
	assert_output 'profile sypht: no client credentials were stored, and no token is cached'
}

@test "store and erase do the same for scripts, in git's grammar" {
	try sypht-credential store <<<"protocol=https"$'\n'"host=$ENDPOINT"$'\n'"username=$ID"$'\n'"password=$SECRET"
	assert_status 0
	assert_empty "$output$stderr"
	gives_token
	try sypht-credential get <<<"protocol=https"$'\n'"host=$ENDPOINT"
	assert_status 0
	assert_empty "$output$stderr"
	try sypht-credential erase <<<"protocol=https"$'\n'"host=$ENDPOINT"$'\n'"username=$ID"$'\n'"password=other"
	gives_token
	try sypht-credential erase <<<"protocol=https"$'\n'"host=$ENDPOINT"
	gives_none
}

@test "what login kept does not follow a profile that points elsewhere" {
	log_in
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_BYSTANDER/token
	gives_none
	assert_equal "$(bystander_requests)" 0
}

# Where a secret comes from ---------------------------------------------------------------------

@test "secret: a file" {
	configure "client_id = $ID" 'client_secret_file = ~/secret'
	(umask 077 && echo "$SECRET" >"$HOME/secret")
	gives_token
	assert_nowhere_but "$HOME/secret"
}

@test "secret: a file others can read is refused, with what to run" {
	configure "client_id = $ID" "client_secret_file = $HOME/secret"
	echo "$SECRET" >"$HOME/secret"
	chmod 644 "$HOME/secret"
	gives_none
	assert_contains "$stderr" "chmod 600 '$HOME/secret'"
}

@test "secret: a credential that systemd hands over" {
	configure "client_id = $ID" 'client_secret_file = sypht'
	export CREDENTIALS_DIRECTORY=$HOME/credentials
	mkdir -m 700 "$CREDENTIALS_DIRECTORY"
	(umask 077 && printf %s "$SECRET" >"$CREDENTIALS_DIRECTORY/sypht")
	chmod 440 "$CREDENTIALS_DIRECTORY/sypht"
	gives_token
}

@test "secret: what a command prints" {
	(umask 077 && echo "$ID:$SECRET" >"$HOME/secret")
	configure 'client_secret_command = cat ~/secret'
	gives_token
	assert_nowhere_but "$HOME/secret"
}

@test "secret: pass, with gpg" {
	command -v pass >/dev/null || skip_allowed 'pass is not installed'
	export GNUPGHOME=$HOME/g
	mkdir -m 700 "$GNUPGHOME"
	gpg --batch --quiet --passphrase '' --quick-gen-key sandbox default default never
	pass init sandbox
	printf '%s\n%s\n' "$SECRET" "$SECRET" | pass insert sypht/sandbox
	configure "client_id = $ID" 'client_secret_command = pass show sypht/sandbox'
	gives_token
	assert_nowhere_but
	gpgconf --kill all
}

@test "secret: git's own credential-store, asked, told and made to forget" {
	configure 'client_secret_helper = store'
	gives_none
	log_in
	assert_status 0
	assert_output "profile sandbox: client credentials kept with credential helper 'store'"
	assert_equal "$(<"$HOME/.git-credentials")" "https://$ID:$SECRET@${ENDPOINT/:/%3a}"
	refute [ -e "$KEPT" ]
	gives_token
	assert_nowhere_but "$HOME/.git-credentials"
	try sypht-credential logout
	assert_status 0
	assert_empty "$(cat "$HOME/.git-credentials")"
	gives_none
}

@test "secret: a helper by its path, and one that is a snippet" {
	cat >"$HOME/helper" <<-EOF
		#!/bin/sh
		cat >"$HOME/asked"
		echo "operation=\$1" >>"$HOME/asked"
		echo username=$ID
		echo password=$SECRET
	EOF
	chmod 700 "$HOME/helper"
	configure "client_secret_helper = $HOME/helper"
	gives_token
	assert_equal "$(<"$HOME/asked")" "protocol=https"$'\n'"host=$ENDPOINT"$'\n\n'"operation=get"
	sypht-credential erase <<<"protocol=https"$'\n'"host=${SANDBOX_API#https://}"
	configure "client_secret_helper = !f() { $HOME/helper \"\$@\"; }; f"
	gives_token
}

@test "secret: a helper that knows nothing, fails, or hangs" {
	configure 'client_secret_helper = !true'
	gives_none
	assert_contains "$stderr" 'has no client credentials'
	configure 'client_secret_helper = !false'
	gives_none
	assert_contains "$stderr" 'ended with exit status 1'
	configure 'client_secret_helper = !sleep 30 #'
	SYPHT_TIMEOUT=1 gives_none
	assert_contains "$stderr" 'did not end in time'
}

@test "secret: no program run for a secret gets another in its environment" {
	export SYPHT_API_KEY=a:b SYPHT_CLIENT_SECRET=c
	configure "client_secret_command = env >&2; echo $ID:$SECRET"
	try sypht-credential token
	assert_status 0
	refute_contains "$stderr" SYPHT_API_KEY
	refute_contains "$stderr" SYPHT_CLIENT_SECRET
}

@test "secret: none of the programs on the way shows it in its arguments or environment" {
	configure "client_id = $ID" 'client_secret_file = ~/secret'
	(umask 077 && echo "$SECRET" >"$HOME/secret")
	not_under_sanitizers 'strace and LeakSanitizer exclude each other'
	unset SANDBOX_CLIENT_SECRET
	strace -f -v -s 4096 -e trace=execve -o calls sypht-credential token
	try cat calls
	assert_contains "$output" sypht-mint
	refute_contains "$output" "$SECRET"
}

# 1,000 profiles ----------------------------------------------------------------------------------

@test "the right one of 1,000 profiles is found" {
	local i
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	for i in {1..1000}; do
		printf '[profile p%s]\norigin = https://p%s.example\ntoken_url = https://t%s.example/token\n' "$i" "$i" "$i"
	done >"$XDG_CONFIG_HOME/sypht/config"
	printf '[profile last]\norigin = %s\ntoken_url = %s\nclient_id = %s\nclient_secret_file = ~/secret\n' \
		"$SANDBOX_API" "$SANDBOX_TOKEN_URL" "$ID" >>"$XDG_CONFIG_HOME/sypht/config"
	(umask 077 && echo "$SECRET" >"$HOME/secret")
	try sypht-credential token "$SANDBOX_API"
	assert_status 0
	try sypht-credential --profile p500 status
	assert_contains "$output" 'https://t500.example/token'
	assert_equal "$(sypht-credential status | grep -c ^profile)" 1002
}

# What could not be done --------------------------------------------------------------------------

CACHE_OPEN="run: chmod 700"

@test "logout: a token in a cache that is open to others remains, and that is said" {
	log_in
	chmod 755 "$XDG_CACHE_HOME/sypht"
	try sypht-credential logout
	assert_status 1
	assert_empty "$output"
	assert_contains "$stderr" 'client credentials dropped, but '
	assert_contains "$stderr" "$CACHE_OPEN"
	refute [ -e "$KEPT" ]
	chmod 700 "$XDG_CACHE_HOME/sypht"
	try sypht-credential logout
	assert_status 0
	gives_none
}

@test "login: a token in a cache that is open to others remains, and that is said" {
	log_in
	chmod 755 "$XDG_CACHE_HOME/sypht"
	log_in
	assert_status 1
	assert_contains "$stderr" 'client credentials kept, but '
	assert_contains "$stderr" "$CACHE_OPEN"
}

@test "erase: a token in a cache that is open to others remains, and that is said" {
	log_in
	chmod 755 "$XDG_CACHE_HOME/sypht"
	try sypht-credential erase <<<"protocol=https"$'\n'"host=${SANDBOX_API#https://}"
	assert_status 1
	assert_contains "$stderr" "$CACHE_OPEN"
	assert_equal "$(compgen -G "$XDG_CACHE_HOME/sypht/*.token" | wc -l)" 1
}

@test "logout and erase: a token that another process is renewing remains, and that is said" {
	log_in
	hold_lock
	SYPHT_TIMEOUT=1 try sypht-credential erase <<<"protocol=https"$'\n'"host=${SANDBOX_API#https://}"
	assert_status 1
	assert_contains "$stderr" 'the cached token is unchanged'
	SYPHT_TIMEOUT=1 try sypht-credential logout
	assert_status 1
	assert_contains "$stderr" 'client credentials dropped, but the cached token is unchanged'
	release_lock
}

@test "logout: a place that cannot be changed keeps what is there, and that is said" {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can mount a file system'
	mkdir -p "$XDG_CACHE_HOME/sypht"
	mount -t tmpfs -o size=64k,mode=700 tmpfs "$XDG_CACHE_HOME/sypht" || skip_allowed 'no mounts here'
	log_in
	mount -o remount,ro "$XDG_CACHE_HOME/sypht"
	try sypht-credential logout
	umount --lazy "$XDG_CACHE_HOME/sypht"
	assert_status 1
	assert_contains "$stderr" "but cannot remove $XDG_CACHE_HOME/sypht/"
	assert_contains "$stderr" 'Read-only file system'
}

@test "logout: a cache that is read-only and empty keeps nobody from it" {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can mount a file system'
	mkdir -p "$XDG_CACHE_HOME/sypht"
	mount -t tmpfs -o size=64k,mode=700,ro tmpfs "$XDG_CACHE_HOME/sypht" || skip_allowed 'no mounts here'
	log_in
	assert_status 0
	try sypht-credential logout
	umount --lazy "$XDG_CACHE_HOME/sypht"
	assert_status 0
	assert_output 'profile sypht: client credentials dropped, and no token is cached'
}

@test "login: a home that is read-only is named as that" {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can mount a file system'
	mkdir read-only
	mount -t tmpfs -o size=64k,mode=700,ro tmpfs read-only || skip_allowed 'no mounts here'
	XDG_CONFIG_HOME=$PWD/read-only log_in
	umount --lazy read-only
	assert_status 1
	assert_contains "$stderr" "$PWD/read-only/sypht/credentials: Read-only file system"
}

@test "logout: credentials that cannot be removed are not said to be dropped" {
	log_in
	chmod 711 "${KEPT%/*}"
	try sypht-credential logout
	assert_status 1
	assert_empty "$output"
	assert_contains "$stderr" "run: chmod 700 '${KEPT%/*}'"
	assert_exists "$KEPT"
}
