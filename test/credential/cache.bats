#!/usr/bin/env bats
# Tokens on the disk: who may see them, and whatever else may lie in their place. The file system is
# not to be trusted: the answer is the right token or none, and a bad place costs a mint at most.

load ../lib/suite
load ../lib/helper

mode_of() {
	stat -c %a "$1"
}

# The cached token will not do: a fresh one is served, and is in the cache afterwards.
assert_renewed() {
	local stale=$1
	ask token
	assert_status 0
	assert_empty "$stderr"
	refute [ "$output" = "$stale" ]
	assert_issued "$output"
	assert_equal "$(token)" "$output"
}

# A token is served, and the next one too, each freshly minted; the trace holds TEXT.
assert_uncached() {
	local first
	export SYPHT_TRACE=$TMPDIR/trace
	first=$(token)
	assert_issued "$first"
	ask token
	assert_status 0
	assert_empty "$stderr"
	assert_issued "$output"
	refute [ "$output" = "$first" ]
	assert_contains "$(<"$SYPHT_TRACE")" "$1"
}

# Whose eyes -------------------------------------------------------------------------------------

@test "cache: its directory is its owner's alone, and so are its files, whatever the umask" {
	rm -rf "$XDG_CACHE_HOME"
	for mask in 000 022 777; do
		(umask $mask && SYPHT_CACHE_DIR=$TMPDIR/$mask/a/b token >/dev/null)
		assert_equal "$(mode_of "$TMPDIR/$mask")" 700
		assert_equal "$(mode_of "$TMPDIR/$mask/a/b")" 700
		assert_equal "$(stat -c %a "$TMPDIR/$mask"/a/b/* | sort -u)" 600
	done
}

@test "cache: it is SYPHT_CACHE_DIR, else under XDG_CACHE_HOME, else under HOME" {
	unset XDG_CACHE_HOME
	token >/dev/null
	assert_dir_exist "$HOME/.cache/sypht"
	export XDG_CACHE_HOME=$HOME/xdg
	token >/dev/null
	assert_dir_exist "$HOME/xdg/sypht"
	export SYPHT_CACHE_DIR=$HOME/own
	token >/dev/null
	assert_dir_exist "$HOME/own"
	unset SYPHT_CACHE_DIR
	rm -rf "$HOME/xdg" "$HOME/.cache"
	XDG_CACHE_HOME=relative token >/dev/null
	assert_dir_exist "$HOME/.cache/sypht"
}

@test "cache: a directory that others can enter is refused, with the remedy" {
	local mode
	token >/dev/null
	for mode in 701 710 704 777; do
		chmod $mode "$(cache_directory)"
		ask token
		assert_refused 1 "run: chmod 700 '$(cache_directory)'"
	done
	chmod 700 "$(cache_directory)"
	ask token
	assert_status 0
	assert_token_requests 1
}

@test "cache: the remedy is told in full for a long path, too" {
	SYPHT_CACHE_DIR=$TMPDIR/$(printf '%0100d' 0)
	export SYPHT_CACHE_DIR
	mkdir -m 755 "$SYPHT_CACHE_DIR"
	ask token
	assert_refused 1 "run: chmod 700 '$SYPHT_CACHE_DIR'"
}

@test "cache: a directory of somebody else's is refused" {
	needs_root 'give files away'
	token >/dev/null
	chown 65534 "$(cache_directory)"
	ask token
	assert_refused 1 'belongs to another user'
}

@test "cache: a directory behind a symbolic link is refused" {
	mkdir -m 700 real
	ln -s "$PWD/real" "$XDG_CACHE_HOME/sypht"
	ask token
	assert_refused 1 'symbolic link'
	assert_equal "$(ls -A real)" ''
}

@test "cache: a plain file where the directory should be is refused" {
	touch "$XDG_CACHE_HOME/sypht"
	ask token
	assert_refused 1 'not a directory'
}

# In a token's place -------------------------------------------------------------------------------

@test "cache: a file that others can read is no token" {
	local stale mode
	for mode in 640 604 660 622 666 700 777; do
		stale=$(token)
		chmod $mode "$(entry token)"
		[ $mode = 700 ] && continue
		assert_renewed "$stale"
		assert_equal "$(mode_of "$(entry token)")" 600
	done
}

@test "cache: a file of somebody else's is no token" {
	needs_root 'give files away'
	local stale
	stale=$(token)
	chown 65534 "$(entry token)"
	assert_renewed "$stale"
}

@test "cache: a symbolic link is no token, and what it points to stays as it is" {
	local stale file
	stale=$(token)
	file=$(entry token)
	mv "$file" elsewhere
	ln -s "$PWD/elsewhere" "$file"
	cp elsewhere before
	assert_renewed "$stale"
	assert_file_not_exist "$file~"
	refute [ -L "$file" ]
	cmp elsewhere before
}

@test "cache: a pipe, a socket or a device is no token, and nobody waits for it" {
	local stale file
	stale=$(token)
	file=$(entry token)
	rm "$file" && mkfifo -m 600 "$file"
	assert_renewed "$stale"

	rm "$file" && python3 -c "import socket, sys; socket.socket(socket.AF_UNIX).bind('s')" && mv s "$file"
	assert_renewed "$stale"

	[ "$(id -u)" != 0 ] || { rm "$file" && mknod -m 600 "$file" c 1 5 && assert_renewed "$stale"; }
}

@test "cache: a directory in a token's place costs the caching, not the token" {
	token >/dev/null
	local file
	file=$(entry token)
	rm "$file" && mkdir "$file"
	assert_uncached 'the token is not cached'
}

@test "cache: a file cut short anywhere is no token" {
	local file length
	token >/dev/null
	file=$(entry token)
	cp "$file" whole
	faults '{"token": {"status": 400, "times": "all"}}'
	for ((length = $(stat -c %s whole) - 1; length >= 0; length--)); do
		head -c $length whole >"$file"
		assert_equal "$length: $(token 2>/dev/null)" "$length: "
	done
	cp whole "$file"
	ask token
	assert_status 0
}

@test "cache: a file that goes on behind its end is still the token, and one too large is none" {
	local stale
	stale=$(token)
	printf 'trailing\n' >>"$(entry token)"
	assert_equal "$(token)" "$stale"
	head -c 200000 /dev/zero | tr '\0' x >>"$(entry token)"
	assert_renewed "$stale"
}

@test "cache: an entry without one of its lines is no token" {
	local stale key
	for key in token_url client_id obtained expires credential; do
		stale=$(token)
		forge token "/^$key=/d"
		assert_renewed "$stale"
	done
}

@test "cache: an entry with nonsense for a time is no token" {
	local stale nonsense
	for nonsense in '' soon -1 0x7fffffff 9999999999999 99999999999999999999999 '1 '; do
		stale=$(token)
		forge token "s/^expires=.*/expires=$nonsense/"
		assert_renewed "$stale"
		stale=$(token)
		forge token "s/^obtained=.*/obtained=$nonsense/"
		assert_renewed "$stale"
	done
}

@test "cache: an entry that holds no bearer token is none" {
	local stale nonsense
	for nonsense in '' 'a b' 'a"b' $'a\tb' 'ä' 'a=b'; do
		stale=$(token)
		forge token "s/^credential=.*/credential=$nonsense/"
		assert_renewed "$stale"
	done
}

@test "cache: a carriage return or a NUL in an entry makes it none" {
	local stale
	stale=$(token)
	forge token 's/^granted_scope=.*/&\r/'
	assert_renewed "$stale"
	stale=$(token)
	forge token 's/^granted_scope=.*/&\x00/'
	assert_renewed "$stale"
}

@test "cache: an expiry beyond max_lifetime is not believed" {
	local stale now
	now=$(date +%s)
	stale=$(token)
	forge token "s/^expires=.*/expires=$((now + 10 * 365 * 86400))/"
	assert_renewed "$stale"

	stale=$(token)
	forge token "s/^expires=.*/expires=$((now + 10 * 365 * 86400))/; s/^obtained=.*/obtained=$((now + 10 * 365 * 86400 - 3600))/"
	assert_renewed "$stale"

	stale=$(token)
	configure < <(profile sypht 'max_lifetime = 100')
	assert_renewed "$stale"
}

@test "cache: what a clock set forward or back makes of a token is none" {
	local stale seconds
	for seconds in 86400 3600 3541 -86400 -3600 -60; do
		stale=$(token)
		age token "$seconds"
		assert_renewed "$stale"
	done
}

@test "cache: an hour's token counts as absent in its last minute, and not before" {
	local stale
	stale=$(token)
	age token 3530
	assert_equal "$(token)" "$stale"
	rm "$(entry token)"
	stale=$(token)
	age token 3545
	assert_renewed "$stale"
}

@test "cache: a short token counts as absent in the last tenth of its life" {
	local stale
	token_lifetime "$SANDBOX_CLIENT_ID" 100
	stale=$(token)
	age token 85
	assert_equal "$(token)" "$stale"
	rm "$(entry token)"
	stale=$(token)
	age token 91
	assert_renewed "$stale"
}

@test "cache: another profile's entry is no token, though it lies in the right place" {
	local stale mine key
	configure < <(profile sypht scope=result:all)
	token >/dev/null
	mine=$(entry token)
	mv "$mine" other
	configure < <(profile sypht)
	stale=$(token)
	mine=$(entry token)
	cat other >"$mine"
	ask token
	assert_issued "$output"
	refute_contains "$(<other)" "$output"

	for key in token_url client_id; do
		stale=$(token)
		forge token "s/^$key=.*/&x/"
		assert_renewed "$stale"
	done
	for key in scope=x audience=x resource[]=x; do
		stale=$(token)
		forge token "1i $key"
		assert_renewed "$stale"
	done
}

@test "cache: endpoint, client, scope, audience and each resource make a token another one" {
	local variants=('' scope=result:all audience=a resource=urn:a resource=urn:b \
		$'resource=urn:a\nresource=urn:b' $'resource=urn:b\nresource=urn:a') variant
	faults '{"token": {"body": {"access_token": "a-token"}, "times": "all"}}'
	for variant in "${variants[@]}"; do
		configure < <(profile sypht ${variant:+"$variant"})
		token >/dev/null
		token >/dev/null
	done
	SYPHT_AUTH_ENDPOINT="$SANDBOX_TOKEN_URL?x" token >/dev/null
	SYPHT_API_KEY=another:secret token >/dev/null
	assert_token_requests $((${#variants[@]} + 2))
	assert_equal "$(compgen -G "$(cache_directory)/*.token" | wc -l)" $((${#variants[@]} + 2))
}

@test "cache: profiles that mean the same token share it" {
	configure < <(
		profile one "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'"
		profile two "client_secret_command = false"
	)
	assert_equal "$(token --profile one)" "$(token --profile two)"
	assert_token_requests 1
}

@test "cache: what a killed writer left half-written is in nobody's way" {
	local stale
	stale=$(token)
	printf 'half' >"$(entry token)~"
	age token 3600
	assert_renewed "$stale"
	assert_file_not_exist "$(entry token)~"
}

@test "cache: a symbolic link in the lock's place costs the caching, not the token" {
	token >/dev/null
	rm "$(entry token)"
	ln -sf "$PWD/elsewhere" "$(entry lock)"
	assert_uncached 'no lock, so no cache'
	assert_file_not_exist elsewhere
}

# No place at all ----------------------------------------------------------------------------------

@test "cache: without any directory there is a token all the same, and the trace says so" {
	unset HOME XDG_CACHE_HOME XDG_CONFIG_HOME
	assert_uncached 'working without a cache: no cache directory: neither SYPHT_CACHE_DIR nor HOME is set'
}

@test "cache: where none can be made there is a token all the same" {
	touch plain
	export SYPHT_CACHE_DIR=$PWD/plain/below
	ask token
	assert_refused 1 'not a directory'
	export SYPHT_CACHE_DIR=/proc/sypht
	assert_uncached 'working without a cache: cache directory /proc/sypht'
}

@test "cache: a read-only directory serves what is there, and a fresh token when it must" {
	local current
	if [ "$(id -u)" = 0 ]; then
		small_disk "$(cache_directory)"
		current=$(token)
		mount -o remount,ro "$mounted"
	else
		current=$(token)
		chmod 500 "$(cache_directory)"
	fi
	assert_equal "$(token)" "$current"
	sypht_env JWT
	assert_uncached 'no lock, so no cache'
	[ -n "${mounted:-}" ] || chmod 700 "$(cache_directory)" # for those who clean up
}

@test "cache: a full disk costs the caching, not the token" {
	small_disk "$(cache_directory)"
	fill_disk "$mounted"
	assert_uncached 'the token is not cached: cannot write'
	assert_equal "$(find "$mounted" -name '*~')" ''
}

@test "cache: a full disk leaves the token that was there until it is over" {
	local current
	small_disk "$(cache_directory)"
	current=$(token)
	fill_disk "$mounted"
	age_in_place 3300
	assert_equal "$(token)" "$current"
	settle
	assert_equal "$(token)" "$current"
	settle
}

# Where there is no room for a second file.
age_in_place() {
	local file
	file=$(entry token)
	shift_times "$1" <"$file" >aged
	cat aged >"$file"
}

@test "cache: a limit on the size of files costs the caching, not the token" {
	assert_issued "$(ulimit -f 0 && token)"
}
