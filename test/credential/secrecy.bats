#!/usr/bin/env bats
# A client secret reaches the token endpoint and nothing else.

load ../lib/suite
load ../lib/helper

# What would give the secret away: itself, and the forms in which it is sent.
forms_of_secret() {
	printf '%s\n' "$SANDBOX_CLIENT_SECRET"
	printf %s "$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET" | base64 -w 0
}

refute_secret() {
	local form
	while read -r form; do refute_contains "$1" "$form"; done < <(forms_of_secret)
}

# Nothing below these paths holds the secret.
refute_secret_below() {
	try grep -rlaF -f <(forms_of_secret) "$@"
	assert_empty "$output"
}

# The processes that process $1 started, and theirs.
# The processes below that one. As the kernel lists them: ps would be one of them, and late.
descendants() {
	local child
	for child in $(<"/proc/$1/task/$1/children"); do
		printf '%s\n' "$child"
		descendants "$child"
	done
}

requested() {
	[ "$(token_requests)" -ge 1 ]
}

# watch_slow_mint COMMAND…: what argv and, but for the helper's own, environments hold while it asks.
# What is looked at is stopped meanwhile, and so cannot end.
watch_slow_mint() {
	local asking process below mints=0
	faults '{"token": {"delay_ms": 4000, "times": "all"}}'
	"$@" >out 3>&- &
	asking=$!
	wait_until requested
	mapfile -t below < <(descendants $asking)
	kill -STOP "${below[@]}"
	for process in $asking "${below[@]}"; do
		refute_secret "$(tr '\0' ' ' <"/proc/$process/cmdline")"
		[ "$(<"/proc/$process/comm")" = sypht-mint ] || continue
		mints=$((mints + 1))
		# the environment of a process that cannot be traced is root's to read
		refute_secret "$(tr '\0' ' ' 2>/dev/null <"/proc/$process/environ")"
	done
	kill -CONT "${below[@]}"
	[ $mints -eq 1 ]
	wait $asking
	assert_issued "$(<out)"
}

@test "secret: no argv and no child's environment holds it, from SYPHT_API_KEY" {
	watch_slow_mint "$BUILD/sypht-credential" token
}

@test "secret: no argv and no child's environment holds it, from SYPHT_CLIENT_SECRET" {
	unset SYPHT_API_KEY
	export SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID SYPHT_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
	watch_slow_mint "$BUILD/sypht-credential" token
}

@test "secret: no argv and no environment holds it, from a file" {
	unset SYPHT_API_KEY
	(umask 077 && printf %s "$SANDBOX_CLIENT_SECRET" >"$HOME/secret")
	configure < <(profile sypht 'client_secret_file = ~/secret')
	watch_slow_mint "$BUILD/sypht-credential" token
}

@test "secret: a command that is asked for one finds no other in its environment" {
	export SYPHT_CLIENT_SECRET=hunter2 SYPHT_CLIENT_SECRET_FILE=hunter3 LD_PRELOAD='' LD_AUDIT=''
	configure < <(profile other "client_secret_command = env >environment; printf %s '$SANDBOX_CLIENT_SECRET'")
	assert_issued "$(token --profile other)"
	refute_contains "$(<environment)" SYPHT_API_KEY
	refute_contains "$(<environment)" SYPHT_CLIENT_SECRET
	refute_contains "$(<environment)" LD_
	assert_contains "$(<environment)" "HOME=$HOME"
}

@test "secret: the mint's environment is chosen, not inherited" {
	export AWS_SECRET_ACCESS_KEY=hunter2 LD_LIBRARY_PATH=/nowhere
	mkdir bin
	cp "$BUILD/sypht-credential" bin
	printf '%s\n' '#!/bin/sh' 'env >&2' 'printf "credential=a-token\n\n"' >bin/sypht-mint
	chmod +x bin/sypht-mint
	http_proxy=http://127.0.0.1:1 try bin/sypht-credential token
	assert_output a-token
	refute_contains "$stderr" hunter2
	refute_contains "$stderr" LD_
	refute_contains "$stderr" SYPHT_
	assert_contains "$stderr" http_proxy=http://127.0.0.1:1
}

@test "secret: no file holds it but the one it was put in" {
	export SYPHT_TRACE=$HOME/trace
	assert_issued "$(token)"
	ask get < <(for_api capability[]=authtype)
	ask erase < <(for_api)
	faults '{"token": {"status": 400}}'
	ask token
	ask status
	refute_secret "$output"
	refute_secret_below "$HOME" "$TMPDIR"
	assert_file_not_empty "$SYPHT_TRACE"
	assert_equal "$(stat -c %a "$SYPHT_TRACE")" 600
}

@test "secret: not in the trace, whose tokens are fingerprints" {
	local current
	SYPHT_TRACE=1 ask token
	current=$output
	refute_secret "$stderr"
	refute_contains "$stderr" "$current"
	assert_contains "$stderr" 'client secret from SYPHT_API_KEY'
	assert_contains "$stderr" "POST $SANDBOX_TOKEN_URL: try 1"
	assert_contains "$stderr" 'HTTP 200'
	assert_contains "$stderr" 'minted token'
	SYPHT_TRACE=1 ask token
	refute_contains "$stderr" "$current"
	assert_contains "$stderr" 'cached token, 3'
}

@test "secret: an endpoint that sends it back has its words starred" {
	local body
	body=$(jq -cn --arg secret "$SANDBOX_CLIENT_SECRET" \
		'{error: ("bad " + $secret), error_description: ("no " + $secret + " and " + $secret)}')
	faults "$(jq -cn --arg body "$body" '{token: {status: 400, body: $body, times: "all"}}')"
	SYPHT_TRACE=$HOME/trace ask token
	assert_refused 1 'bad ****' 'no ****'
	refute_secret "$stderr"
	ask token
	refute_secret "$stderr"
	refute_secret_below "$HOME"
}

@test "secret: a value in the wrong place is not quoted" {
	local value
	for value in "$SANDBOX_CLIENT_SECRET" ":$SANDBOX_CLIENT_SECRET" \
		"id:$SANDBOX_CLIENT_SECRET"$'\n'x "$SANDBOX_CLIENT_SECRET"$'\n'x; do
		SYPHT_TRACE=1 SYPHT_API_KEY=$value ask token
		assert_status 1
		refute_secret "$stderr"
		SYPHT_API_KEY=$value ask status
		refute_secret "$output$stderr"
	done
	refute_secret_below "$HOME"
	assert_token_requests 0
}

@test "secret: a credential helper's answer is not quoted" {
	configure < <(profile other "client_secret_helper = !f() { printf '%s\n\n' $SANDBOX_CLIENT_SECRET; }; f")
	SYPHT_TRACE=1 ask token --profile other
	assert_status 1
	refute_secret "$stderr"
	configure < <(profile other "client_secret_command = printf '%s\n%s' $SANDBOX_CLIENT_SECRET x")
	SYPHT_TRACE=1 ask token --profile other
	assert_status 1
	refute_secret "$stderr"
}

@test "secret: a line of the config is not quoted in what is wrong with it" {
	configure <<<"client_secret $SANDBOX_CLIENT_SECRET"
	ask token
	assert_status 2
	refute_secret "$stderr"
	configure < <(profile sypht "client_secret = $SANDBOX_CLIENT_SECRET")
	ask token
	assert_refused 2 "unknown key 'client_secret'"
	refute_secret "$stderr"
}

# Whether COMMAND, aborted while the endpoint is slow, would leave a core.
dumps_core() {
	python3 - "$@" <<-'END'
		import os, resource, signal, subprocess, sys, time
		resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))
		child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
		child.stdin.flush()
		while open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()[0] != "S":
		    time.sleep(0.01)
		child.send_signal(signal.SIGABRT)
		print(os.WCOREDUMP(os.waitpid(child.pid, 0)[1]))
	END
}

@test "secret: neither the helper nor the mint leaves a core" {
	mkdir dumps && cd dumps
	[ "$(dumps_core cat)" = True ] || skip_allowed 'no cores are left here at all'
	faults '{"token": {"delay_ms": 60000, "times": "all"}}'
	assert_equal "$(dumps_core "$BUILD/sypht-credential" token)" False
	assert_equal "$(dumps_core "$BUILD/sypht-mint")" False
}
