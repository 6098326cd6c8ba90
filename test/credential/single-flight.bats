#!/usr/bin/env bats
# Many who want one token make one request: under a lock, with failures remembered, and with the
# next token fetched in the background before the last one ends.

load ../lib/suite
load ../lib/helper

# assert_herd OUT ERR: all lines of herd.out are OUT, and those of herd.err hold ERR.
assert_herd() {
	local number=$1 out=$2 error=$3
	assert_equal "$(grep -cxFe "$out" herd.out) of $number answered so" "$number of $number answered so"
	assert_equal "$(sort -u herd.out | wc -l) kind of answer" '1 kind of answer'
	assert_equal "$(cat herd.err)" "$error"
}

requested() {
	[ "$(token_requests)" -ge "${1:-1}" ]
}

# Whether none of these processes runs; one that nobody has reaped yet does not.
gone() {
	local process
	for process; do [[ $(ps -o stat= -p "$process") =~ ^(Z.*)?$ ]] || return; done
}

# after PYTHON COMMAND…: become it, having done that to one's signals.
after() {
	exec python3 -c "import os, signal, sys"$'\n'"$1"$'\n'"os.execv(sys.argv[1], sys.argv[1:])" "${@:2}"
}

# The processes that process $1 started, and theirs.
descendants() {
	local child
	for child in $(ps -o pid= --ppid "$1"); do
		printf '%s\n' "$child"
		descendants "$child"
	done
}

# Cold ---------------------------------------------------------------------------------------------

@test "50 cold processes make one token request" {
	herd 50 token
	assert_herd 50 "$(token)" ''
	assert_token_requests 1
}

@test "200 cold processes make one token request, however slow the endpoint" {
	faults '{"token": {"delay_ms": 1000}}'
	herd 200 token
	assert_herd 200 "$(token)" ''
	assert_token_requests 1
}

@test "cold processes that ask in different ways make one token request" {
	for_api >description
	in_three_ways() {
		"$BUILD/sypht-credential" header >>headers &
		"$BUILD/sypht-credential" get <description >>gets &
		token >>tokens
		wait
	}
	herd 10 in_three_ways
	assert_token_requests 1
	assert_equal "$(sort -u tokens)" "$(token)"
	assert_equal "$(sort -u headers)" "Authorization: Bearer $(token)"
	assert_equal "$(grep ^password= gets | sort -u)" "password=$(token)"
}

@test "the wait for another's request ends with SYPHT_TIMEOUT" {
	token >/dev/null
	rm "$(entry token)"
	hold_lock
	SYPHT_TIMEOUT=1 timed ask token
	assert_refused 1 'another process has been asking for this token for 1 seconds; try again later'
	[ "$took_ms" -ge 900 ]
	assert_took_less 5000
	release_lock
	assert_issued "$(token)"
}

@test "the wait ends also where the caller blocks or ignores SIGALRM" {
	local way
	token >/dev/null
	rm "$(entry token)"
	hold_lock
	for way in 'pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])' \
		'signal(signal.SIGALRM, signal.SIG_IGN)'; do
		SYPHT_TIMEOUT=1 try after "signal.$way" /usr/bin/timeout 8 "$BUILD/sypht-credential" token
		assert_refused 1 'another process has been asking'
	done
}

@test "who waits for one token does not hold up who wants another" {
	configure < <(profile other scope=result:all "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'")
	token >/dev/null
	rm "$(entry token)"
	hold_lock
	SYPHT_TIMEOUT=2 ask token --profile other
	assert_issued "$output"
}

@test "a live token is served while somebody holds the lock" {
	local current
	current=$(token)
	hold_lock
	SYPHT_TIMEOUT=1 ask token
	assert_output "$current"
	age token 3300
	SYPHT_TIMEOUT=1 ask token
	assert_output "$current"
	assert_token_requests 1
}

# Stopped holders ---------------------------------------------------------------------------------

# stopped_holder: a process that was stopped while its token request was under way; continue_holder
# lets it go on to its end.
stopped_holder() {
	faults '{"token": {"delay_ms": 1500}}'
	"$BUILD/sypht-credential" token >stopped 2>stopped.err 3>&- &
	holder=$!
	wait_until requested
	kill -STOP "$holder"
}

continue_holder() {
	kill -CONT "$holder"
	wait "$holder" || true
}

@test "a holder that is stopped while it asks is passed by" {
	stopped_holder
	ask token
	assert_issued "$output"
	assert_token_requests 2
	assert_equal "$(token)" "$output"
	continue_holder
}

@test "once a stopped holder was passed by nobody waits for it" {
	local limit
	SYPHT_CACHE_DIR=$PWD/control timed ask token # where nobody is in the way
	limit=$((1000 + 5 * took_ms))
	stopped_holder
	token >/dev/null
	for _ in 1 2 3; do
		ask erase < <(for_api)
		timed ask token
		assert_issued "$output"
		[ "$took_ms" -lt "$limit" ] || fail "waited for $took_ms ms, the limit is $limit"
	done
	continue_holder
}

@test "a stopped holder that wakes answers its own caller and overwrites nothing" {
	local current
	stopped_holder
	current=$(token)
	continue_holder
	assert_equal "$(token)" "$current"
	assert_issued "$(<stopped)"
	refute [ "$(<stopped)" = "$current" ]
	assert_token_requests 2
	assert_empty "$(find "$(cache_directory)" -name "*~*")"
}

@test "after a stopped holder has woken there is one lock again" {
	stopped_holder
	token >/dev/null
	continue_holder
	ask erase < <(for_api)
	token >/dev/null
	assert_equal "$(compgen -G "$(cache_directory)/*.lock*" | wc -l)" 1
}

@test "a holder that was stopped before it did anything is passed by" {
	token >/dev/null
	rm "$(entry token)"
	exec 6<>"$(entry lock)"
	flock 6
	ask token
	assert_issued "$output"
	exec 6>&-
	assert_equal "$(token)" "$output"
	assert_token_requests 2
}

@test "50 processes behind a stopped holder make one token request" {
	stopped_holder
	herd 50 token
	assert_herd 50 "$(token)" ''
	assert_token_requests 2
	continue_holder
}

@test "a stopped holder that was passed by, and the next one too, starve nobody" {
	local first
	stopped_holder
	first=$holder
	faults '{"token": {"delay_ms": 1500}}'
	"$BUILD/sypht-credential" token >stopped 2>&1 3>&- &
	holder=$!
	wait_until requested 2
	kill -STOP "$holder"
	ask token
	assert_issued "$output"
	assert_equal "$(token)" "$output"
	continue_holder
	holder=$first
	continue_holder
	assert_equal "$(token)" "$output"
}

# The process in the background that renews for this test: other suites have some too.
find_renewal() {
	local pid
	for pid in $(pgrep -f -x "$BUILD/sypht-credential token"); do
		! grep -qzxF "HOME=$HOME" "/proc/$pid/environ" 2>/dev/null || printf '%s\n' "$pid"
	done | head -n 1
}

@test "a renewal that is stopped does not keep others from renewing" {
	local current renewal
	current=$(token)
	age token 3300
	faults '{"token": {"delay_ms": 60000}}'
	token >/dev/null
	wait_until requested 2
	renewal=$(find_renewal)
	kill -STOP "$renewal"
	touch -d '-10 seconds' "$(entry lock)"
	is_renewed() { [ "$(token)" != "$current" ]; }
	wait_until is_renewed
	kill -KILL "$renewal"
}

# Failures -----------------------------------------------------------------------------------------

@test "200 processes with a wrong secret ask once" {
	not_under_sanitizers 'they take longer than a failure is remembered'
	local start=$SECONDS
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong
	herd 200 token
	# a busy machine may take longer to start them all than the failure is remembered
	asked=$(token_requests)
	((asked <= 1 + (SECONDS - start) / 5)) || fail "$asked token requests"
	assert_equal "$(wc -l <herd.err) $(wc -c <herd.out)" '200 0'
	assert_equal "$(grep -c "$SANDBOX_TOKEN_URL: invalid_client" herd.err)" 200
	assert_equal "$(grep -cv '(asked less than' herd.err)" "$asked"
}

@test "50 processes with an endpoint in trouble ask once, and once only try again" {
	local start=$SECONDS
	faults '{"token": {"status": 503, "times": "all"}}'
	herd 50 token
	(($(token_requests) <= 4 * (1 + (SECONDS - start) / 5))) || fail "$(token_requests) token requests"
	assert_equal "$(grep -c 'HTTP status 503' herd.err)" 50
}

@test "50 processes with an endpoint that is not there try as often as one" {
	local start=$SECONDS
	export SYPHT_AUTH_ENDPOINT=https://127.0.0.1:1/oauth2/token SYPHT_TRACE=$TMPDIR/trace
	herd 50 token
	(($(grep -c 'try [0-9]' trace) <= 4 * (1 + (SECONDS - start) / 5)))
	assert_equal "$(grep -c 'Failed to connect' herd.err)" 50
}

@test "a failure is remembered for five seconds, and not for longer" {
	export SYPHT_API_KEY=$SANDBOX_CLIENT_ID:wrong
	ask token
	assert_refused 1 invalid_client
	ask token
	assert_refused 1 invalid_client '(asked less than 5 s ago)'
	assert_token_requests 1
	age state 5
	ask token
	assert_refused 1 invalid_client
	refute_contains "$stderr" 'asked less than'
	assert_token_requests 2
}

@test "a failure is not remembered across a clock that was set back" {
	faults '{"token": {"status": 400}}'
	ask token
	assert_refused 1 'HTTP status 400'
	age state -3600
	assert_issued "$(token)"
}

@test "a failure is forgotten once a token was had" {
	faults '{"token": {"status": 400}}'
	ask token
	age state 5
	assert_issued "$(token)"
	assert_equal "$(find "$(cache_directory)" -name '*.state')" ''
}

@test "a failure is forgotten when credentials are stored" {
	unset SYPHT_API_KEY
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" password=wrong)
	ask token
	assert_refused 1 invalid_client
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	assert_issued "$(token)"
}

@test "a failure is forgotten when the config changes, or the file with the secret" {
	(umask 077 && echo wrong >secret)
	unset SYPHT_API_KEY
	configure < <(profile sypht "client_secret_file = $PWD/secret")
	ask token
	assert_refused 1 invalid_client
	ask token
	assert_refused 1 '(asked less than 5 s ago)'
	echo "$SANDBOX_CLIENT_SECRET" >secret
	assert_issued "$(token)"

	echo wrong >secret
	rm "$(entry token)"
	ask token
	assert_refused 1 invalid_client
	(umask 077 && echo "$SANDBOX_CLIENT_SECRET" >right && touch -d -1hour right)
	configure < <(profile sypht "client_secret_file = $PWD/right")
	assert_issued "$(token)"
}

@test "a failure of one profile is none of another's" {
	faults '{"token": {"status": 400}}'
	ask token
	assert_refused 1 'HTTP status 400'
	configure < <(profile other scope=result:all "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'")
	assert_issued "$(token --profile other)"
}

@test "a remembered failure that was tampered with is no failure" {
	local change
	for change in '/^status=/d' '/^error=/d' 's/^status=.*/status=0/' 's/^status=.*/status=99/' \
		's/^failed=.*/failed=x/' 's/^client_id=.*/client_id=x/' '/^error=/q'; do
		rm -rf "$(cache_directory)"
		faults '{"token": {"status": 400}}'
		ask token
		assert_refused 1 'HTTP status 400'
		forge state "$change"
		assert_issued "$(token)"
	done
}

# The holder's death -------------------------------------------------------------------------------

@test "SIGKILL to whoever asks frees the lock, and ends the mint" {
	local holder waiter others
	faults '{"token": {"delay_ms": 60000}}'
	"$BUILD/sypht-credential" token >killed 2>&1 3>&- &
	holder=$!
	wait_until requested
	mapfile -t others < <(descendants $holder)
	[ ${#others[@]} -gt 0 ]
	"$BUILD/sypht-credential" token >waiter 3>&- &
	waiter=$!

	kill -KILL $holder
	wait $waiter
	assert_issued "$(<waiter)"
	assert_equal "$(<killed)" ''
	wait_until gone "${others[@]}"
	assert_token_requests 2
}

@test "SIGINT and SIGTERM to whoever asks do the same" {
	local signal holder others
	for signal in INT TERM HUP; do
		rm -rf "$(cache_directory)"
		reset_sandbox
		faults '{"token": {"delay_ms": 60000}}'
		# what bash starts in the background would ignore SIGINT, and what nohup starts SIGHUP
		after 'for s in signal.SIGINT, signal.SIGHUP: signal.signal(s, signal.SIG_DFL)' \
			"$BUILD/sypht-credential" token >killed 2>&1 3>&- &
		holder=$!
		wait_until requested
		mapfile -t others < <(descendants $holder)
		[ ${#others[@]} -gt 0 ]
		kill -$signal $holder
		wait_until gone "${others[@]}"
		timed token
		assert_took_less 5000
	done
}

# Rejections ---------------------------------------------------------------------------------------

@test "50 processes whose one token was rejected fetch one" {
	token >/dev/null
	ask get < <(for_api capability[]=authtype capability[]=state)
	for_api capability[]=authtype capability[]=state "state[]=$(attribute 'state\[\]')" >description
	rejected() { "$BUILD/sypht-credential" get <description | grep ^credential; }
	herd 50 rejected
	assert_herd 50 "credential=$(token)" ''
	assert_token_requests 2
}

@test "50 processes that erase the one token they were given, and ask again, fetch one" {
	for_api capability[]=authtype "credential=$(token)" >description
	erase_and_ask() {
		"$BUILD/sypht-credential" erase <description
		token
	}
	herd 50 erase_and_ask
	assert_herd 50 "$(token)" ''
	assert_token_requests 2
}

# Renewal ------------------------------------------------------------------------------------------

@test "in the renewal window the token is served at once, and the next one is fetched meanwhile" {
	local current
	current=$(token)
	age token 3300
	faults '{"token": {"delay_ms": 2000}}'
	timed ask token
	assert_output "$current"
	assert_took_less 1500
	wait_until requested 2
	settle
	settle
	ask token
	refute [ "$output" = "$current" ]
	assert_issued "$output"
	assert_token_requests 2
}

@test "the window opens five minutes before the last minute of an hour, and not sooner" {
	token >/dev/null
	age token 3230
	token >/dev/null
	settle
	assert_token_requests 1
	age token 15
	token >/dev/null
	wait_until requested 2
}

@test "50 processes in the window are all served, and one of them renews" {
	local current
	current=$(token)
	age token 3300
	faults '{"token": {"delay_ms": 3000}}'
	herd 50 token
	settle
	# who starts after the renewal gets what it brought
	assert_equal "$(grep -cxFe "$current" -e "$(token)" herd.out) of 50" '50 of 50'
	assert_equal "$(cat herd.err)" ''
	assert_token_requests 2
}

@test "a renewal keeps nobody's pipe open" {
	local current
	current=$(token)
	age token 3300
	faults '{"token": {"delay_ms": 4000}}'
	all_pipes() { "$BUILD/sypht-credential" token 2>&1 5>&1 19>&1 | cat; }
	timed try all_pipes
	assert_output "$current"
	assert_took_less 1500
	wait_until requested 2
}

@test "a renewal outlives the terminal and the session of whoever caused it" {
	local current
	current=$(token)
	age token 3300
	faults '{"token": {"delay_ms": 300}}'
	printf '%s\n' 'sypht-credential token' 'kill -HUP 0' >script
	setsid --wait sh script || true
	wait_until requested 2
	settle
	refute [ "$(token)" = "$current" ]
}

@test "a renewal that fails is no error, and is not tried again for five seconds" {
	local current start=$SECONDS asked
	current=$(token)
	age token 3300
	faults '{"token": {"status": 400, "times": "all"}}'
	for _ in 1 2 3; do
		ask token
		assert_output "$current"
		assert_empty "$stderr"
		wait_until requested 2
		settle
	done
	asked=$(token_requests)
	((asked <= 2 + (SECONDS - start) / 5)) || fail "$asked token requests"
	age state 40
	ask token
	assert_output "$current"
	wait_until requested $((asked + 1))
	settle
}

@test "a renewal that is killed leaves the token, and the lock free" {
	local current renewal
	current=$(token)
	age token 3300
	faults '{"token": {"delay_ms": 60000}}'
	mkfifo stay
	python3 -c 'import ctypes, subprocess, sys
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
subprocess.run(sys.argv[1:])
sys.stdin.read()' "$BUILD/sypht-credential" token <stay >/dev/null 3>&- &
	exec 7>stay
	wait_until requested 2
	renewal=$(ps -o pid= --ppid $!)
	kill -KILL "$renewal"
	exec 7>&-
	settle
	assert_equal "$(token)" "$current"
	wait_until requested 3
	settle
	refute [ "$(token)" = "$current" ]
}

@test "across five lives of a token nobody waits for the endpoint" {
	local last current
	last=$(token)
	faults '{"token": {"delay_ms": 1000, "times": "all"}}'
	for ((renewals = 1; renewals <= 5; renewals++)); do
		age token 3300
		timed ask token
		assert_output "$last"
		assert_took_less 800
		wait_until requested $((renewals + 1))
		settle
		ask token
		refute [ "$output" = "$last" ]
		last=$output
	done
	assert_token_requests 6
}
