#!/usr/bin/env bats
# With CLIENT_LIBRARIES all suites here run on the libcurl found there; whether they really do.

load ../lib/suite
load ../lib/client

@test "CLIENT_LIBRARIES makes programs use the libcurl there, of either flavour" {
	[ -n "${CLIENT_LIBRARIES:-}" ] || skip_allowed 'this run is about the libcurl of this machine'
	try preloaded curl --version
	assert_contains "$output" 'libcurl/8.'
	assert_contains "$output" OpenSSL
	needs_client python3 -c 'import pycurl'
	try preloaded python3 -c 'import pycurl; print(pycurl.version)'
	assert_contains "$output" 'libcurl/8.'
	assert_contains "$output" GnuTLS
}
