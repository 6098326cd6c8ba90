#!/usr/bin/env bats
# Where SYPHT_TRACE's lines go, and where they must not: helper/core/trace.c, alone.

load ../lib/suite

setup_file() {
	local root=$BATS_TEST_DIRNAME/../..

	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -D_GNU_SOURCE ${SANITIZE:-} -I"$root/helper" -o "$BATS_FILE_TMPDIR/trace" \
		"$root/test/drivers/trace.c" "$root"/helper/core/{trace,settings,buffer,status,text}.c
}

# trace WHERE TEXT
trace() {
	SYPHT_TRACE=$1 try "$BATS_FILE_TMPDIR/trace" "$2"
	assert_status 0
	assert_empty "$output"
}

@test "trace: 1 means stderr, a line in one piece" {
	trace 1 'all is well'
	[[ $stderr =~ ^'driver['[0-9]+'] '[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}' all is well'$ ]]
}

@test "trace: an absolute path is appended to, and made private" {
	umask 022
	trace "$PWD/file" one
	trace "$PWD/file" two
	assert_empty "$stderr"
	assert_equal "$(sed 's/.* //' file)" $'one\ntwo'
	assert_equal "$(stat -c %a file)" 600
}

@test "trace: anything else is off" {
	local where

	for where in '' 0 yes relative/path 11; do
		trace "$where" nothing
		assert_empty "$stderr"
	done
	assert_equal "$(find . -type f)" ''
}

@test "trace: a symlink is not followed, nor made into a file" {
	ln -s target link
	trace "$PWD/link" nothing
	assert_file_not_exist target
	echo old >target
	trace "$PWD/link" nothing
	assert_equal "$(cat target)" old
}

@test "trace: what is no file of ours is left alone" {
	mkfifo pipe
	trace "$PWD/pipe" nothing
	trace "$PWD" nothing
	trace /dev/full nothing
	assert_empty "$stderr"
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can make a foreign file'
	echo old >foreign
	chown nobody foreign
	trace "$PWD/foreign" nothing
	assert_equal "$(cat foreign)" old
}

@test "trace: control characters reach no terminal, and no second line can be forged" {
	trace 1 $'a\e[31m\r\nb\x7f ü'
	assert_contains "$stderr" ' a?[31m??b? ü'
	assert_equal "${#stderr_lines[@]}" 1
}

@test "trace: what is too long is cut" {
	trace "$PWD/file" "$(printf '%05000d' 0)"
	assert_equal "$(wc -lc <file | tr -s ' ')" ' 1 1024'
}

@test "trace: a reader that went away raises no SIGPIPE" {
	# shellcheck disable=SC2016
	SYPHT_TRACE=1 try bash -c '{ sleep 0.2; "$0" text; echo "$?" >status; } 2> >(:)' \
		"$BATS_FILE_TMPDIR/trace"
	assert_equal "$(cat status)" 0
}

@test "trace: a file at its size limit raises no SIGXFSZ" {
	# shellcheck disable=SC2016
	SYPHT_TRACE=$PWD/file try bash -c 'ulimit -f 0; exec "$0" text' "$BATS_FILE_TMPDIR/trace"
	assert_status 0
}

@test "trace: closed standard streams are no obstacle to a file" {
	# shellcheck disable=SC2016
	SYPHT_TRACE=$PWD/file try bash -c 'exec "$0" text <&- >&- 2>&-' "$BATS_FILE_TMPDIR/trace"
	assert_status 0
	assert_equal "$(sed 's/.* //' file)" text
}
