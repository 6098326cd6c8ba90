#!/usr/bin/env bats
# The plugin changes nothing else: what curl prints, writes and returns is the same without it.
#
# transparency/corpus holds the command lines out of scope, transparency/in-scope those that are
# measured against --oauth2-bearer.

load ../lib/suite

CORPUS=$ROOT/test/transparency/corpus
IN_SCOPE=$ROOT/test/transparency/in-scope

setup_file() {
	local directory=$BATS_FILE_TMPDIR/world

	start_sandbox
	seq 1000 >"$SANDBOX_FILES/text"
	mkdir "$directory"
	node "$ROOT/test/transparency/server.mjs" "$directory" $$ </dev/null >"$directory/log" 2>&1 3>&- &
	wait_until test -e "$directory/world.env"
	set -a
	# shellcheck source=/dev/null
	. "$directory/world.env"
	FURNITURE=$directory/furniture
	set +a
	furnish "$FURNITURE"
}

# The files that a command line of a corpus finds.
furnish() {
	mkdir "$1"
	seq 100 >"$1/small"
	seq 50000 >"$1/large"
	printf 'machine 127.0.0.1 login netrc password word\n' >"$1/netrc"
	printf '%s\n' silent show-error "url = $H/echo" 'header = "X-Config: 1"' >"$1/config"
	printf '%s/echo\n%s/text\n' "$H" "$S" >"$1/urls"
	printf '127.0.0.1\tFALSE\t/\tFALSE\t0\tjar\tcookie\n' >"$1/jar"
}

teardown_file() {
	stop_sandbox
	[ -z "${WORLD_PID:-}" ] || kill "$WORLD_PID"
}

setup() {
	seal
	sypht_env
	export BUILD CURL_CA_BUNDLE=$WORLD_CA
}

# The numbers of the lines in a section of a corpus.
lines_of() {
	awk -v section="[$2]" '/^\[/ { inside = $0 == section } inside && /^[^#[]/ { print NR }' "$1"
}

# compare_section CORPUS SECTION KIND KIND
compare_section() {
	"$ROOT/test/transparency/compare" "$@" || fail 'not as without the plugin, see above'
}

unchanged() {
	compare_section "$CORPUS" "$1" plain preloaded
}

@test "methods and URLs of every kind are sent as without the plugin" { unchanged methods; }
@test "bodies and uploads are sent as without the plugin" { unchanged bodies; }
@test "ranges, resumption and conditions work as without the plugin" { unchanged ranges; }
@test "redirects are followed, or not, as without the plugin" { unchanged redirects; }
@test "headers and encodings are as without the plugin" { unchanged headers; }
@test "output goes where it goes without the plugin" { unchanged output; }
@test "--write-out knows what it knows without the plugin" { unchanged variables; }
@test "cookies are kept and sent as without the plugin" { unchanged cookies; }
@test "every way to authenticate works as without the plugin" { unchanged authentication; }
@test "every kind of proxy works as without the plugin" { unchanged proxies; }
@test "every version of HTTP and TLS works as without the plugin" { unchanged versions; }
@test "parallel transfers are as without the plugin" { unchanged parallel; }
@test "retries, limits and timeouts are as without the plugin" { unchanged patience; }
@test "errors of every kind are as without the plugin" { unchanged errors; }
@test "other protocols work, or are refused, as without the plugin" { unchanged protocols; }
@test "config files and odd circumstances are as without the plugin" { unchanged configuration; }

@test "no line of the corpus made anyone ask for a token" {
	assert_equal "$(token_requests)" 0
}

@test "the corpus has more than 200 lines, all of them compared" {
	local compared total
	total=$(grep -c '^[^#[]' "$CORPUS")
	((total > 200)) || fail "only $total lines"
	compared=$(sed -n 's/.*{ unchanged \([a-z]*\); }/\1/p' "$BATS_TEST_FILENAME" |
		while read -r section; do lines_of "$CORPUS" "$section"; done | wc -l)
	assert_equal "$compared lines compared" "$total lines compared"
}

@test "in scope, all is as if the token had been given by hand" {
	export A=$SANDBOX_API AH=$SANDBOX_API_HTTP A2=$SANDBOX_API_HTTP2 B=$SANDBOX_BYSTANDER
	export BH=$SANDBOX_BYSTANDER_HTTP CURL_CA_BUNDLE=$SANDBOX_CA T
	unset SYPHT_API_BASE_ENDPOINT
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	(umask 077 && printf '%s\n' '[profile sypht]' "origin = $A" "origin = $AH" "origin = $A2" \
		>"$XDG_CONFIG_HOME/sypht/config")
	export SYPHT_CONFIG=$XDG_CONFIG_HOME/sypht/config
	T=$("$BUILD/sypht-credential" token)

	compare_section "$IN_SCOPE" 'in scope' bearer preloaded
	assert_equal "$(token_requests)" 1
}
