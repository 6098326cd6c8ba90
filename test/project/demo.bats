#!/usr/bin/env bats
# scripts/demo, as "make demo" runs it, and the shell in which the README can be followed.

load ../lib/suite

@test "demo: shows the refusal first, then three answers by one token request" {
	local step
	try "$ROOT/scripts/demo"
	assert_status 0
	for step in 1 2 3 4; do assert_contains "$output" "[$step/4] "; done
	assert_equal "${lines[-1]}" '4 API calls, 1 token request'
	[[ $output == *'returned error: 401'*'"status":"RECEIVED"'*'invoice.total '*1320.00* ]] ||
		fail "not told in this order: $output"
}

@test "demo: --shell has the sandbox behind the README's hosts and key, and removes all of it at its end" {
	try "$ROOT/scripts/demo" --shell <<-'END'
		echo "home=$HOME"
		curl -fsS https://api.sypht.com/app/company/byclientid/client_id; echo "bare: $?"
		export SYPHT_API_KEY=client_id:client_secret
		sypht-run curl -fsS https://api.sypht.com/app/company/byclientid/client_id
	END
	assert_status 0
	assert_contains "$output" 'bare: 22'
	assert_contains "$output" '"clientId":"client_id"'
	assert_file_not_exist "$(sed -n 's/^home=//p' <<<"$output")"
}

@test "demo: a word it does not know is wrong usage" {
	try "$ROOT/scripts/demo" --shel
	assert_status 2
	assert_contains "$stderr" 'usage: scripts/demo [--shell]'
}
