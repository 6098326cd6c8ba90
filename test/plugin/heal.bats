#!/usr/bin/env bats
# A token that its API refuses heals: the application does not learn of it. The measure is the same
# command with a token that is good: what it prints, writes and returns must be the same.

# shellcheck disable=SC2016 # the commands in single quotes are expanded where they run

load ../lib/suite

setup_file() {
	local compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g) name

	start_sandbox
	seq 500 >"$SANDBOX_FILES/text"
	mkdir "$BATS_FILE_TMPDIR/files"
	seq 300 >"$BATS_FILE_TMPDIR/files/small"
	seq 40000 >"$BATS_FILE_TMPDIR/files/large"
	# shellcheck disable=SC2206
	compile+=(${SANITIZE:-})
	for name in scene loop quirks; do
		"${compile[@]}" -Wno-deprecated-declarations -o "$BATS_FILE_TMPDIR/$name" "$BATS_TEST_DIRNAME/../hosts/$name.c" -lcurl
	done
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	reset_sandbox
	API=$SANDBOX_API/echo
	TEXT=$SANDBOX_API/files/text
	BYSTANDER=$SANDBOX_BYSTANDER
}

play() {
	under "$BATS_FILE_TMPDIR/scene"
}

good_token() {
	sypht-credential token >/dev/null
	reset_sandbox
}

# A token in the cache that the API no longer takes, and journals as new.
stale_token() {
	sypht-credential token >/dev/null
	revoke_tokens
	reset_sandbox
}

# What the API answered, in order. By the shell alone, as most tests ask often.
statuses() {
	local line found=()

	while IFS= read -r line; do
		[[ ! $line =~ \"server\":\"api\".*\"status\":([0-9a-z]*), ]] || found+=("${BASH_REMATCH[1]}")
	done <"$SANDBOX_REQUESTS"
	printf '%s\n' "${found[*]}"
}

mints() {
	local line count=0

	while IFS= read -r line; do
		[[ $line != *'"server":"token"'* ]] || count=$((count + 1))
	done <"$SANDBOX_REQUESTS"
	printf '%s\n' "$count"
}

# session KIND COMMAND: with a token of that kind, in a directory of its own.
session() {
	local kind=$1 status=0

	"${kind}_token"
	rm -rf "$kind"
	mkdir "$kind"
	cp -r "$BATS_FILE_TMPDIR/files" "$kind/files"
	(
		cd "$kind/files" || exit
		exec env LD_PRELOAD="$BUILD/libsypht-preload.so" timeout 30 bash -c "$2" <small
	) >"$kind/stdout" 2>"$kind/stderr" || status=$?
	echo "$status" >"$kind/status"
	statuses >"$kind-statuses"
}

# The two sessions left the same behind. What two runs never agree on is masked: the token's
# fingerprint, and times.
sessions_are_alike() {
	diff -r good stale >differences && return
	find good stale -type f ! -name large -exec sed -i -E -e 's/"token":"[0-9a-f]{8}"/"token":"…"/' \
		-e 's/([Dd]ate(: |":\["))[A-Z][^"]*GMT/\1…/' {} +
	diff -r good stale >differences
}

# heals COMMAND…: each does with a stale token what it does with a good one, after one 401 that is
# answered by one token request.
heals() {
	local command good stale refused

	for command; do
		session good "$command"
		assert_equal "$command: status $(<good/status)" "$command: status 0"
		good=$(<good-statuses)
		refute_contains "$good" 401
		session stale "$command"
		sessions_are_alike || fail "$command: not as with a good token: $(head -n 20 differences)"
		assert_equal "$command: $(mints)" "$command: 1"
		stale=" $(<stale-statuses) "
		refused=${stale// 401/}
		assert_equal "$command: $(((${#stale} - ${#refused}) / 4))" "$command: ${refusals:-1}"
		assert_equal "$command:$refused" "$command: $good "
	done
}

# What is sent once more --------------------------------------------------------------------------

@test "heals: GET, HEAD, DELETE and other methods without a body" {
	export API TEXT
	heals 'curl -sS $API/1' 'curl -sS -I $TEXT' 'curl -sS -X DELETE $API/1' 'curl -sS -X OPTIONS $API/1' \
		'curl -sS -G -d a=1 $API/1' 'curl -sS -r 10-19 $TEXT'
}

@test "heals: bodies in memory" {
	export API
	heals 'curl -sS -d a=1 $API/1' 'curl -sS --data-binary @small $API/1' 'curl -sS --data-binary @large $API/1' \
		'curl -sS --json "{}" $API/1' 'curl -sS -X PUT -d a=1 $API/1' 'curl -sS -d "" $API/1' \
		'curl -sS --data-urlencode a@small $API/1' 'cat small | curl -sS -d @- $API/1' \
		'curl -sS -d a=1 -H "Expect: 100-continue" $API/1' \
		'curl -sS -d a=1 -H "Transfer-Encoding: chunked" $API/1'
}

@test "heals: forms, with files and without" {
	export API
	local command
	# the boundary is another each time, its length is not
	for command in 'curl -sS -F a=1 $API/1' 'curl -sS -F file=@small $API/1' 'curl -sS -F file=@large -F b=2 $API/1' \
		'curl -sS -F "file=<small" $API/1' 'curl -sS -F "file=@small;type=text/plain;filename=x" $API/1' \
		'curl -sS -F "file=@-" $API/1' 'cat small | curl -sS -F "file=@-" $API/1'; do
		heals "$command | sed 's/body_sha256.*//'"
	done
}

@test "heals: uploads of files" {
	export API
	heals 'curl -sS -T small $API/1' 'curl -sS -T large $API/1' 'curl -sS -T - $API/1' \
		'curl -sS -T "{small,small}" $API/1 -H "Expect:"' 'curl -sS -T large -H "Expect: 100-continue" $API/1' \
		'curl -sS -X POST -T small $API/1' 'curl -sS -T large -C 1000 $API/1' 'curl -sS -T small -H "Transfer-Encoding: chunked" $API/1'
}

@test "heals: a document by the form the API documents" {
	export SANDBOX_API ROOT
	heals 'curl -sS -F fieldSets=sypht.invoice -F "fileToUpload=@$ROOT/test/sandbox/invoice.pdf" $SANDBOX_API/fileupload |
		sed "s/\"fileId.*RECEIVED/RECEIVED/"'
}

# What the application sees ------------------------------------------------------------------------

@test "heals: what -o, -O, -D, -i, -I, -v and -w show is one answer" {
	export API TEXT
	heals 'curl -sS -o out $API/1' 'curl -sS -O $TEXT' 'curl -sS -D heads -o out $API/1' 'curl -sS -i $API/1' \
		'curl -sS -D - $API/1' 'curl -sS -i -I $TEXT' 'curl -sS -J -O $TEXT' 'curl -sS -N $TEXT' \
		'curl -sS -i -d a=1 $API/1' 'curl -sS --compressed -i $API/1' \
		'curl -sS -o deep/out --create-dirs -D heads --remove-on-error $API/1' 'curl -sS --etag-save tag -o out $API/1'
}

@test "heals: a download that is resumed" {
	export TEXT
	heals 'curl -sS -C 1000 $TEXT' 'seq 100 >text; curl -sS -C - -O $TEXT'
}

@test "heals: a refusal that breaks off, or that libcurl would not have" {
	local fault option

	for fault in '"truncate": 3' '"truncate": 3, "chunked": true' '"headers": {"content-encoding": "gzip"}' \
		'"huge": 200000' '"headers": {"connection": "close"}'; do
		for option in '--compressed --max-filesize 1000' '-Z'; do
			stale_token
			faults "{\"api\": {\"status\": 401, \"body\": \"no way\", $fault}}"
			# shellcheck disable=SC2086
			under curl -sS --no-progress-meter $option -o answer -w '%{http_code}' "$API/1"
			assert_equal "$fault $option: $output" "$fault $option: 200"
			assert_equal "$(jq -r .path answer)" /echo/1
		done
	done
}

@test "heals: a refusal that comes before the body was sent" {
	local file

	stale_token
	head -c 4000000 /dev/zero >body
	for file in '-T body' '--data-binary @body'; do
		stale_token
		faults '{"api": {"early": true}}'
		# shellcheck disable=SC2086
		under curl -sS -H Expect: $file "$API/1"
		assert_status 0
		assert_equal "$(jq .body_bytes <<<"$output")" 4000000
	done
}

@test "heals: the numbers of --write-out are those of one answer" {
	export API TEXT
	heals 'curl -sS -o out -w "%{http_code} %{response_code} %{exitcode} %{errormsg} %{size_download} %{size_upload}\n" -d a=1 $API/1' \
		'curl -sS -o out -w "%{num_headers} %{size_header} %{content_type} %{method} %{url_effective}\n" $API/1' \
		'curl -sS -o out -w "%{size_request} %{num_redirects} %{scheme} %{http_version} %{ssl_verify_result}\n" $API/1' \
		'curl -sS -o out -w "%{header_json}\n%header{content-type}\n" $API/1' \
		'curl -sS -o out -w "%{http_code} %{size_upload}\n" -T large $API/1' \
		'curl -sS -o out -w "%{filename_effective} %{http_code}\n" -O $TEXT'
}

@test "heals: --fail, --fail-with-body, --fail-early and --retry have nothing to fail at" {
	export API
	heals 'curl -sS --fail $API/1' 'curl -sS --fail-with-body $API/1' 'curl -sS --fail -o out -w "%{http_code}\n" $API/1' \
		'curl -sS --fail --retry 2 $API/1' 'curl -sS --fail -i $API/1' 'curl -sS --fail -T small $API/1' \
		'curl -sS --fail -d a=1 -D heads $API/1'
}

@test "heals: HTTP/1.0, 1.1 and 2" {
	export API
	heals 'curl -sS --no-alpn --http1.0 $API/1' 'curl -sS --http1.1 -i $API/1'
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP2 API=$SANDBOX_API_HTTP2/echo
	heals 'curl -sS --http2 -i $API/1' 'curl -sS --http2 -T large $API/1' 'curl -sS --http2 -d a=1 -D heads $API/1' \
		'curl -sS --http2 -I $API/1' 'curl -sS --http2-prior-knowledge $API/1' \
		'curl -sS --http2 --fail -o out -w "%{http_version} %{http_code}\n" $API/1'
}

@test "heals: redirects within the API" {
	export SANDBOX_API
	heals 'curl -sS -L "$SANDBOX_API/redirect?to=/echo/1"' 'curl -sS -L -i "$SANDBOX_API/redirect?to=/echo/1"' \
		'curl -sS -L -o out -w "%{num_redirects} %{url_effective}\n" "$SANDBOX_API/redirect?to=/echo/1"' \
		'curl -sS -L -d a=1 "$SANDBOX_API/redirect?to=/echo/1&status=307"'
}

@test "heals: several URLs, one after the other and at once" {
	export API BYSTANDER
	heals 'curl -sS $API/1 $API/2 $API/3' 'curl -sS $API/1 --next -sS -d a=1 $API/2' \
		'curl -sS $BYSTANDER/1 $API/2 $BYSTANDER/3'
	refusals=2 heals 'curl -sS -Z --no-progress-meter -o 1 -o 2 $API/1 $API/2 -w "%{http_code}\n"'
	heals 'curl -sS -Z --no-progress-meter -o 1 -o 2 -o 3 $BYSTANDER/1 $API/2 $BYSTANDER/3 -w "%{http_code}\n"' \
		'curl -sS -Z --no-progress-meter --fail --fail-early -T small $API/1'
}

@test "heals: behind a proxy, and with a client's own Expect, cookies and ranges" {
	export API TEXT
	heals 'curl -sS -b a=1 -c jar $API/1' 'curl -sS -H "Expect:" -T large $API/1' 'curl -sS -z "2001-01-01" $TEXT -o out' \
		'curl -sS -H "X-One: 1" -A me -e there $API/1'
}

# What is not ------------------------------------------------------------------------------------

# delivers COMMAND: its answer is the 401, as it came; the next run is right; nothing is sent twice.
delivers() {
	stale_token
	under bash -c "$1"
	assert_status 0
	assert_contains "$output" 'invalid_token'
	assert_contains "$output" 401
	assert_equal "$1: $(statuses)" "$1: 401"
	under bash -c "$1"
	assert_contains "$output" 200
	refute_contains "$output" 'invalid_token'
	assert_equal "$1: $(statuses)" "$1: 401 200"
	assert_equal "$(mints)" 1
}

@test "a body that cannot be read again: the 401 is delivered, and the next request is right" {
	export API
	delivers 'echo piped | curl -sS -T - -w "%{http_code}" $API/1'
	delivers 'echo piped | curl -sS -T - -i $API/1 -w "%{http_code}"'
	delivers 'echo piped | curl -sS -X POST -T . $API/1 -w "%{http_code}"'
	delivers 'curl -sS -T <(echo piped) $API/1 -w "%{http_code}"'
	delivers 'echo piped | curl -sS -Z --no-progress-meter -T - $API/1 -w "%{http_code}"'
	delivers 'curl -sS -F "file=@"<(seq 30000) $API/1 -w "%{http_code}"'
	delivers 'curl -sS -Z --no-progress-meter -F "file=@"<(seq 30000) $API/1 -w "%{http_code}"'
}

@test "CURLOPT_HEADER: the 401 is delivered, and the next request is right" {
	stale_token
	play <<-EOF
		easy a
		set a HEADER 1
		set a URL $API/1
		perform a
		perform a
		multi m
		add m a
		run m
	EOF
	assert_equal "$output" $'a: 0 401\na: 0 200\na: 0 200'
	assert_equal "$(mints)" 1
}

@test "a 401 longer than is kept is delivered whole" {
	good_token
	faults '{"api": {"status": 401, "huge": 270000}}'
	under curl -sS -o answer -D heads -w '%{http_code} %{size_download}' "$API/1"
	assert_equal "$output" '401 270000'
	assert_equal "$(stat -c %s answer)" 270000
	assert_equal "$(grep -c ^HTTP/ heads)" 1
	under curl -sS -o answer -w '%{http_code}' "$API/1"
	assert_equal "$output" 200
	assert_equal "$(mints)" 1
}

@test "never more than one repeat: a second 401 is delivered, whole and once" {
	local option

	for option in '' -i -Z '-d a=1' '-T body' '-F a=@body' --fail-with-body -L '--http1.0 --no-alpn'; do
		# a token that replaced another a moment ago would not be replaced
		rm -rf "$XDG_CACHE_HOME/sypht"
		good_token
		echo body >body
		faults '{"api": {"status": 401, "body": {"error": "always"}, "times": "all"}}'
		# shellcheck disable=SC2086
		under curl -sS --no-progress-meter $option -w ' %{http_code}' "$API/1"
		assert_equal "$option: $(statuses)" "$option: 401 401"
		assert_equal "$(grep -o always <<<"$output" | wc -l)" 1
		assert_contains "$output" ' 401'
		assert_equal "$option: $(mints)" "$option: 1"
	done
}

@test "no repeat where the application authenticates itself" {
	local option

	stale_token
	echo 'machine elsewhere.example login me password mine' >"$HOME/.netrc"
	for option in '-u me:mine' '--oauth2-bearer mine' '-H Authorization:mine' '-H Authorization:' '-n' '-u me: --anyauth'; do
		reset_sandbox
		# shellcheck disable=SC2086
		under curl -sS -o answer -w '%{http_code}' $option "$API/1"
		assert_equal "$option: $output" "$option: 401"
		assert_equal "$option: $(statuses | tr -d ' ' | sort -u)" "$option: 401"
		assert_equal "$option: $(mints)" "$option: 0"
	done
	under curl -sS -o answer -w '%{http_code}' "${API/:\/\//:\/\/me:mine@}/1"
	assert_equal "$output" 401
	assert_equal "$(mints)" 0
}

@test "a 403, a 407 and a 401 from elsewhere do not cost the token" {
	good_token
	faults '{"api": [{"path": "/echo/1", "status": 403, "body": "no"}, {"path": "/echo/2", "status": 407, "body": "no"}],
		"bystander": {"status": 401, "body": "no", "times": "all"}}'
	under curl -sS -o 1 -o 2 -o 3 -w '%{http_code} ' "$API/1" "$API/2" "$BYSTANDER/3"
	assert_equal "$output" '403 407 401 '
	under curl -sS -L -o answer -w '%{http_code} ' "$SANDBOX_API/redirect?to=$BYSTANDER/4"
	assert_equal "$output" '401 '
	# what a proxy says is not what the API says
	under curl -sS -x "$SANDBOX_BYSTANDER_HTTP" -o answer -w '%{http_connect}' "$API/5"
	assert_equal "$(mints)" 0
	under curl -sS -o answer -w '%{http_code}' "$API/6"
	assert_equal "$output $(mints)" '200 0'
}

@test "a token that somebody else has replaced meanwhile is used, not minted again" {
	local fresh

	stale_token
	cp -a "$XDG_CACHE_HOME" stale-cache
	sypht-credential erase <<-EOF
		protocol=https
		host=${SANDBOX_API#https://}

	EOF
	fresh=$(sypht-credential token)
	reset_sandbox
	# the stale one in memory, the fresh one in the cache
	cp -a "$XDG_CACHE_HOME" fresh-cache
	rm -rf "$XDG_CACHE_HOME"
	cp -a stale-cache "$XDG_CACHE_HOME"
	export API fresh
	mkfifo go
	env LD_PRELOAD="$BUILD/libsypht-preload.so" "$BATS_FILE_TMPDIR/scene" <go >said 3>&- &
	exec 4>go
	printf '%s\n' 'easy a' "set a URL $SANDBOX_API/open/1" 'perform a' >&4
	wait_until test -s "$SANDBOX_REQUESTS"
	rm -rf "$XDG_CACHE_HOME"
	cp -a fresh-cache "$XDG_CACHE_HOME"
	printf '%s\n' "set a URL $API/2" 'perform a' >&4
	exec 4>&-
	wait $!
	try cat said
	assert_equal "$output" $'a: 0 200\na: 0 200'
	assert_equal "$(mints) token requests" '0 token requests'
	try sypht-credential token
	assert_equal "$output" "$fresh"
}

@test "a late refusal does not cost the token that took its place" {
	local fresh

	stale_token
	faults '{"api": {"path": "/echo/slow", "delay_ms": 700}}'
	under bash -c "curl -sS -o slow $API/slow & curl -sS -o quick $API/quick; wait"
	assert_equal "$(mints) token requests" '1 token requests'
	assert_equal "$(jq -r .path slow quick)" $'/echo/slow\n/echo/quick'
	fresh=$(sypht-credential token)
	under curl -sS "$API/3"
	assert_equal "$(jq -r .token <<<"$output")" "$(printf %s "$fresh" | sha256sum | cut -c 1-8)"
	assert_equal "$(mints) token requests" '1 token requests'
}

# Event loops --------------------------------------------------------------------------------------

@test "heals: an event loop, with many transfers at once, none of them disturbed" {
	local i urls=()

	for i in 1 2 3 4 5 6; do urls+=("$API/$i" "$BYSTANDER/$i" "$TEXT?$i"); done
	good_token
	under "$BATS_FILE_TMPDIR/loop" "${urls[@]}"
	assert_equal "$(cut -d ' ' -f 1,2 <<<"$output" | sort -u)" '0 200'
	printf '%s\n' "$output" >good
	stale_token
	under "$BATS_FILE_TMPDIR/loop" "${urls[@]}"
	diff good <(printf '%s\n' "$output") || fail 'not as with a good token'
	assert_equal "$(mints) token requests" '1 token requests'
	assert_equal "$(requests 'select(.server == "bystander") | .path' | sort | uniq -d)" ''
}

@test "multi: a transfer refused twice ends once" {
	good_token
	faults '{"api": {"status": 401, "body": "no", "times": "all"}}'
	under "$BATS_FILE_TMPDIR/loop" "$API/1" "$BYSTANDER/2"
	assert_equal "$(cut -d ' ' -f 1-3 <<<"$output" | head -n 1)" '0 401 2'
	assert_equal "$(statuses)" '401 401'
}

@test "multi: results not yet read go with a handle that is removed" {
	stale_token
	play <<-EOF
		multi m
		easy a
		easy b
		set a URL $API/1
		set b URL $BYSTANDER/2
		add m a
		add m b
		spin m
		remove m b
		messages m
		remove m a
		messages m
	EOF
	assert_equal "$output" 'a: 0 200'
}

@test "multi: a handle freed with its result unread, and its multi handle after it" {
	stale_token
	play <<-EOF
		multi m
		easy a
		easy b
		set a URL $API/1
		set b URL $BYSTANDER/2
		add m a
		add m b
		spin m
		remove m b
		cleanup b
		close m
		set a URL $API/3
		perform a
	EOF
	assert_equal "$output" 'a: 0 200'
}

# Handles afterwards -------------------------------------------------------------------------------

@test "a handle that was healed is as good as new: used again, duplicated, reset" {
	stale_token
	play <<-EOF
		easy a
		set a URL $API/1
		perform a
		dup a b
		set b URL $BYSTANDER/2
		perform b
		cleanup a
		perform b
		reset b
		set b URL $API/3
		perform b
		dup b c
		cleanup b
		set c URL $API/4
		perform c
	EOF
	assert_equal "$output" $'a: 0 200\nb: 0 200\nb: 0 200\nb: 0 200\nc: 0 200'
	assert_equal "$(mints)" 1
}

@test "a CURLU that is changed while the refusal comes in takes no token elsewhere" {
	stale_token
	play <<-EOF
		easy a
		curlu a $API/1
		meanwhile a $BYSTANDER/2
		perform a
		perform a
	EOF
	assert_equal "$(requests 'select(.server == "bystander") | .scheme // "-"' | sort -u)" '"-"'
	# what was judged is what is sent, and sent again
	assert_equal "$(statuses)" '401 200'
}

# Uncommon calls ------------------------------------------------------------------------------------

# quirks WHAT: the program alone, then with a token that is good, then with one that is not.
# The same comes of it each time, which is left in $output.
quirks() {
	local command=("$BATS_FILE_TMPDIR/quirks" "$1" "$SANDBOX_API/open/1" "$SANDBOX_FILES/text") bare

	try "${command[@]}"
	assert_status 0
	bare=$output
	command[2]=$API/1
	good_token
	under "${command[@]}"
	assert_equal "good: $status $output" "good: 0 $bare"
	refute_contains "$(statuses)" 401
	stale_token
	under "${command[@]}"
	assert_equal "stale: $status $output" "stale: 0 $bare"
	assert_equal "$(mints) token requests" '1 token requests'
}

@test "a form's streams are read with their own pointers, on a handle that has uploaded with a token" {
	quirks form-stream
	assert_equal "${lines[-1]}" '6 6'
}

@test "heals: a form of curl_formadd(), unless there is a stream in it" {
	quirks form-again
	stale_token
	under "$BATS_FILE_TMPDIR/quirks" form-stream-again "$API/1" "$SANDBOX_FILES/text"
	assert_equal "$output $(statuses)" '0 401 0 401'
}

@test "headers go to the write function where there is data for them, but no function" {
	quirks header-data
	assert_equal "${lines[1]}" '0 200 1'
}

@test "heals: the upload of a file from where it stood" {
	quirks offset
	assert_contains "$output" "\"body_bytes\":$(($(stat -c %s "$SANDBOX_FILES/text") - 1000))"
}

@test "a file that is read by fread() is rewound by libcurl" {
	local kind

	for kind in good stale; do
		"${kind}_token"
		under "$BATS_FILE_TMPDIR/quirks" fread "$SANDBOX_API/redirect?status=307&to=/echo/1" "$SANDBOX_FILES/text"
		assert_equal "$kind: $output" "$kind: 0 200 0"
	done
}

@test "a callback that pauses gets all of a 401 that is delivered, and no error" {
	local how body

	for how in pauses pauses-multi; do
		for body in '"huge": 270000' '"huge": 270000, "chunked": true' '"body": "no way"'; do
			good_token
			faults "{\"api\": {\"status\": 401, $body, \"times\": \"all\"}}"
			under "$BATS_FILE_TMPDIR/quirks" "$how" "$API/1" -
			assert_equal "$how $body: $output" "$how $body: 0 401 0"$'\n'"$(grep -o '27.*0\b' <<<"$body" | grep -o '^[0-9]*' || echo 6)"
		done
		# no other token is to be had
		good_token
		faults '{"token": {"status": 400, "times": "all"}, "api": {"status": 401, "body": "no way"}}'
		under "$BATS_FILE_TMPDIR/quirks" "$how" "$API/1" -
		assert_equal "$how: $output" "$how: 0 401 0"$'\n6'
		reset_sandbox
		rm -rf "$XDG_CACHE_HOME"
	done
}

@test "getting another token does not count for the application's time limit" {
	good_token
	faults '{"token": {"delay_ms": 1500}, "api": {"status": 401, "body": "no way"}}'
	under curl -sS -m 1 -w '%{http_code}' -o answer "$API/1"
	assert_equal "$output" 200
	good_token
	faults '{"token": {"delay_ms": 1500, "status": 400}, "api": {"status": 401, "body": "no way"}}'
	under curl -sS -m 1 -w ' %{http_code}' "$API/1"
	assert_equal "$output" 'no way 401'
}

@test "multi: curl_easy_perform() on a handle in a multi handle is refused, and its transfer goes on" {
	quirks perform-added
	assert_equal "$output" $'2\n0 200 0'
}

@test "multi: curl_multi_cleanup() in a callback is refused, and the transfer goes on" {
	quirks cleanup-within
	assert_equal "$output" '0 200 0'
}

@test "multi: handles whose multi handle is gone live on" {
	quirks outlive
	assert_equal "$output" $'0 200 0\n0 200 0'
}

@test "multi: a handle that is removed amid a 401 has given what came of it" {
	good_token
	faults '{"api": {"status": 401, "body": "no way, whatever you do", "drip_ms": 100}}'
	under "$BATS_FILE_TMPDIR/quirks" removed "$API/1" -
	assert_equal "$output" '1 1'
}

@test "multi: a transfer that waits is judged anew when something is set" {
	good_token
	under "$BATS_FILE_TMPDIR/quirks" waiting "$API/1" -
	assert_equal "$output" $'0 200 0\n0 200 0'
	refute_contains "$(statuses)" 401
}

@test "multi: what was set may be freed and replaced until the transfer starts" {
	quirks replaced
	assert_equal "$output" '0 200 0'
}

# Trouble at the endpoint ----------------------------------------------------------------------------

@test "where no other token can be had the 401 is delivered, and the live token is served on" {
	good_token
	faults '{"token": {"status": 503, "times": "all"}, "api": {"path": "/echo/1", "status": 401, "body": "no"}}'
	export SYPHT_TIMEOUT=2
	under curl -sS -w '%{http_code}' "$API/1"
	assert_status 0
	assert_equal "$output" no401
}

@test "a live token is served through all trouble at the token endpoint" {
	local fault

	good_token
	for fault in '"status": 500' '"status": 429, "headers": {"retry-after": "60"}' '"close": true' '"reset": true' \
		'"delay_ms": 60000' '"body": "nonsense"' '"status": 400, "body": {"error": "invalid_client"}'; do
		faults "{\"token\": {$fault, \"times\": \"all\"}}"
		under curl -sS -o answer -w '%{http_code}' -m 5 "$API/1"
		assert_equal "$fault: $output" "$fault: 200"
	done
	assert_equal "$(mints)" 0
}
