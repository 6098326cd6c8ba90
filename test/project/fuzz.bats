#!/usr/bin/env bats
# The readers of what others wrote, on inputs that were made to break them and on all that are one
# step away. make fuzz looks for more.

load ../lib/suite

setup_file() {
	# a build under sanitizers has made them already
	[ -n "${TEST_SANITIZED:-}" ] || make -s -C "$ROOT" "BUILD=${BUILD#"$ROOT"/}" replay
}

survives() {
	try "$BUILD/replay/$1" "$ROOT/test/fuzz/corpus/$1"/*
	assert_status 0
	assert_output --regexp '^[1-9][0-9]* files$'
	assert_empty "$stderr"
}

@test "fuzz: key=value lines read, written and read again are the same" {
	survives attributes
}

@test "fuzz: an origin is plain, and what libcurl makes of the URL" {
	survives origin
}

@test "fuzz: a config gives whole and safe profiles, or says what is wrong" {
	survives config
}

@test "fuzz: an endpoint's answer is a token that may be sent, or a reason that may be printed" {
	survives response
}

@test "fuzz: a file in the cache is an entry of ours, or nothing" {
	survives cache
}

@test "fuzz: the URL of a shared store is shown without user and password, and leads to the same place" {
	survives storeurl
}

@test "fuzz: whatever an application calls, a token goes to its origin alone, and it sees nothing of it" {
	survives calls
	try "$BUILD/replay/calls-random" 100000 1
	assert_status 0
	assert_contains "$stderr" steps
}

@test "fuzz: whichever allocation fails, no request that is to have a token is sent without one" {
	try "$BUILD/replay/calls-torture" --torture 3000 1
	assert_status 0
	assert_contains "$stderr" steps
}

@test "fuzz: a challenge is a rejection if it says so" {
	survives challenge
}
