#!/usr/bin/env bats
# Where client credentials come from, which source is asked, and what a source may say.

# shellcheck disable=SC2016 # other shells expand what stands in single quotes

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
	sypht_env
	unset SYPHT_API_KEY
}

# secret_file [TEXT]: a private file that holds it, or the usual client's secret.
secret_file() {
	(umask 077 && printf %s "${1-$SANDBOX_CLIENT_SECRET}" >secret)
	configure < <(profile sypht "client_secret_file = $PWD/secret")
}

command_is() {
	configure < <(profile sypht "client_secret_command = $1")
}

# The same without a client id in the config.
without_id() {
	sed -i '/^client_id/d' "$XDG_CONFIG_HOME/sypht/config"
}

usual_pair() {
	printf '%s:%s' "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET"
}

source_shown() {
	"$BUILD/sypht-credential" status | sed -n 's/^  secret    //p'
}

# Which one ----------------------------------------------------------------------------------------

@test "secret: none at all is no token, and says where one may be put" {
	ask token
	assert_refused 1 "no client credentials for profile 'sypht'" SYPHT_API_KEY 'sypht-credential login'
	configure < <(profile other)
	ask token --profile other
	assert_refused 1 "no client credentials for profile 'other'" client_secret_file
	assert_token_requests 0
}

@test "secret: the first source that is set is the only one asked" {
	store_in_vault() { ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=vault); }
	store_in_vault
	assert_equal "$(source_shown)" login
	configure < <(profile sypht 'client_secret_helper = helper')
	assert_equal "$(source_shown)" client_secret_helper
	configure < <(profile sypht 'client_secret_helper = helper' 'client_secret_command = false')
	assert_equal "$(source_shown)" client_secret_command
	configure < <(profile sypht 'client_secret_command = false' 'client_secret_file = /missing')
	assert_equal "$(source_shown)" client_secret_file
	export SYPHT_API_KEY=id:secret
	assert_equal "$(source_shown)" SYPHT_API_KEY
	export SYPHT_CLIENT_ID=id SYPHT_CLIENT_SECRET_FILE=/missing
	assert_equal "$(source_shown)" SYPHT_CLIENT_SECRET_FILE
	export SYPHT_CLIENT_SECRET=secret
	assert_equal "$(source_shown)" SYPHT_CLIENT_SECRET

	unset SYPHT_API_KEY SYPHT_CLIENT_SECRET
	ask token
	assert_refused 1 /missing
	assert_token_requests 0
}

@test "secret: a source that fails is not passed over for the next" {
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	command_is false
	ask token
	assert_refused 1 'ended with exit status 1'
	assert_token_requests 0
}

# The environment ----------------------------------------------------------------------------------

@test "secret: SYPHT_API_KEY is id and secret, divided by the first colon" {
	faults '{"token": {"body": {"access_token": "a-token"}}}'
	SYPHT_API_KEY=one:two:three ask token
	assert_output a-token
	assert_contains "$(jq -r '.headers[]' "$SANDBOX_TOKEN_REQUESTS")" "Authorization: Basic $(printf one:two:three | base64)"
}

@test "secret: SYPHT_API_KEY without id, colon or secret is refused" {
	local value
	for value in id id: :secret :; do
		SYPHT_API_KEY=$value ask token
		assert_refused 1 'SYPHT_API_KEY: expected client_id:client_secret'
	done
	assert_token_requests 0
}

@test "secret: a line break in a variable is refused" {
	SYPHT_API_KEY=$'id:sec\nret' ask token
	assert_refused 1
	SYPHT_API_KEY=$'id:secret\r' ask token
	assert_refused 1
	SYPHT_CLIENT_ID=id SYPHT_CLIENT_SECRET=$'sec\nret' ask token
	assert_refused 1 SYPHT_CLIENT_SECRET
	assert_token_requests 0
}

@test "secret: SYPHT_CLIENT_SECRET goes with SYPHT_CLIENT_ID, or with the config's client_id" {
	export SYPHT_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
	ask token
	assert_refused 1 'there is no client id; set SYPHT_CLIENT_ID'
	SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID ask token
	assert_issued "$output"
	rm -rf "$(cache_directory)"
	configure < <(profile sypht)
	ask token
	assert_issued "$output"
}

@test "secret: SYPHT_CLIENT_SECRET_FILE holds the secret, or both" {
	secret_file
	export SYPHT_CLIENT_SECRET_FILE=$PWD/secret
	configure < <(profile sypht)
	assert_issued "$(token)"
	rm -rf "$(cache_directory)"
	usual_pair >secret
	without_id
	assert_issued "$(token)"
}

# A file -------------------------------------------------------------------------------------------

@test "secret: a file may be its owner's to read, and nobody else's" {
	local mode
	secret_file
	for mode in 640 604 660 606 620 602 601 610; do
		chmod $mode secret
		ask token
		assert_refused 1 "run: chmod 600 '$PWD/secret'"
	done
	for mode in 400 600 700; do
		chmod $mode secret
		assert_issued "$(token)"
		rm -rf "$(cache_directory)"
	done
}

@test "secret: a file of somebody else's is refused" {
	needs_root 'give files away'
	secret_file
	chown 65534 secret
	ask token
	assert_refused 1 "$PWD/secret: belongs to another user"
}

@test "secret: a file that is not there, or none at all, is named and not waited for" {
	secret_file
	rm secret
	ask token
	assert_refused 1 "$PWD/secret: No such file or directory"
	mkfifo -m 600 secret
	try timeout 8 "$BUILD/sypht-credential" token
	assert_refused 1 "$PWD/secret: not a regular file"
	rm secret && mkdir -m 700 secret
	ask token
	assert_refused 1 "$PWD/secret: not a regular file"
}

@test "secret: a file through a symbolic link is judged by what it is" {
	secret_file
	mv secret real && ln -s real secret
	assert_issued "$(token)"
	rm -rf "$(cache_directory)"
	chmod 644 real
	ask token
	assert_refused 1 'others can read this secret'
}

@test "secret: one line end behind it does not count, of whichever system" {
	local end
	for end in '' $'\n' $'\r\n'; do
		secret_file "$SANDBOX_CLIENT_SECRET$end"
		assert_issued "$(token)"
		rm -rf "$(cache_directory)"
	done
	configure < <(profile sypht "client_secret_file = $PWD/secret")
	without_id
	for end in '' $'\n' $'\r\n'; do
		printf '%s%s' "$(usual_pair)" "$end" >secret
		assert_issued "$(token)"
		rm -rf "$(cache_directory)"
	done
}

@test "secret: more than a line, control characters, NUL, nothing, or too much is refused" {
	local text
	for text in $'a\nb' $'a\n\n' $'a\tb' $'\x1b' '' $'\n' "$(printf %020000d 0)"; do
		secret_file "$text"
		ask token
		assert_refused 1 "$PWD/secret"
	done
	printf 'a\0b' >secret
	ask token
	assert_refused 1 "$PWD/secret" NUL
	assert_token_requests 0
}

@test "secret: without a client id anywhere a file must say both" {
	local text
	secret_file
	without_id
	for text in secret :secret id:; do
		printf %s "$text" >secret
		ask token
		assert_refused 1 'expected client_id:client_secret'
	done
}

@test "secret: ~/ is the home directory" {
	secret_file
	mv secret "$HOME/secret"
	configure < <(profile sypht 'client_secret_file = ~/secret')
	assert_issued "$(token)"
}

@test "secret: a bare name is systemd's credential where there is one, else a file here" {
	secret_file "$SANDBOX_CLIENT_SECRET"
	configure < <(profile sypht 'client_secret_file = secret')
	mkdir credentials
	export CREDENTIALS_DIRECTORY=$PWD/credentials
	assert_issued "$(token)"
	rm -rf "$(cache_directory)"
	cp secret credentials/secret
	echo wrong >secret
	chmod 440 credentials/secret
	assert_issued "$(token)"
	rm -rf "$(cache_directory)"
	chmod 444 credentials/secret
	ask token
	assert_refused 1 'others can read this secret'
}

# In containers -----------------------------------------------------------------------------------

# in_namespace SCRIPT: there /run is empty, and no mark says that this is a container, should it be
# one. What is mounted goes with it. $secret is the file that is to be one.
in_namespace() {
	unshare -m true 2>/dev/null || skip_allowed 'no mount namespace here'
	printf %s "$SANDBOX_CLIENT_SECRET" >secret
	chmod 644 secret
	export SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID
	try env BUILD="$BUILD" secret="$PWD/secret" unshare -m sh -ec "
		mount -t tmpfs -o mode=755 tmpfs /run
		mkdir -p /run/secrets /run/other
		if [ -e /.dockerenv ]; then
			touch /run/no-mark
			chown 65534 /run/no-mark
			mount --bind /run/no-mark /.dockerenv
		fi
		$1"
}

# is_believed SCRIPT, is_refused WORDS SCRIPT: the script names the file in SYPHT_CLIENT_SECRET_FILE,
# or configures it.
is_believed() {
	in_namespace "$1
		exec \"\$BUILD/sypht-credential\" token"
	assert_issued "$output"
	rm -rf "$(cache_directory)"
}

is_refused() {
	in_namespace "$2
		exec \"\$BUILD/sypht-credential\" token"
	assert_refused 1 "$1"
}

configured_file() {
	configure < <(profile sypht "client_secret_file = $1")
}

@test "secret: a secret that all can read is believed on a mount of its own below /run/secrets" {
	configured_file /run/secrets/sypht
	is_believed 'mount -t tmpfs tmpfs /run/secrets; cp -p $secret /run/secrets/sypht'
	is_believed 'mount -t tmpfs tmpfs /run/secrets; install -m 444 $secret /run/secrets/sypht'
	is_believed 'mount -t ramfs ramfs /run/secrets; install -m 444 $secret /run/secrets/sypht'
	is_believed 'touch /run/secrets/sypht; mount --bind $secret /run/secrets/sypht
		mount -o remount,bind,ro /run/secrets/sypht'
	configured_file /var/run/secrets/sypht
	is_believed 'mount -t tmpfs tmpfs /run/secrets; cp -p $secret /run/secrets/sypht'
}

@test "secret: Kubernetes's links within a mount are followed, and its mount is believed" {
	configured_file /run/secrets/api/sypht
	is_believed 'mkdir /run/secrets/api; mount -t tmpfs tmpfs /run/secrets/api; cd /run/secrets/api
		mkdir ..2026_01_01; cp -p $secret ..2026_01_01/sypht; ln -s ..2026_01_01 ..data
		ln -s ..data/sypht sypht; mount -o remount,ro /run/secrets/api'
}

@test "secret: systemd's credentials are believed, by name and by path" {
	export CREDENTIALS_DIRECTORY=/run/credentials/report.service
	configured_file sypht
	is_believed 'mkdir -p $CREDENTIALS_DIRECTORY; mount -t ramfs ramfs $CREDENTIALS_DIRECTORY
		install -m 400 $secret $CREDENTIALS_DIRECTORY/sypht'
	configured_file "$CREDENTIALS_DIRECTORY/sypht"
	is_believed 'mkdir -p $CREDENTIALS_DIRECTORY; mount -t ramfs ramfs $CREDENTIALS_DIRECTORY
		install -m 444 $secret $CREDENTIALS_DIRECTORY/sypht'
}

@test "secret: what all can read is refused where no mount of its own says whose it is" {
	configured_file /run/secrets/sypht
	is_refused "run: chmod 600 '/run/secrets/sypht'" 'cp -p $secret /run/secrets/sypht'
	configured_file /run/other/sypht
	is_refused 'run: chmod 600' 'mount -t tmpfs tmpfs /run/other; cp -p $secret /run/other/sypht'
	is_refused 'its mount is read-only; mount it with mode 0400' 'touch /run/other/sypht
		mount --bind $secret /run/other/sypht; mount -o remount,bind,ro /run/other/sypht'
	configured_file /run/secrets-of-others/sypht
	is_refused 'run: chmod 600' 'mkdir /run/secrets-of-others
		mount -t tmpfs tmpfs /run/secrets-of-others; cp -p $secret /run/secrets-of-others/sypht'
	configured_file /run/secrets/sypht
	is_refused 'run: chmod 600' 'mount -t tmpfs tmpfs /run/secrets
		cp -p $secret /run/other/sypht; ln -s /run/other/sypht /run/secrets/sypht'
}

@test "secret: what others can write, or somebody else has, is refused in containers, too" {
	configured_file /run/secrets/sypht
	is_refused 'others can write this secret' 'mount -t tmpfs tmpfs /run/secrets
		install -m 666 $secret /run/secrets/sypht'
	is_refused 'others can write this secret' 'mount -t tmpfs tmpfs /run/secrets
		install -m 664 $secret /run/secrets/sypht'
	is_refused 'belongs to another user' 'mount -t tmpfs tmpfs /run/secrets
		install -m 444 -o 65534 $secret /run/secrets/sypht'
}

@test "secret: in a container SYPHT_CLIENT_SECRET_FILE may be readable by all, wherever it is mounted" {
	export SYPHT_CLIENT_SECRET_FILE=/run/other/sypht
	is_refused "run: chmod 600 '/run/other/sypht'" 'cp -p $secret /run/other/sypht'
	is_believed 'cp -p $secret /run/other/sypht; touch /run/.containerenv'
	is_believed 'cp -p $secret /run/other/sypht; export KUBERNETES_SERVICE_HOST=10.0.0.1'
	is_refused 'run: chmod 600' 'cp -p $secret /run/other/sypht; touch /run/.containerenv
		chown 65534 /run/.containerenv'
	unset SYPHT_CLIENT_SECRET_FILE
	configured_file /run/other/sypht
	is_refused 'run: chmod 600' 'cp -p $secret /run/other/sypht; touch /run/.containerenv'
}

# A command ----------------------------------------------------------------------------------------

@test "secret: a command's output is the secret, or both; it is run by the shell where we are" {
	echo "$SANDBOX_CLIENT_SECRET" >"a file"
	command_is "tail -n 1 'a file' | cat"
	assert_issued "$(token)"
	rm -rf "$(cache_directory)"
	usual_pair >"a file"
	without_id
	assert_issued "$(token)"
}

@test "secret: a command is asked once per token, and not for a cached one" {
	command_is "echo asked >>count; printf %s $SANDBOX_CLIENT_SECRET"
	token >/dev/null
	token >/dev/null
	assert_equal "$(wc -l <count)" 1
}

@test "secret: a command reads nothing of ours, and what it has to say goes to the user" {
	command_is "cat; echo complaint >&2; printf %s $SANDBOX_CLIENT_SECRET"
	ask get < <(for_api)
	assert_issued "$(attribute password)"
	assert_equal "$stderr" complaint
}

@test "secret: a command that fails, is killed, or says nothing or nonsense is no secret" {
	command_is 'exit 3'
	ask token
	assert_refused 1 'ended with exit status 3'
	command_is 'kill -KILL 0'
	ask token
	assert_refused 1 'ended with exit status 137'
	command_is true
	ask token
	assert_refused 1 'client_secret_command: the secret is empty'
	command_is 'echo a; echo b'
	ask token
	assert_refused 1 'client_secret_command: holds more than one line'
	command_is 'head -c 1000000 /dev/zero'
	ask token
	assert_refused 1 'printed too much'
	command_is '/no/such/command'
	ask token
	assert_status 1
	assert_contains "$stderr" 'ended with exit status 127'
	assert_token_requests 0
}

@test "secret: a command that hangs ends with SYPHT_TIMEOUT, and so does all it started" {
	command_is 'sleep 61 & echo $! >child; wait'
	SYPHT_TIMEOUT=1 timed ask token
	assert_refused 1 'did not end in time'
	[ "$took_ms" -ge 900 ]
	assert_took_less 6000
	child_ended() { [[ $(ps -o stat= -p "$(<child)") =~ ^(Z.*)?$ ]]; }
	wait_until child_ended
}

# on_terminal COMMAND: what is typed is the usual secret; what is shown is in shown.
on_terminal() {
	python3 - "$1" >shown <<-'END'
		import os, pty, sys
		process, terminal = pty.fork()
		if process == 0:
		    os.execvp('bash', ['bash', '-c', sys.argv[1]])
		shown = b''
		try:
		    while data := os.read(terminal, 4096):
		        shown += data
		        if data.endswith(b'secret? '):
		            os.write(terminal, os.environ['SANDBOX_CLIENT_SECRET'].encode() + b'\n')
		except OSError:
		    pass
		os.waitpid(process, 0)
		sys.stdout.buffer.write(shown)
	END
}

@test "secret: a command may ask on the terminal, which is ours again afterwards" {
	command_is 'printf "secret? " >/dev/tty; read -r s </dev/tty; printf %s "$s"'
	on_terminal "set -m; '$BUILD/sypht-credential' token >token; read -rt 5 -p 'secret? ' line; echo \"read \$line\""
	assert_issued "$(<token)"
	assert_contains "$(<shown)" "read $SANDBOX_CLIENT_SECRET"
}

@test "secret: a command that asks from the background fails at once" {
	command_is 'read -r s </dev/tty; printf %s "$s"'
	timed on_terminal "set -m; '$BUILD/sypht-credential' token >token 2>reason & wait; echo done"
	assert_contains "$(<reason)" client_secret_command
	assert_took_less 15000
	assert_contains "$(<shown)" 'done'
}

@test "secret: a command's time is part of the whole supply's" {
	command_is "sleep 4; printf %s $SANDBOX_CLIENT_SECRET"
	faults '{"token": {"delay_ms": 60000}}'
	# five seconds; nine if the command's four did not count
	SYPHT_TIMEOUT=5 timed ask token
	assert_refused 1
	assert_took_less 8500
}

# A credential helper --------------------------------------------------------------------------------

# helper_says TEXT: a git credential helper of that path, which notes what it is told.
helper_says() {
	printf '#!/bin/sh\necho "$*" >asked\ncat >told\nprintf %s "%s"\n' "'%b'" "$1" >helper
	chmod +x helper
	configure < <(profile sypht "client_secret_helper = $PWD/helper")
}

@test "secret: a helper is told protocol, host and user of the token endpoint" {
	helper_says "username=$SANDBOX_CLIENT_ID\npassword=$SANDBOX_CLIENT_SECRET\n"
	assert_issued "$(token)"
	assert_equal "$(<asked)" get
	assert_equal "$(<told)" "protocol=https
host=${SANDBOX_ISSUER#https://}
username=$SANDBOX_CLIENT_ID"

	rm -rf "$(cache_directory)"
	without_id
	assert_issued "$(token)"
	refute_contains "$(<told)" username
}

@test "secret: a helper's other lines do not matter, nor what stands behind a blank one" {
	helper_says "protocol=https\nhost=x\nquit=0\nusername=other\npassword=$SANDBOX_CLIENT_SECRET\nx[]=y\n\nnonsense"
	assert_issued "$(token)"
}

@test "secret: a helper that knows none, or says nonsense, is no secret" {
	local says
	for says in '' "username=$SANDBOX_CLIENT_ID\n" 'password=\n' 'quit=1\n' '\n'; do
		helper_says "$says"
		ask token
		assert_refused 1 'has no client credentials'
	done
	for says in 'nonsense\n' 'password=a\r\n'; do
		helper_says "$says"
		ask token
		assert_refused 1 'printed something else than key=value lines'
	done
	assert_token_requests 0
}

@test "secret: a helper may be a snippet, with arguments, or one of git's by name" {
	local way
	git config --global credential.helper "store --file=$HOME/store"
	printf 'protocol=https\nhost=%s\nusername=%s\npassword=%s\n\n' "${SANDBOX_ISSUER#https://}" \
		"$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET" | git credential approve
	for way in "store --file=$HOME/store" "!git credential-store --file=$HOME/store" \
		'!f() { git credential fill; }; f'; do
		rm -rf "$(cache_directory)"
		configure < <(profile sypht "client_secret_helper = $way")
		ask token
		assert_issued "$output"
	done
}

@test "secret: a profile with a helper keeps what store is told with it" {
	configure < <(profile sypht "client_secret_helper = store --file=$HOME/store")
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	assert_silence
	assert_file_not_exist "$XDG_CONFIG_HOME/sypht/credentials"
	assert_contains "$(<"$HOME/store")" "$SANDBOX_CLIENT_SECRET"
	assert_issued "$(token)"
	ask erase < <(for_endpoint)
	assert_equal "$(<"$HOME/store")" ''
}

# What store kept ------------------------------------------------------------------------------------

kept() {
	printf '%s\n' "$XDG_CONFIG_HOME/sypht/credentials/sypht"
}

# spoilt COMMAND…: what store kept is no secret any more, once the command was run.
spoilt() {
	rm -rf "$XDG_CONFIG_HOME/sypht"
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	"$@"
	ask token
	assert_status 1
	assert_empty "$output"
}

replace_by() {
	mv "$(kept)" aside
	"$@" "$(kept)"
}

@test "secret: what store kept is used only as it was kept" {
	spoilt chmod 644 "$(kept)"
	spoilt chmod 755 "$(dirname "$(kept)")"
	spoilt replace_by ln -s "$PWD/aside"
	spoilt replace_by mkfifo -m 600
	spoilt replace_by mkdir -m 600
	spoilt sed -i '$ d' "$(kept)"
	spoilt sed -i '/^password/d' "$(kept)"
	spoilt sed -i '/^endpoint/d' "$(kept)"
	[ "$(id -u)" != 0 ] || spoilt chown 65534 "$(kept)"
	assert_token_requests 0
}

@test "secret: what store kept is cut short nowhere without being none" {
	local length step=${TEST_SANITIZED:+10} # sanitized programs start slowly
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	cp "$(kept)" whole
	for ((length = $(stat -c %s whole) - 1; length >= 0; length -= ${step:-1})); do
		head -c $length whole >"$(kept)"
		assert_equal "$length: $(token 2>/dev/null)" "$length: "
	done
	assert_token_requests 0
	cp whole "$(kept)"
	assert_issued "$(token)"
}
