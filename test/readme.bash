# shellcheck shell=bash
# Playing documents:  load suite;  load readme
#
# In a block marked "console" a line behind "$ " is a command (one that ends in "\" goes on in the
# next), and the lines up to the next "$ " are all that it prints, "…" standing for anything. A block
# marked with a language and a file's name is that file.
#
# Hosts, credentials and places of the documents are those of the sandbox when commands are run, and
# the other way round when their output is read. Programs that would change the machine, or are not
# there, have stand-ins below that do what concerns us.

# The substitutions, as sed scripts: there and back.
there() {
	command cat <<-END
		s|https://auth\.sypht\.com/oauth2/token|$SANDBOX_TOKEN_URL|g
		s|https://api\.sypht\.com|$SANDBOX_API|g
		s|http://api\.sypht\.com|http://${SANDBOX_API#https://}|g
		s|host=api\.sypht\.com|host=${SANDBOX_API#https://}|g
		s|=api\.sypht\.com=|=${SANDBOX_API#https://}=|g
		s|client_id:client_secret|$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET|g
		s|client_id client_secret|$SANDBOX_CLIENT_ID $SANDBOX_CLIENT_SECRET|g
		s|client_id:wrong|$SANDBOX_CLIENT_ID:wrong|g
		s|byclientid/client_id|byclientid/$SANDBOX_CLIENT_ID|g
		s|SYPHT_CLIENT_ID\(\]* *= *\)client_id|SYPHT_CLIENT_ID\1$SANDBOX_CLIENT_ID|g
		s|/usr/local/bin/|$BUILD/|g
		s|/usr/local/lib/sypht/|$BUILD/|g
		s|/etc/|$PWD/etc/|g
		s|/var/cache/|$PWD/var/cache/|g
		s|\./build/|$PWD/build/|g
	END
}

back() {
	sed -e "s|$SANDBOX_TOKEN_URL|https://auth.sypht.com/oauth2/token|g" \
		-e "s|$SANDBOX_API|https://api.sypht.com|g" \
		-e "s|http://${SANDBOX_API#https://}|http://api.sypht.com|g" \
		-e "s|\"$SANDBOX_CLIENT_ID\"|\"client_id\"|g"
}

# section FILE TITLE: the lines from that heading to the next; TITLE '' for what stands before.
section() {
	awk -v title="$2" '
		/^```/ { fenced = !fenced }
		!fenced && /^#+ / { here = title == "" ? /^# / : substr($0, index($0, " ") + 1) == title }
		here' "$1"
}

titles() {
	awk '/^```/ { fenced = !fenced } !fenced && /^##+ / { print substr($0, index($0, " ") + 1) }' "$1"
}

# play FILE TITLE: put the section's files where they belong, and run its commands one by one.
play() {
	local line block='' command='' expected='' number=0

	cp "$ROOT/test/sandbox/invoice.pdf" .
	while IFS= read -r line; do
		case $block:$line in
		:'```'*' '*)
			block='file'
			begin_file "${line#* }" ;;
		:'```console') block=console ;;
		:'```'*) block=other ;;
		:*) ;;
		file:'```' | other:'```') block= ;;
		file:*) sed "$(there)" <<<"$line" >>"$file" ;;
		console:'```')
			finish_command
			block= ;;
		console:'$ '*)
			finish_command
			command=${line#'$ '} ;;
		console:*)
			if [[ -z $expected && $command == *\\ ]]; then
				command+=$'\n'$line
			else
				expected+=$line$'\n'
			fi ;;
		esac
	done < <(section "$1" "$2")
	((number > 0)) || [ -n "${file:-}" ] || fail "nothing to play in: $2"
}

begin_file() {
	file=$1
	case $file in
	\~/*) file=$HOME/${file#\~/} ;;
	/*) file=$PWD$file ;;
	esac
	(umask 077 && mkdir -p "$(dirname "$file")" && : >"$file")
}

# The command that has been read, if any; what it exports and defines stays.
finish_command() {
	local result=0 printed

	[ -n "$command" ] || return 0
	number=$((number + 1))
	printf '$ %s\n' "$command"
	eval "$(sed "$(there)" <<<"$command")" >"$BATS_TEST_TMPDIR/printed" 2>&1 || result=$?
	printed=$(back <"$BATS_TEST_TMPDIR/printed")
	printf '%s\n(status %s)\n' "$printed" "$result"
	[ "$result" = 0 ] || [ -n "$expected" ] || fail "status $result of: $command"
	matches "$printed" "${expected%$'\n'}" ||
		fail "this is not what comes out of: $command"$'\n'"$expected"
	command='' expected=''
}

# matches TEXT PATTERN, where … stands for anything, line ends included, and seconds may have passed.
matches() {
	local pattern
	pattern=$(sed -e 's/[][\\*?]/\\&/g' -e 's/[0-9]* seconds left/… seconds left/' \
		-e 's/…/*/g' <<<"$2")
	# shellcheck disable=SC2053
	[[ $1 == $pattern ]]
}

# Stand-ins ------------------------------------------------------------------------------------

sudo() { "$@"; }

# Only whether there are such targets; what they do has suites of its own.
make() {
	command make -n -C "$ROOT" "$@" >/dev/null
}

apt() {
	local version architecture
	version=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
	architecture=$(dpkg --print-architecture)
	assert_equal "$*" "install $PWD/build/sypht-credential_${version}_$architecture.deb"
}

# The environment that a service starts with, and nothing of ours but what the sandbox needs.
bare() {
	env -i PATH=/usr/bin:/bin HOME="$HOME" SYPHT_AUTH_ENDPOINT="$SANDBOX_TOKEN_URL" \
		SYPHT_API_BASE_ENDPOINT="$SANDBOX_API" SYPHT_CAINFO="$SANDBOX_CA" \
		CURL_CA_BUNDLE="$SANDBOX_CA" "$@"
}

# The unit's settings of that name: unit_settings FILE NAME
unit_settings() {
	sed -n "s/^$2=//p" "$1"
}

# systemctl start UNIT, as far as credentials, cache, environment and command go; a daemon that is
# restarted is another test's affair.
systemctl() {
	local unit=$PWD/etc/systemd/system/${2:-}.service credentials=$PWD/run/credentials id path
	local environment

	case $1 in daemon-reload | restart) return ;; esac
	assert_equal "$1" start
	mkdir -p "$credentials" "var/cache/$(unit_settings "$unit" CacheDirectory)"
	chmod "$(unit_settings "$unit" CacheDirectoryMode)" "var/cache/$(unit_settings "$unit" CacheDirectory)"
	IFS=: read -r id path < <(unit_settings "$unit" LoadCredential)
	install -D -m 600 <(printf '%s\n' "$SANDBOX_CLIENT_SECRET") "$path"
	install -m 440 "$path" "$credentials/$id"
	read -ra environment < <(unit_settings "$unit" Environment)
	# shellcheck disable=SC2046
	bare CREDENTIALS_DIRECTORY="$credentials" "${environment[@]}" \
		$(unit_settings "$unit" ExecStart) >served
	grep -q "$SANDBOX_CLIENT_ID" served
}

# docker build: that the steps are known; docker run: the entry point with the command.
docker() {
	local words

	case $1 in
	build)
		assert_equal "$(grep -vxE '(FROM|COPY|RUN|ENTRYPOINT|CMD) .*' Dockerfile)" '' ;;
	run)
		assert_equal "$2 $3 $4" '--rm -e SYPHT_API_KEY'
		mapfile -t words < <(sed -n -e 's/^ENTRYPOINT //p' -e 's/^CMD //p' Dockerfile | jq -r '.[]')
		bare PATH="$PATH" SYPHT_API_KEY="$SYPHT_API_KEY" "${words[@]}" ;;
	*) fail "docker $*" ;;
	esac
}

bats() {
	assert_file_exist "$ROOT/${*: -1}"
	grep -q "@test .*$2" "$ROOT/${*: -1}"
}
