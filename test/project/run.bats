#!/usr/bin/env bats
# A suite that cannot fail proves nothing: test/run must notice.

load ../lib/suite

# suite_of NAME <<<tests, with a bare "test" where bats, which reads this file too, must see none.
suite_of() {
	sed 's/^test /@test /' >"$1.bats"
}

@test "run: counts what passed and what failed, and fails with it" {
	suite_of one <<-'END'
		test "well" { true; }
		test "ill" { false; }
	END
	suite_of two <<-'END'
		test "well too" { true; }
	END
	try "$ROOT/test/run" one.bats two.bats
	assert_status 1
	assert_equal "${lines[-1]}" '2 passed, 1 failed'
	assert_line --partial 'ill'
}

@test "run: succeeds when all passed" {
	suite_of good <<<'test "well" { true; }'
	try "$ROOT/test/run" good.bats
	assert_status 0
	assert_equal "${lines[-1]}" '1 passed, 0 failed'
}

@test "run: a skip is told, and is a failure in CI unless allowed" {
	suite_of skips <<-'END'
		test "unwilling" { skip "no time"; }
		test "unable" { skip "allowed: no such hardware"; }
	END
	try env CI=false "$ROOT/test/run" skips.bats
	assert_status 0
	assert_equal "${lines[-1]}" '0 passed, 0 failed, 2 skipped'
	try env CI=true "$ROOT/test/run" skips.bats
	assert_status 1
	assert_equal "${lines[-1]}" '0 passed, 1 failed, 1 skipped'
}

@test "run: tests that never ran have failed" {
	suite_of broken <<-'END'
		setup_file() { false; }
		test "one" { true; }
		test "two" { true; }
	END
	try "$ROOT/test/run" broken.bats
	assert_status 1
	assert_equal "${lines[-1]}" '0 passed, 2 failed'
}

@test "run: a suite without tests has failed" {
	suite_of empty </dev/null
	try "$ROOT/test/run" empty.bats
	assert_status 1
}

@test "run: a file that is no suite has failed" {
	suite_of nonsense <<<'test "unended" {'
	try "$ROOT/test/run" nonsense.bats missing.bats
	assert_status 1
	assert_equal "${lines[-1]}" '0 passed, 2 failed'
}

@test "run: says which suite it starts and counts them, and how long each took" {
	suite_of one <<<'test "well" { true; }'
	suite_of two <<<'test "well too" { true; }'
	try env TEST_JOBS=1 "$ROOT/test/run" one.bats two.bats
	assert_status 0
	assert_line 'running one.bats (1 of 2)'
	assert_line 'running two.bats (2 of 2)'
	assert_line --regexp '^two.bats \([0-9]+ s\)$'
}

@test "run: is never silent for ten seconds" {
	suite_of slow <<-'END'
		test "quick" { true; }
		test "slow" { sleep 9; }
	END
	try "$ROOT/test/run" slow.bats
	assert_status 0
	assert_line --regexp '^still running slow.bats, test 2, [0-9]+ s$'
}

@test "run: a suite that is named as longest, or as one to leave out under sanitizers, exists" {
	local suite elsewhere
	eval "$(sed -n '/^LONGEST=(/,/)$/p' "$ROOT/test/run")"
	assert_equal "${LONGEST[0]}" plugin/heal.bats
	for suite in "${LONGEST[@]}"; do
		assert_file_exist "$ROOT/test/$suite"
	done
	read -rd '' -a elsewhere < <(sed -n "s/^ELSEWHERE+*='\(.*\)'$/\1/p" "$ROOT/scripts/sanitize") || true
	[ ${#elsewhere[@]} -gt 5 ] || fail 'ELSEWHERE cannot be read'
	for suite in "${elsewhere[@]}"; do
		compgen -G "$ROOT/test/*/$suite.bats" || fail "no such suite: $suite"
	done
}
