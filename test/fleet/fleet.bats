#!/usr/bin/env bats
# Machines that share a store make one token request together, and are none the worse for it when
# the store is.  test/fleet/ has the same at the size of a fleet.

load ../lib/suite
load ../lib/helper
load ../lib/fleet

setup() {
	seal
	reset_sandbox
	sypht_env
	SLOWER=${TEST_SANITIZED:+3} SLOWER=${SLOWER:-1} # sanitized programs start slowly
	export SYPHT_TIMEOUT=$((10 * SLOWER))
	[ -x "$BUILD/sypht-fleet" ] || skip_allowed 'built without hiredis or libsodium'
	start_redis
	share
}

teardown() {
	stop_redis
	[ -z "${liar:-}" ] || kill "$liar"
}

free_port() {
	python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'
}

# fleet_ask MACHINE VERB…: like ask, on that machine, with a trace in $stderr.
fleet_ask() {
	SYPHT_TRACE=1 on "$1" try "$BUILD/sypht-credential" "${@:2}"
}

cold_machine() {
	token_on "$1" 2>&1
}

# herd_of MACHINES PROCESSES: all at once, their answers in herd.out
herd_of() {
	local machine
	for ((machine = 1; machine <= $1; machine++)); do
		for ((i = 0; i < $2; i++)); do cold_machine "$machine" 3>&- & done
	done >herd.out
	wait
}

# One token -------------------------------------------------------------------------------------

@test "what one machine has minted another takes" {
	assert_equal "$(token_on a)" "$(token_on b)"
	assert_issued "$(token_on b)"
	assert_token_requests 1
}

@test "ten machines that start cold with three processes each make one token request" {
	faults '{"token": {"delay_ms": 500, "times": "all"}}'
	herd_of 10 3
	assert_equal "$(sort herd.out | uniq -c | tr -s ' ')" " 30 $(token_on 1)"
	assert_token_requests 1
}

@test "an endpoint that takes longer than the lock lives is asked once" {
	faults "{\"token\": {\"delay_ms\": $((4000 * SLOWER))}}"
	herd_of 4 1
	assert_equal "$(sort -u herd.out | wc -l)" 1
	assert_token_requests 1
}

@test "an endpoint that takes more than half of SYPHT_TIMEOUT is asked once, and nobody fails" {
	faults "{\"token\": {\"delay_ms\": $((6000 * SLOWER)), \"times\": \"all\"}}"
	herd_of 6 1
	assert_equal "$(sort herd.out | uniq -c | tr -s ' ')" " 6 $(token_on 1)"
	assert_token_requests 1
}

@test "who goes alone too late takes what another machine has put there meanwhile" {
	export SYPHT_TIMEOUT=$((6 * SLOWER))
	faults "{\"token\": {\"delay_ms\": $((5700 * SLOWER)), \"times\": \"all\"}}"
	SYPHT_TIMEOUT=$((20 * SLOWER)) cold_machine a >first 3>&- &
	wait_until requested
	fleet_ask b token
	wait $!
	assert_output "$(<first)"
}

@test "an endpoint that asks to be left alone is not asked by the other machines" {
	faults '{"token": {"status": 429, "headers": {"Retry-After": "120"}, "times": "all"}}'
	fleet_ask a token
	assert_status 1
	assert_contains "$stderr" 'HTTP status 429, Retry-After 120 s'
	fleet_ask b token
	assert_status 1
	assert_contains "$stderr" 'HTTP status 429, Retry-After 120 s'
	assert_contains "$stderr" 'another machine'
	assert_token_requests 1
}

@test "an endpoint that is asked too often, and does not say for how long, has five seconds" {
	local requests
	faults '{"token": {"status": 429, "times": "all"}}'
	fleet_ask a token
	requests=$(token_requests)
	fleet_ask b token
	assert_contains "$stderr" 'another machine'
	assert_token_requests "$requests"
	faults '{"token": {}}'
	allowed_again() { forget c; token_on c >/dev/null 2>&1; }
	wait_until allowed_again
}

@test "a machine that has a token does not look at the store" {
	local current
	current=$(token_on a)
	stop_redis
	fleet_ask a token
	assert_output "$current"
	refute_contains "$stderr" store
}

is_past() {
	(($(date +%s) >= $1))
}

# has_other_than TOKEN MACHINE
has_other_than() {
	[ "$(token_on "$2")" != "$1" ]
}

@test "the next token is fetched ahead of time by one machine for all" {
	local current machine born
	token_lifetime "$SANDBOX_CLIENT_ID" $((10 * SLOWER))
	born=$(date +%s)
	current=$(token_on a)
	for machine in b c; do assert_equal "$(token_on $machine)" "$current"; done
	faults '{"token": {"delay_ms": 200}}'
	# of its ten seconds, it is renewed from the seventh on, and served until the ninth
	wait_until is_past $((born + 8 * SLOWER))
	for machine in a b c; do assert_equal "$(token_on $machine)" "$current"; done
	for machine in a b c; do wait_until has_other_than "$current" "$machine"; done
	assert_equal "$(token_on b)" "$(token_on a)"
	assert_equal "$(token_on c)" "$(token_on a)"
	assert_token_requests 2
}

@test "who wants a token that lives longer than the shared one gets one, and the others that" {
	token_lifetime "$SANDBOX_CLIENT_ID" 300
	token_on a >/dev/null
	token_lifetime "$SANDBOX_CLIENT_ID" 3600
	fleet_ask b --min-valid 1000 token
	assert_issued "$output"
	assert_equal "$(token_on c)" "$output"
	assert_token_requests 2
}

@test "profiles that ask for different tokens do not get each other's" {
	configure < <(
		profile sypht "shared_store = redis+unix://$REDIS"
		profile other "shared_store = redis+unix://$REDIS" scope=result:all \
			"client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'"
	)
	token_on a >/dev/null
	fleet_ask b token --profile other
	assert_issued "$output"
	assert_token_requests 2
	assert_equal "$(shared_entry | wc -l)" 2
}

@test "a client with a key instead of a secret shares, too" {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key 2>/dev/null
	admin PUT key-client "$(jq -n --arg key "$(openssl pkey -in key -pubout)" \
		'{client_id: "keyed", public_key: $key, key_id: "1"}')" >/dev/null
	unset SYPHT_API_KEY
	configure < <(printf '%s\n' '[profile sypht]' "shared_store = redis+unix://$REDIS" \
		'client_id = keyed' 'auth_method = private_key_jwt' "private_key_file = $PWD/key" \
		'private_key_id = 1')
	assert_equal "$(token_on a)" "$(token_on b)"
	assert_issued "$(token_on b)"
	assert_token_requests 1
}

@test "a refusal is not shared, and frees the turn" {
	faults '{"token": {"status": 400}}'
	fleet_ask a token
	assert_status 1
	assert_contains "$stderr" 'HTTP status 400'
	assert_issued "$(token_on b)"
	assert_token_requests 2
}

# Trouble ---------------------------------------------------------------------------------------

@test "a store that is not there costs a line in the trace" {
	stop_redis
	fleet_ask a token
	assert_issued "$output"
	assert_contains "$stderr" 'shared store: '
	assert_contains "$stderr" 'minting without it'
}

@test "a store that does not answer costs a tenth of SYPHT_TIMEOUT" {
	export SYPHT_TIMEOUT=$((5 * SLOWER))
	kill -STOP "$redis_pid"
	timed fleet_ask a token
	assert_took_less $((1500 * SLOWER))
	assert_issued "$output"
	assert_contains "$stderr" 'no answer in time'
	kill -CONT "$redis_pid"
}

@test "a store that takes nothing costs a token request of one's own" {
	redis CONFIG SET maxmemory 1 >/dev/null
	fleet_ask a token
	assert_issued "$output"
	assert_contains "$stderr" 'it is full'
	redis CONFIG SET maxmemory 0 >/dev/null
	redis REPLICAOF 127.0.0.1 1 >/dev/null
	fleet_ask b token
	assert_issued "$output"
	assert_contains "$stderr" 'it is read-only'
	assert_token_requests 2
}

# refused_with WORDS: a machine gets its token all the same, the trace says so, and status as well.
refused_with() {
	fleet_ask "x$((++machines))" token
	assert_issued "$output"
	assert_contains "$stderr" "$1"
	ask status --online
	assert_status 0
	assert_contains "$output" "$1"
}

@test "a store that will not is told by its reason, and with what to do, online" {
	local machines=0
	redis ACL SETUSER me on nopass '~sypht:*' +get +set +del +exists +pexpire >/dev/null
	configure < <(profile sypht "shared_store = redis+unix://me:any@$REDIS")
	refused_with 'its user lacks a permission; allow it ~sypht:* +get +set +del +exists +pexpire +eval'
	assert_empty "$(redis --raw KEYS '*')"
	redis ACL SETUSER me -pexpire +eval >/dev/null
	refused_with 'its user lacks a permission; allow it'
	redis ACL SETUSER me resetkeys '~other:*' +pexpire >/dev/null
	refused_with 'its user lacks a permission; allow it'
	redis ACL SETUSER me resetkeys '~sypht:*' +get +set +del +exists +pexpire +eval >/dev/null
	assert_equal "$(token_on y)" "$(token_on z)"

	redis FLUSHALL >/dev/null
	redis REPLICAOF 127.0.0.1 1 >/dev/null
	refused_with 'it is read-only, a replica; name its primary'
	redis REPLICAOF NO ONE >/dev/null
	redis CONFIG SET maxmemory 1 >/dev/null
	refused_with 'it is full; give it more maxmemory'
	redis CONFIG SET maxmemory 0 requirepass h0rse >/dev/null
	share
	refused_with 'it requires a password: shared_store = redis://:PASSWORD@HOST'
}

@test "a cluster whose other nodes have the key is named so" {
	local machines=0
	stop_redis
	start_redis --cluster-enabled yes --port "$(free_port)"
	redis CLUSTER MEET 127.0.0.1 1 >/dev/null || true
	share
	redis CLUSTER ADDSLOTSRANGE 0 16383 >/dev/null
	wait_until cluster_up
	assert_equal "$(token_on a)" "$(token_on b)"

	redis FLUSHALL >/dev/null
	redis CLUSTER DELSLOTSRANGE 0 16383 >/dev/null
	redis CLUSTER ADDSLOTS 0 >/dev/null
	refused_with cluster
}

cluster_up() {
	redis CLUSTER INFO | grep -q cluster_state:ok
}

@test "a store that lies is believed nothing" {
	local entry
	token_on a >/dev/null
	entry=$(shared_entry)
	for change in 'SETRANGE 0 x' 'SETRANGE 15 x' 'SETRANGE 30 x' 'SETRANGE 60 x' 'APPEND x'; do
		forget b
		# shellcheck disable=SC2086
		redis ${change%% *} "$entry" ${change#* } >/dev/null
		assert_issued "$(token_on b)"
		assert_equal "$(token_on b)" "$(token_on c)"
		forget c
	done
	assert_token_requests 6
	redis DEL "$entry" >/dev/null
	redis LPUSH "$entry" x >/dev/null
	forget b
	assert_issued "$(token_on b)"
}

# peak_of COMMAND…: its output, and in peak_kb the most memory that any process of it had.
peak_of() {
	output=$(python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=False)
with open("peak", "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))' "$@")
	peak_kb=$(<peak)
}

@test "what is no store at all costs no memory to speak of" {
	local kind
	export SYPHT_TIMEOUT=$((5 * SLOWER))
	for kind in list lists bulk huge line; do
		"$ROOT/test/fleet/liar" "$PWD/$kind" "$kind" 3>&- &
		liar=$!
		wait_until test -S "$kind"
		configure < <(profile sypht "shared_store = redis+unix://$PWD/$kind")
		XDG_CACHE_HOME=$HOME/machines/$kind peak_of "$BUILD/sypht-credential" token
		kill "$liar"
		liar=
		assert_issued "$output"
		[ "$peak_kb" -lt 65536 ] || fail "$kind: $peak_kb KiB"
	done
}

@test "what is no store at all costs three seconds at most, and learns nothing it could repeat" {
	local kind
	export SYPHT_TIMEOUT=$((5 * SLOWER))
	for kind in closes silent huge drips crowd list lists bulk line held deep number negative noise parrot yes; do
		"$ROOT/test/fleet/liar" "$PWD/$kind" "$kind" 3>&- &
		liar=$!
		wait_until test -S "$kind"
		configure < <(profile sypht "shared_store = redis+unix://:h0rse@$PWD/$kind")
		timed fleet_ask "$kind" token
		kill "$liar"
		liar=
		assert_issued "$output"
		assert_contains "$stderr" 'shared store'
		refute_contains "$stderr" h0rse
		assert_took_less $((4000 * SLOWER))
	done
	assert_token_requests 16
}

@test "an entry that was replaced is none any more, whoever puts it back" {
	local entry old
	token_on a >/dev/null
	entry=$(shared_entry)
	redis COPY "$entry" kept >/dev/null
	old=$(token_on a)
	on a "$BUILD/sypht-credential" erase < <(for_api)
	refute [ "$(token_on a)" = "$old" ]

	redis COPY kept "$entry" REPLACE >/dev/null
	rm "$HOME"/machines/a/sypht/*.token
	refute [ "$(token_on a)" = "$old" ]
	assert_token_requests 3
}

@test "an entry of a longer life than the profile allows is none" {
	token_on a >/dev/null
	share 'max_lifetime = 600'
	assert_issued "$(token_on b)"
	assert_token_requests 2
}

# put_shared TOKEN AHEAD: as a machine does whose clock is so many seconds ahead.
put_shared() {
	local now
	now=$(date +%s)
	printf '%s\n' verb=put "store=redis+unix://$REDIS" answer_ms=1000 patience_ms=1000 lock_ms=1000 owner=x \
		"serial=${now}000" "now=$now" "credential=$1" "obtained=$((now + $2))" \
		"expires=$((now + $2 + 3600))" "client_secret=$SANDBOX_CLIENT_SECRET" \
		"client_id=$SANDBOX_CLIENT_ID" "token_url=$SANDBOX_TOKEN_URL" '' | "$BUILD/sypht-fleet"
}

@test "a machine whose clock is a little ahead has a token for us, too; one far ahead has none" {
	assert_equal "$(put_shared from.ahead 10)" done=1
	assert_equal "$(token_on a)" from.ahead
	assert_token_requests 0
	redis FLUSHALL >/dev/null
	put_shared from.the.future 600
	assert_issued "$(token_on b)"
	assert_token_requests 1
}

@test "who mints and dies is soon replaced" {
	local holder
	faults '{"token": {"delay_ms": 60000}}'
	XDG_CACHE_HOME=$HOME/machines/a "$BUILD/sypht-credential" token >/dev/null 2>&1 3>&- &
	holder=$!
	wait_until test "$(token_requests)" -ge 0
	wait_until requested
	kill -KILL "$holder"
	timed fleet_ask b token
	assert_issued "$output"
	assert_took_less $((4000 * SLOWER))
	assert_token_requests 2
}

requested() {
	[ "$(token_requests)" -ge 1 ]
}

# Rejections ------------------------------------------------------------------------------------

@test "a token that its API refused does not come back from the store" {
	local refused
	refused=$(token_on a)
	assert_equal "$(token_on b)" "$refused"
	on a "$BUILD/sypht-credential" erase < <(for_api capability[]=authtype "credential=$refused")
	assert_empty "$(shared_entry)"
	refute [ "$(token_on c)" = "$refused" ]

	on b "$BUILD/sypht-credential" erase < <(for_api capability[]=authtype "credential=$refused")
	assert_equal "$(token_on b)" "$(token_on c)"
	assert_equal "$(token_on a)" "$(token_on c)"
	assert_token_requests 2
}

# What others can see ---------------------------------------------------------------------------

@test "neither token nor secret nor client is in what the store sees or keeps" {
	local word
	redis MONITOR >monitor 3>&- &
	wait_until test -s monitor
	token_on a >/dev/null
	token_on b >/dev/null
	on b "$BUILD/sypht-credential" erase < <(for_api)
	token_on b >/dev/null
	redis --rdb dump >/dev/null 2>&1 || true
	redis --raw GET "$(shared_entry)" >entry
	wait_until grep -q EVAL monitor
	for word in "$(token_on a)" "$(token_on b)" "$SANDBOX_CLIENT_SECRET" "$SANDBOX_CLIENT_ID"; do
		refute grep -aqFe "$word" monitor dump entry
	done
	grep -aq sypht: dump
}

@test "the store's password shows nowhere" {
	local secret=h0rse_battery
	redis CONFIG SET requirepass "$secret" >/dev/null
	configure < <(profile sypht "shared_store = redis+unix://:$secret@$REDIS")
	faults '{"token": {"delay_ms": 1000}}'
	SYPHT_TRACE=1 token_on a >out 2>&1 3>&- &
	wait_until requested
	cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ >seen 2>/dev/null || true
	wait $!
	refute grep -aqFe "$secret" seen
	refute grep -qrFe "$secret" out "$HOME/machines"
	assert_equal "$(REDISCLI_AUTH=$secret redis --raw KEYS 'sypht:*:token' | wc -l)" 1

	configure < <(profile sypht "shared_store = redis+unix://:wr0ng_horse@$REDIS")
	fleet_ask b token
	assert_issued "$output"
	assert_contains "$stderr" 'user or password is wrong'
	refute_contains "$stderr" wr0ng_horse
}

@test "status shows the store and, online, its health; never its password" {
	configure < <(profile sypht "shared_store = redis+unix://me:h0rse@$REDIS")
	redis ACL SETUSER me on '>h0rse' '~sypht:*' +@all >/dev/null
	ask status
	assert_contains "$output" "  store     redis+unix://$REDIS"$'\n'
	ask status --online
	assert_contains "$output" "  store     redis+unix://$REDIS: answers after "
	refute_contains "$output" h0rse
	ask status --json
	assert_equal "$(jq -r '.profiles[0].shared_store' <<<"$output")" "redis+unix://$REDIS"
	assert_issued "$(token_on a)"
	assert_equal "$(token_on b)" "$(token_on a)"

	stop_redis
	ask status --online
	assert_status 0
	assert_contains "$output" "$REDIS: "
	refute_contains "$output" 'answers after'
	configure < <(profile sypht 'shared_store = redis://[::1]/3')
	ask status
	assert_contains "$output" '  store     redis://[::1]:6379/3'$'\n'

	configure < <(profile sypht)
	ask status
	refute_contains "$output" '  store '
}

@test "status --online: a store that refuses is told with what to do, and is no failure" {
	local kind
	for kind in moved scriptless; do
		"$ROOT/test/fleet/liar" "$PWD/$kind" "$kind" 3>&- &
		liar=$!
		wait_until test -S "$kind"
		configure < <(profile sypht "shared_store = redis+unix://$PWD/$kind")
		ask status --online
		kill "$liar"
		liar=
		assert_status 0
		printf '%s\n' "$output" >"$kind.status"
	done
	assert_contains "$(grep '  store' moved.status)" 'it is a node of a cluster; name a Redis that is not in a cluster'
	assert_contains "$(grep '  store' scriptless.status)" 'its user lacks a permission'
}

@test "erase URL: drops the token in the shared store, too, and says so" {
	local before
	before=$(token_on a)
	assert_equal "$(token_on b)" "$before"
	on a try "$BUILD/sypht-credential" erase "$SANDBOX_API"
	assert_status 0
	assert_output 'profile sypht: cached token dropped, and none is in the shared store any more'
	assert_empty "$(shared_entry)"
	refute [ "$(token_on c)" = "$before" ]
	assert_token_requests 2
	stop_redis
	on c try "$BUILD/sypht-credential" erase "$SANDBOX_API"
	assert_refused 1 'the token may still be in the shared store'
}

@test "a store is reached by TCP, by its number and with a password of any characters" {
	local port
	stop_redis
	port=$(free_port)
	start_redis --port "$port"
	redis ACL SETUSER me on '>p@ss/w:rd%' '~sypht:*' +@all >/dev/null
	redis ACL SETUSER default off >/dev/null
	configure < <(profile sypht "shared_store = redis://me:p%40ss%2fw:rd%25@127.0.0.1:$port/3")
	assert_equal "$(token_on a)" "$(token_on b)"
	assert_token_requests 1
	assert_contains "$(redis --user me --pass 'p@ss/w:rd%' --no-auth-warning -n 3 KEYS 'sypht:*')" :token
}

# The config ------------------------------------------------------------------------------------

@test "config: what is no store is refused, without its password" {
	local url
	for url in redis:// redis://:pw@ redis://user@host redis://host:0 redis://host:65536 redis://host/x \
		http://:pw@host redis+unix://host/path redis+unix:// redis://:%zz@host 'redis://a b'; do
		configure < <(profile sypht "shared_store = $url")
		ask token
		assert_refused 2 config 'shared_store: expected redis://'
		refute_contains "$stderr" :pw
	done
}

@test "config: a password in a file that others can read is refused" {
	configure < <(profile sypht 'shared_store = redis://:h0rse@127.0.0.1')
	chmod 644 "$XDG_CONFIG_HOME/sypht/config"
	ask token
	assert_refused 2 'contains a password' "run: chmod go-r '"
	refute_contains "$stderr" h0rse
	share
	chmod 644 "$XDG_CONFIG_HOME/sypht/config"
	assert_issued "$(token_on a)"
}

@test "config: TLS is refused where the hiredis this was built with has none" {
	! has_tls || skip_allowed 'this one has'
	configure < <(profile sypht 'shared_store = rediss://host')
	ask token
	assert_refused 2 'no rediss:// here' 'has no TLS'
}

has_tls() {
	grep -q TLS "$BUILD/store-flags"
}

# tls_redis NAME: a Redis by TLS on $port, with a certificate for NAME of an authority in tls.pem.
tls_redis() {
	stop_redis
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=store \
		-addext "subjectAltName=$1" -keyout tls.key -out tls.pem 2>/dev/null
	cat "$SANDBOX_CA" tls.pem >bundle.pem
	port=$(free_port)
	start_redis --tls-port "$port" --tls-cert-file "$PWD/tls.pem" --tls-key-file "$PWD/tls.key" \
		--tls-ca-cert-file "$PWD/tls.pem" --tls-auth-clients no
	configure < <(profile sypht "shared_store = rediss://127.0.0.1:$port")
}

@test "by TLS a store is believed to be what its certificate says" {
	has_tls || skip_allowed 'the hiredis this was built with has no TLS'
	tls_redis IP:127.0.0.1
	SYPHT_CAINFO=$PWD/bundle.pem fleet_ask a token
	assert_issued "$output"
	assert_equal "$(SYPHT_CAINFO=$PWD/bundle.pem token_on b)" "$output"
	assert_token_requests 1

	fleet_ask c token
	assert_issued "$output"
	assert_contains "$stderr" 'certificate verify failed'

	tls_redis DNS:elsewhere.example
	SYPHT_CAINFO=$PWD/bundle.pem fleet_ask d token
	assert_issued "$output"
	assert_contains "$stderr" 'certificate verify failed'
	assert_empty "$(shared_entry)"
}
