#!/usr/bin/env bats
# Running a program from inside somebody else's process: helper/core/spawn.c with watcher.c, alone,
# in a driver that plays the awkward hosts.

load ../lib/suite

setup_file() {
	local root=$BATS_TEST_DIRNAME/../..

	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g ${SANITIZE:-} -I"$root/helper" -pthread \
		-o "$BATS_FILE_TMPDIR/spawn" "$root/test/drivers/spawn.c" \
		"$root"/helper/core/{spawn,watcher,buffer,status,text}.c
}

# host NAME: the calls succeed there, and the host notices nothing.
host() {
	try "$BATS_FILE_TMPDIR/spawn" "$1" </dev/null
	assert_status 0
	assert_output 'nothing noticed'
	assert_empty "$stderr"
}

# spawn MILLISECONDS BYTES PROGRAM [ARGUMENT…]
spawn() {
	try "$BATS_FILE_TMPDIR/spawn" "$@"
	assert_status 0
}

# The processes that run "sleep $1", which no other test does.
sleepers() {
	pgrep -fx "sleep $1"
}

no_sleepers() {
	! sleepers "$1"
}

# What becomes of the program --------------------------------------------------------------------

@test "spawn: a program gets its input, and its output, errors and exit code are had" {
	spawn 5000 1000 /bin/sh -c 'cat; echo oops >&2; exit 3' <<<hello
	assert_line 'status 0, exit 3, reason []'
	assert_output --partial $'stdout 6 [hello\n]'
	assert_output --partial $'stderr 5 [oops\n]'
}

@test "spawn: nothing of the environment is inherited" {
	LEAK=1 spawn 5000 1000 /usr/bin/env </dev/null
	assert_output --partial $'[PATH=/usr/bin:/bin\nONLY=this\n]'
}

@test "spawn: a megabyte goes in and comes out at the same time" {
	head -c 1048576 /dev/zero | tr '\0' x >big
	spawn 20000 2000000 /bin/cat <big
	assert_line 'status 0, exit 0, reason []'
	assert_line --partial 'stdout 1048576 '
}

@test "spawn: a program that reads no input raises no SIGPIPE" {
	head -c 1048576 /dev/zero >big
	spawn 20000 1000 /bin/true <big
	assert_line 'status 0, exit 0, reason []'
}

@test "spawn: a program ended by a signal is told by 128 and its number" {
	# shellcheck disable=SC2016
	spawn 5000 1000 /bin/sh -c 'kill -TERM $$' </dev/null
	assert_line 'status 0, exit 143, reason []'
}

@test "spawn: a program that cannot be run is named, with the reason" {
	spawn 5000 1000 /nowhere/program </dev/null
	assert_line --partial 'reason [cannot run /nowhere/program: No such file or directory]'
	spawn 5000 1000 /etc/passwd </dev/null
	assert_line --partial 'reason [cannot run /etc/passwd: Permission denied]'
}

@test "spawn: a program that says too much is killed, and what fits is kept" {
	spawn 20000 100000 /bin/sh -c 'sleep 4007 & exec yes' </dev/null
	assert_line --partial 'reason [/bin/sh printed too much]'
	wait_until no_sleepers 4007
}

@test "spawn: when time is up the program and its children are killed" {
	spawn 200 1000 /bin/sh -c 'sleep 4001 & sleep 4001' </dev/null
	assert_line --partial 'reason [/bin/sh did not end within 200 ms]'
	wait_until no_sleepers 4001
}

@test "spawn: a program that ignores every request to end is killed all the same" {
	spawn 200 1000 /bin/sh -c 'trap "" TERM INT HUP ALRM; while :; do sleep 4002; done' </dev/null
	assert_line --partial 'did not end within 200 ms'
	wait_until no_sleepers 4002
}

@test "spawn: a stopped program is killed all the same" {
	# shellcheck disable=SC2016
	spawn 200 1000 /bin/sh -c 'kill -STOP $$' </dev/null
	assert_line --partial 'did not end within 200 ms'
}

@test "spawn: a child left behind that keeps stdout open holds nobody up, and lives" {
	spawn 60000 1000 /bin/sh -c 'echo done; sleep 4003 &' </dev/null
	assert_output --partial $'stdout 5 [done\n]'
	kill "$(sleepers 4003)"
}

@test "spawn: a daemon left behind, its streams closed, lives" {
	spawn 60000 1000 /bin/sh -c 'echo done; setsid sleep 4004 </dev/null >/dev/null 2>&1 &' </dev/null
	assert_output --partial $'stdout 5 [done\n]'
	wait_until sleepers 4004
	kill "$(sleepers 4004)"
}

@test "spawn: when the host is killed, the program and its children are, too" {
	local host

	"$BATS_FILE_TMPDIR/spawn" 60000 1000 /bin/sh -c 'sleep 4005 & sleep 4005' </dev/null 3>&- &
	host=$!
	wait_until sleepers 4005
	kill -KILL "$host"
	wait_until no_sleepers 4005
}

@test "spawn: a signal that ends the host and all its group ends the program, too" {
	local host

	setsid "$BATS_FILE_TMPDIR/spawn" 60000 1000 /bin/sh -c 'exec sleep 4006' </dev/null 3>&- &
	host=$!
	wait_until sleepers 4006
	kill -TERM -- "-$host"
	wait_until no_sleepers 4006
}

# What the host notices ----------------------------------------------------------------------------

@test "spawn: an ordinary host notices nothing" {
	host plain
}

@test "spawn: a host whose SIGCHLD handler reaps everything sees no signal and no child" {
	host reaper
}

@test "spawn: a host that ignores SIGCHLD loses no exit code" {
	host ignorant
}

@test "spawn: a host with a thread in wait() sees its own children only" {
	host waiter
}

@test "spawn: a host that is a subreaper inherits no child" {
	host subreaper
}

@test "spawn: a host with 0, 1 and 2 closed keeps them closed" {
	host closed
}

@test "spawn: threads with stacks of 16 KiB suffice" {
	host small
}

@test "spawn: a host with gigabytes of memory is not copied" {
	host large
}

@test "spawn: eight threads make fifty calls each at the same time" {
	host threads
}

@test "spawn: a host that forks all the while, its children holding our descriptors, holds nothing up" {
	host forker
}

@test "spawn: a host that has run out of descriptors gets the reason, and loses none" {
	host exhausted
}

@test "spawn: a host with a signal every millisecond gets its signals, and its answers" {
	host alarmed
}

@test "spawn: a host with every signal blocked does not hand that down" {
	host blocked
}

@test "spawn: a thread that is cancelled meanwhile ends afterwards" {
	host cancelled
}

@test "spawn: a host whose filter denies close_range and clone3 hands down no descriptor either" {
	host filtered
}

@test "spawn: an emulator that knows threads and fork only gets its answers" {
	host emulated
}
