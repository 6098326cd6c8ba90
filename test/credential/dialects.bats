#!/usr/bin/env bats
# What each caller says and is told, byte for byte: the transcripts in transcripts/, and what a
# transcript cannot show.
#
# A transcript's lines: "@ NAME=VALUE" of the environment, "$ " the command, "< " stdin ("<~ "
# without a line end), "> " stdout, "! " stderr, "= " the exit status. {API} and {HOST} are the
# sandbox's, {TOKEN} what is cached, {EXPIRES} and {EPOCH} the end of its use.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
	sypht_env
	HOST=${SANDBOX_API#https://}
}

# The lines of FILE that begin with MARK, without it.
lines_of() {
	sed -n "s/^[$2]\( \|$\)//p" "$1"
}

fill_in() {
	local epoch token
	token=$(sypht-credential token)
	epoch=$(printf 'protocol=https\nhost=%s\n' "$HOST" | sypht-credential get | sed -n 's/^password_expiry_utc=//p')
	sed -e "s|{API}|$SANDBOX_API|g; s|{HOST}|$HOST|g; s|{TOKEN}|$token|g; s|{EPOCH}|$epoch|g" \
		-e "s|{EXPIRES}|$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)|g" \
		-e "s|{VERSION}|$(sypht-credential --version | cut -d ' ' -f 2)|g" "$1"
}

# play NAME: the command of transcripts/NAME must answer as it says there.
play() {
	local script=$BATS_TEST_TMPDIR/$1 variables command got=0

	fill_in "$BATS_TEST_DIRNAME/../transcripts/$1" >"$script"
	mapfile -t variables < <(lines_of "$script" @)
	read -ra command < <(lines_of "$script" '$')
	lines_of "$script" '<' >stdin
	[ -s stdin ] || sed -n 's/^<~ //p' "$script" | head -c -1 >stdin
	lines_of "$script" '>' >stdout.wanted
	lines_of "$script" '!' >stderr.wanted

	env "${variables[@]}" "${command[@]}" <stdin >stdout 2>stderr || got=$?
	diff -u stdout.wanted stdout
	diff -u stderr.wanted stderr
	assert_equal "status $got" "status $(lines_of "$script" =)"
}

@test "every transcript is played" {
	local name
	for name in "$BATS_TEST_DIRNAME"/../transcripts/*; do
		grep -qw "play.* ${name##*/}" "$BATS_TEST_FILENAME" || fail "nobody plays $name"
	done
}

# Bazel and EngFlow -----------------------------------------------------------------------------

@test "bazel: a covered URI gets a header and the whole second it ends" { play bazel-covered; }
@test "bazel: its name may be said" { play bazel-protocol; }
@test "bazel: an uncovered URI is a failure, as {} would mean go ahead" { play bazel-uncovered; }
@test "bazel: the key is uri, not url" { play bazel-url; }
@test "bazel: half an object is none" { play bazel-torn; }

@test "bazel: a request of 60 KiB arrives whole" {
	local padding
	padding=$(head -c 60000 /dev/zero | tr '\0' x)
	try sypht-credential get <<<"{\"padding\":\"$padding\",\"uri\":\"$SANDBOX_API\"}"
	assert_status 0
	assert_contains "$output" '"Authorization":["Bearer '
}

@test "bazel: an object that comes in pieces is put together" {
	pieces() { printf '{"uri":'; sleep 0.2; printf '"%s"}' "$SANDBOX_API"; }
	try sypht-credential get < <(pieces)
	assert_status 0
}

# Docker ------------------------------------------------------------------------------------------

@test "docker: get by host" { play docker-host; }
@test "docker: get by URL, white space trimmed" { play docker-url; }
@test "docker: get of a registry no profile covers" { play docker-unknown; }
@test "docker: get of nothing" { play docker-nothing; }
@test "docker: store for a covered registry has nothing to do" { play docker-store-covered; }
@test "docker: store for another registry is refused, not lost" { play docker-store-unknown; }
@test "docker: store without a user" { play docker-store-nobody; }
@test "docker: store without a server" { play docker-store-nowhere; }
@test "docker: erase of what is not there succeeds" { play docker-erase-unknown; }
@test "docker: list" { play docker-list; }
@test "docker: version, -v, --version" {
	play docker-version
	play docker-v
	play docker-long-version
}
@test "docker: help is no error, a missing or unknown verb is" {
	play docker-h
	play docker-no-verb
	play docker-other-verb
}

@test "docker: a word too many, or an unknown option, is answered as by docker's own helpers" {
	local words
	for words in 'get extra' 'version x' 'erase x y' 'help x' --bogus '--bogus get' -x --profile; do
		# shellcheck disable=SC2086
		try docker-credential-sypht $words </dev/null
		assert_status 1
		assert_empty "$stderr"
		assert_output 'Usage: docker-credential-sypht <store|get|erase|list|version>'
	done
}

@test "docker: a failure is a sentence on stdout, and nothing on stderr" {
	export SYPHT_API_KEY=sandbox-client:wrong
	try docker-credential-sypht get <<<"$HOST"
	assert_status 1
	assert_empty "$stderr"
	assert_contains "$output" invalid_client
	assert_equal "${#lines[@]}" 1
}

@test "docker: erase drops the cached token" {
	sypht-credential token
	try docker-credential-sypht erase <<<"$HOST"
	assert_status 0
	assert_empty "$output$stderr"
	sypht-credential token
	assert_equal "$(token_requests)" 2
}

@test "docker: store for the token endpoint's host keeps client credentials" {
	unset SYPHT_API_KEY
	jq -n --arg url "$SANDBOX_TOKEN_URL" --arg secret "$(client_secret)" --arg id "$(client_id)" \
		'{ServerURL: $url, Username: $id, Secret: $secret}' | docker-credential-sypht store
	try sypht-credential token
	assert_status 0
	docker-credential-sypht erase <<<"$SANDBOX_TOKEN_URL"
	try sypht-credential token
	assert_status 1
}

@test "docker: a profile without basic_username is not for it" {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '[profile sypht]\nbasic_username =\n' >"$XDG_CONFIG_HOME/sypht/config"
	try docker-credential-sypht get <<<"$HOST"
	assert_status 1
	assert_output 'credentials not found in native keychain'
	try docker-credential-sypht list
	assert_output '{}'
}

@test "docker: a registry on http, bare, is found where its profile is of this machine" {
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	try docker-credential-sypht get <<<"${SANDBOX_API_HTTP#http://}"
	assert_status 0
	try docker-credential-sypht get <<<"https://${SANDBOX_API_HTTP#http://}"
	assert_status 1
}

# Kubernetes --------------------------------------------------------------------------------------

@test "kubernetes: the answer is of the version that asked" {
	play kubernetes-v1
	play kubernetes-v1beta1
}
@test "kubernetes: the cluster's server says what the token is for" {
	play kubernetes-cluster
	play kubernetes-other-cluster
}
@test "kubernetes: a version of old is refused" { play kubernetes-v1alpha1; }
@test "kubernetes: nobody asked" { play kubernetes-unasked; }

# Cargo -------------------------------------------------------------------------------------------

@test "cargo: hello, and nobody answers" { play cargo-hello; }
@test "cargo: get" { play cargo-get; }
@test "cargo: several requests in one dialogue" { play cargo-twice; }
@test "cargo: --profile comes in the request" {
	play cargo-profile
	play cargo-other-profile
}
@test "cargo: another registry is left to the next provider" { play cargo-unknown; }
@test "cargo: login is not supported, logout drops the token" {
	play cargo-login
	play cargo-logout
}
@test "cargo: what later versions may say" {
	play cargo-later-kind
	play cargo-later-version
}
@test "cargo: nonsense is an error, and no end" { play cargo-nonsense; }

@test "cargo: a failure is an Err of kind other, with exit status 0" {
	export SYPHT_API_KEY=sandbox-client:wrong
	try sypht-credential --cargo-plugin <<<"{\"v\":1,\"kind\":\"get\",\"registry\":{\"index-url\":\"$SANDBOX_API\"}}"
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(jq -r .Err.kind <<<"${lines[1]}")" other
	assert_contains "${lines[1]}" invalid_client
}

@test "cargo: a token that the registry calls invalid is replaced" {
	local stale
	stale=$(sypht-credential token)
	try sypht-credential --cargo-plugin <<<"{\"v\":1,\"kind\":\"get\",\"registry\":{\"index-url\":\"$SANDBOX_API\",\"headers\":[\"Date: now\",\"www-authenticate: Basic realm=\\\"x\\\", Bearer error=\\\"invalid_token\\\"\"]}}"
	refute_contains "$output" "$stale"
	assert_equal "$(token_requests)" 2
}

@test "cargo: the answer comes before stdin is closed" {
	coproc CARGO { sypht-credential --cargo-plugin; }
	local hello answer
	read -r -t 5 hello <&"${CARGO[0]}"
	assert_equal "$hello" '{"v":[1]}'
	printf '{"v":1,"kind":"get","registry":{"index-url":"%s"}}\n' "$SANDBOX_API" >&"${CARGO[1]}"
	read -r -t 5 answer <&"${CARGO[0]}"
	assert_contains "$answer" '"Ok"'
	local pid=$CARGO_PID end=${CARGO[1]}
	exec {end}>&-
	wait "$pid"
}

# Go ----------------------------------------------------------------------------------------------

@test "goauth: first, without a URL" { play goauth-first; }
@test "goauth: for a URL that was refused, with the same token" { play goauth-url; }
@test "goauth: for a URL of nobody's, nothing" { play goauth-unknown; }

# refused LINE…: go's call after an answer with status 401 and these lines in its head.
refused() {
	try sypht-credential --protocol=goauth "$SANDBOX_API/mod" < <(printf '%s\n' "$@" '')
	assert_status 0
}

@test "goauth: a 401 about our token replaces it, in HTTP/1.1 and HTTP/2, once for many requests" {
	local stale
	stale=$(sypht-credential token)
	refused 'HTTP/2.0 401 Unauthorized' 'Www-Authenticate: Basic realm="x", bearer Error=invalid_token'
	refute_contains "$output" "$stale"
	assert_contains "$output" "Bearer $(sypht-credential token)"
	for _ in 1 2 3 4; do
		refused $'HTTP/1.1 401 Unauthorized\r' $'www-authenticate: Bearer error="invalid_token"\r' $'\r'
	done
	assert_equal "$(token_requests)" 2
}

@test "goauth: a replacement that is refused is replaced in turn, but not within five seconds" {
	sypht-credential --protocol=goauth
	refused 'HTTP/1.1 401 Unauthorized' 'Www-Authenticate: Bearer error="invalid_token"'
	sypht-credential --protocol=goauth
	sed -i 's/^replace_from=.*/replace_from='"$(date +%s)/" "$XDG_CACHE_HOME"/sypht/*.state
	refused 'HTTP/1.1 401 Unauthorized' 'Www-Authenticate: Bearer error="invalid_token"'
	assert_equal "$(token_requests)" 3
}

@test "goauth: what is no 401 about our token costs nothing" {
	local stale challenge
	stale=$(sypht-credential token)
	for challenge in 'Bearer realm="x"' 'Bearer realm="invalid_token"' 'Basic realm="x"' \
		'Basic error="invalid_token"' 'Bearer error="insufficient_scope"'; do
		refused 'HTTP/2.0 401 Unauthorized' "Www-Authenticate: $challenge"
		assert_contains "$output" "Bearer $stale"
	done
	refused 'HTTP/1.1 401 Unauthorized' 'Server: x'
	refused 'HTTP/1.1 401 Unauthorized' 'X-Www-Authenticate: Bearer error="invalid_token"' '' 'Www-Authenticate: Bearer error="invalid_token"'
	refused 'HTTP/1.1 403 Forbidden' 'Www-Authenticate: Bearer error="invalid_token"'
	refused 'HTTP/1.1 4010 What' 'Www-Authenticate: Bearer error="invalid_token"'
	try sypht-credential --protocol=goauth "$SANDBOX_API/mod" </dev/null
	assert_contains "$output" "Bearer $stale"
	assert_equal "$(token_requests)" 1
}

@test "goauth: the host is spelled as in the question, as go looks it up so" {
	export SYPHT_API_BASE_ENDPOINT=https://modules.example
	try sypht-credential --protocol=goauth
	assert_line --index 0 https://modules.example
	try sypht-credential --protocol=goauth https://Modules.example:443/a/@v/list </dev/null
	assert_line --index 0 https://Modules.example:443
	try sypht-credential --protocol=goauth https://modules.example?go-get=1 </dev/null
	assert_line --index 0 https://modules.example
}

@test "goauth: http origins are not for go" {
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	try sypht-credential --protocol=goauth
	assert_status 0
	assert_empty "$output"
}

# keyring, files, the shell -----------------------------------------------------------------------

@test "keyring: get by URL and by host" {
	play keyring-url
	play keyring-host
}
@test "keyring: not for another user or place, and not a word" {
	play keyring-other-user
	play keyring-unknown
}
@test "keyring: set for a covered place has nothing to do" { play keyring-set; }
@test "keyring: usage" { play keyring-short; }

@test "keyring: set and del keep and drop client credentials" {
	unset SYPHT_API_KEY
	ln -s "$BUILD/sypht-credential" keyring
	client_secret | ./keyring set "$SANDBOX_TOKEN_URL" "$(client_id)"
	try sypht-credential token
	assert_status 0
	./keyring del "$SANDBOX_TOKEN_URL" "$(client_id)"
	try sypht-credential token
	assert_status 1
	try ./keyring set https://other.example me <<<mine
	assert_status 1
}

@test "token-file: 0600, in XDG_RUNTIME_DIR, and it says where" {
	try sypht-credential token-file
	assert_status 0
	assert_output "$XDG_RUNTIME_DIR/bt_u$EUID"
	assert_equal "$(<"$output")" "$(sypht-credential token)"
	assert_equal "$(stat -c %a "$output")" 600
	assert_equal "$(ls "$XDG_RUNTIME_DIR")" "bt_u$EUID"
}

@test "token-file FILE: the file may be named by a path, with or without a URL" {
	export BEARER_TOKEN_FILE=$PWD/elsewhere
	for words in "$PWD/named" "./named $SANDBOX_API/x" "$SANDBOX_API/x ./named"; do
		rm -f named
		# shellcheck disable=SC2086 # the words are arguments of their own
		ask token-file $words
		assert_status 0
		assert_equal "$(realpath "$output")" "$PWD/named"
		assert_equal "$(<named)" "$(token)"
		assert_equal "$(stat -c %a named)" 600
	done
	[ ! -e elsewhere ]
	ask --protocol=htslib token-file ./named
	assert_equal "$(jq -r .access_token named)" "$(token)"
	ask token-file /no-such-directory/named
	assert_refused 1 'cannot write /no-such-directory/named' 'No such file or directory'
	ask token-file "$SANDBOX_API" "$SANDBOX_API"
	assert_refused 2 'unexpected argument'
	ask token-file ./a ./b
	assert_refused 2 "'./b'"
}

@test "token-file: BEARER_TOKEN_FILE comes first, and is replaced whole" {
	export BEARER_TOKEN_FILE=$PWD/purpose
	echo old >purpose
	exec 5<purpose
	try sypht-credential token-file
	assert_output "$PWD/purpose"
	assert_equal "$(cat <&5)" old
	assert_equal "$(<purpose)" "$(sypht-credential token)"
}

@test "token-file: a link in its place is left alone" {
	ln -s "$PWD/target" "$XDG_RUNTIME_DIR/bt_u$EUID"
	try sypht-credential token-file
	assert_status 1
	assert_empty "$output"
	refute [ -e target ]
}

@test "token-file: without a token the old file stays" {
	export SYPHT_API_KEY=sandbox-client:wrong
	echo old >"$XDG_RUNTIME_DIR/bt_u$EUID"
	try sypht-credential token-file
	assert_status 1
	assert_equal "$(<"$XDG_RUNTIME_DIR/bt_u$EUID")" old
}

@test "htslib: JSON with what is left of the token's life" {
	try sypht-credential --protocol=htslib "$SANDBOX_API/x"
	assert_status 0
	assert_regex "$output" '^\{"access_token":"[^"]+","token_type":"Bearer","expires_in":35[0-9][0-9]\}$'
	local shown=$output
	export HTS_AUTH_LOCATION=$PWD/auth.json
	try sypht-credential --protocol=htslib token-file
	assert_output "$PWD/auth.json"
	assert_equal "$(jq -r .access_token auth.json)" "$(jq -r .access_token <<<"$shown")"
}

@test "htslib: a location that is no file is refused" {
	for HTS_AUTH_LOCATION in '' https://x.example/ "$PWD/%h"; do
		export HTS_AUTH_LOCATION
		try sypht-credential --protocol=htslib token-file
		assert_status 2
	done
}

@test "pnpm: a program without words gives the whole of the header's value" {
	ln -s "$BUILD/sypht-credential" pnpm-credential-sypht
	PATH=$PWD:$PATH play pnpm
}

@test "the shell: a bare token for a URL" { play token; }

@test "git: by its own name, with the capability and without" {
	play git-modern
	play git-old
}
@test "git: nothing to say, and not a word" {
	play git-unknown
	play git-later-verb
}
@test "git: is not Bazel" { play git-json; }
@test "an unknown dialect is an error" { play unknown-protocol; }

# All of them -------------------------------------------------------------------------------------

@test "no dialect makes git's warm get ask the kernel for more" {
	not_under_sanitizers 'their runtime makes calls of its own'
	sypht-credential token
	printf 'protocol=https\nhost=%s\n\n' "$HOST" >question
	not_under_sanitizers 'strace and LeakSanitizer exclude each other'
	strace -f -o calls sypht-credential get <question
	try cat calls
	refute_contains "$output" memfd_create
	assert_equal "$(grep -c 'read(0,' calls)" 1
}

@test "every dialect hands out the time it stops serving, not the time the token dies" {
	token_lifetime "$(client_id)" 1000
	local before now margin=60
	before=$(date +%s)
	try sypht-credential --cargo-plugin <<<"{\"v\":1,\"kind\":\"get\",\"registry\":{\"index-url\":\"$SANDBOX_API\"}}"
	now=$(date +%s)
	local end
	end=$(jq .Ok.expiration <<<"${lines[1]}")
	((end >= before + 1000 - margin && end <= now + 1000 - margin)) || fail "ends at $end"
}

@test "status --json tells programs what status tells people" {
	try sypht-credential status --json
	assert_equal "$(jq -c '.profiles[0] | [.name, .token, .secret_source, .refusal]' <<<"$output")" \
		'["sypht",null,"SYPHT_API_KEY",null]'
	sypht-credential token
	try sypht-credential status --json
	assert_equal "$(jq '.profiles[0].token | .seconds_left > 3500 and (.scope_narrower | not)' <<<"$output")" true
	refute_contains "$output" "$(sypht-credential token)"
	refute_contains "$output" "$(client_secret)"
}

@test "status tells of a narrower scope, and of the last refusal" {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '[profile sypht]\nscope = result:all fileupload:all\n' >"$XDG_CONFIG_HOME/sypht/config"
	faults '{"token": {"body": {"access_token": "abc", "token_type": "Bearer", "expires_in": 100, "scope": "result:all"}}}'
	sypht-credential token
	try sypht-credential status
	assert_contains "$output" 'scope result:all'
	assert_contains "$output" 'warning   asked for scope result:all fileupload:all'
	try sypht-credential status --json
	assert_equal "$(jq '.profiles[0].token.scope_narrower' <<<"$output")" true

	docker-credential-sypht erase <<<"$HOST"
	export SYPHT_API_KEY=sandbox-client:wrong
	try sypht-credential token
	try sypht-credential status
	assert_contains "$output" 'refusal   '
	assert_contains "$output" invalid_client
}

@test "status says where nothing is kept" {
	unset SYPHT_API_KEY
	try sypht-credential status
	assert_contains "$output" 'secret    none is stored or configured'
	try sypht-credential status --json
	assert_equal "$(jq '.profiles[0].secret_source' <<<"$output")" null
}
