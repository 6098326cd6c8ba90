# shellcheck shell=bash
# What the suites about a fleet have in common, beside suite and helper:  load fleet
#
# A real Redis on a Unix socket, and machines: each a home and a cache of its own.

# Debian's redis-tools holds the server's program under the name of one of its tools; so no package
# is needed that would also start a service.
redis_program() {
	command -v redis-server valkey-server redis-check-rdb | head -n 1
}

# start_redis [OPTION VALUE…]: without a disk, on $REDIS, until stop_redis.
start_redis() {
	local program

	program=$(redis_program)
	REDIS=$BATS_TEST_TMPDIR/redis.sock
	(exec -a redis-server "$program" --port 0 --bind 127.0.0.1 --unixsocket "$REDIS" --unixsocketperm 700 \
		--save '' --dir "$BATS_TEST_TMPDIR" "$@" >"$BATS_TEST_TMPDIR/redis.log" 2>&1 3>&-) &
	redis_pid=$!
	disown
	wait_until answers_ping
}

# -e: an error, NOAUTH among them, is no success
answers_ping() {
	redis PING >/dev/null 2>&1
}

stop_redis() {
	[ -z "${redis_pid:-}" ] || kill -KILL "$redis_pid" 2>/dev/null
	redis_pid=
}

redis() {
	redis-cli -e -s "$REDIS" "$@"
}

# The one entry that lies there, by its name.
shared_entry() {
	redis --raw KEYS 'sypht:*:token'
}

# share [KEY=VALUE…]: a config with a shared store, for every machine.
share() {
	configure < <(profile sypht "shared_store = redis+unix://$REDIS" "$@")
}

# on MACHINE COMMAND…: there, where nothing is cached but what it has asked for.
on() {
	XDG_CACHE_HOME=$HOME/machines/$1 "${@:2}"
}

# token_on MACHINE
token_on() {
	on "$1" "$BUILD/sypht-credential" token
}

# forget MACHINE: what it has cached, and all it has seen.
forget() {
	rm -rf "$HOME/machines/$1"
}
