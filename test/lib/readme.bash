# shellcheck shell=bash
# Playing documents:  load suite;  load readme
#
# In a block marked "console" a line behind "$ " is a command (one that ends in "\" goes on in the
# next), and the lines up to the next "$ " are all that it prints. "…" stands for any text. A block
# marked with a language and a file's name is that file.
#
# A man page is read as such a document. A literal block that begins with "$ " is a console, a block
# behind a line ".Pa FILE :" is that file, and "..." in what a command prints stands for any text.
#
# Before commands are run, the hosts and places of the documents are replaced by those of the
# sandbox; in their output it is the other way round. Programs that would change the machine, or are
# not there, have stand-ins below that do the part that matters here.

# For setup.
seal_for_documents() {
	seal
	reset_sandbox
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_TOKEN_URL SYPHT_API_BASE_ENDPOINT=$SANDBOX_API
	export SYPHT_CAINFO=$SANDBOX_CA CURL_CA_BUNDLE=$SANDBOX_CA GIT_SSL_CAINFO=$SANDBOX_CA
	export SSL_CERT_FILE=$SANDBOX_CA
	# as at a terminal, where curl draws no meter beside what it prints
	echo no-progress-meter >"$HOME/.curlrc"
}

log_in() {
	printf '%s\n' "$SANDBOX_README_CLIENT_ID" "$SANDBOX_README_CLIENT_SECRET" | command sypht-credential login
}

with_key() {
	export SYPHT_API_KEY=$SANDBOX_README_CLIENT_ID:$SANDBOX_README_CLIENT_SECRET
}

# The document as Markdown.
document() {
	case $1 in
	*.md) command cat "$1" ;;
	*) awk '
		/^\.S[hs] / { print "## " substr($0, 5); next }
		/^\.Pa .* :$/ { file = $2; next }
		/^\.Bd -literal/ { inside = "begin"; next }
		/^\.Ed/ { print "```"; inside = file = ""; next }
		inside == "" && /^\./ { if ($1 != ".Pp") file = ""; next }
		inside == "" { file = ""; print; next }
		inside == "begin" { inside = /^\$ / ? "console" : "text"; print "```" inside (file ? " " file : "") }
		{ gsub(/\\e/, "\\"); gsub(/\\&/, "") }
		inside == "console" && !/^\$ / { gsub(/\.\.\./, "…") }
		{ print }' "$1" ;;
	esac
}

# The substitutions, as sed scripts: there and back.
there() {
	command cat <<-END
		s|https://auth\.sypht\.com/oauth2/token|$SANDBOX_TOKEN_URL|g
		s|https://billing\.example\.com/invoices|${PROVIDER_API-}/app/company/byclientid/client_id|g
		s|https://billing\.example\.com|${PROVIDER_API-}|g
		s|https://sso\.example\.com/oauth2/token|$SANDBOX_TOKEN_URL|g
		s|https://keycloak\.example\.com/oauth2/token|$SANDBOX_TOKEN_URL|g
		s|billing-robot|$SANDBOX_README_CLIENT_ID|g
		s|https://api\.sypht\.com|$SANDBOX_API|g
		s|https://keycloak\.example\.com|$SANDBOX_ISSUER|g
		s|http://api\.sypht\.com|http://${SANDBOX_API#https://}|g
		s|host=api\.sypht\.com|host=${SANDBOX_API#https://}|g
		s|=api\.sypht\.com=|=${SANDBOX_API#https://}=|g
		s|printf api\.sypht\.com|printf ${SANDBOX_API#https://}|g
		s|"api\.sypht\.com"|"${SANDBOX_API#https://}"|g
		s|/run/secrets/|$PWD/run/secrets/|g
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
		${PROVIDER_API:+-e "s|of '$SANDBOX_README_CLIENT_ID'|of 'billing-robot'|"}
}

# section FILE TITLE: the lines from that heading to the next; TITLE '' for what stands before.
section() {
	document "$1" | awk -v title="$2" '
		/^```/ { fenced = !fenced }
		!fenced && /^#+ / { here = title == "" ? /^# / : substr($0, index($0, " ") + 1) == title }
		here'
}

titles() {
	document "$1" |
		awk '/^```/ { fenced = !fenced } !fenced && /^##+ / { print substr($0, index($0, " ") + 1) }'
}

# The titles of the sections that have a command or a file.
titles_to_play() {
	local title

	titles "$1" | while IFS= read -r title; do
		! section "$1" "$title" | grep -qE '^```(console|[a-z]+ .)' || printf '%s\n' "$title"
	done
}

# assert_all_played FILE NAME: for each of them this suite says: play "$NAME" 'TITLE'
assert_all_played() {
	local title

	while IFS= read -r title; do
		grep -qF "\"\$$2\" '$title'" "$BATS_TEST_FILENAME" || fail "not played: $title"
	done < <(titles_to_play "$1")
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
	eval "$(sed "$(there)" <<<"$command")" </dev/null >"$BATS_TEST_TMPDIR/printed" 2>&1 || result=$?
	printed=$(back <"$BATS_TEST_TMPDIR/printed" | sed 's/ *$//')
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

# Another user with a home of its own, who gets no variable but those that are named, and the sandbox's.
sudo() {
	local kept=() name

	while [[ $1 == --preserve-env=* ]]; do
		for name in $(tr , ' ' <<<"${1#*=}"); do kept+=("$name=${!name}"); done
		shift
	done
	case $1 in
	chown) ;;
	install) command "${@/#www-data/$(id -un)}" ;;
	sypht-*)
		(umask 077 && mkdir -p "$BATS_TEST_TMPDIR/root")
		bare PATH="$PATH" HOME="$BATS_TEST_TMPDIR/root" "${kept[@]}" "$@"
		;;
	*) "$@" ;;
	esac
}

scripts/setup() {
	assert_file_exist "$ROOT/scripts/setup"
	assert_equal "$*" build
}

# login at a terminal, where a person answers; anything else as it is. The profile "billing" names
# its client id, so that login asks for the secret only.
sypht-credential() {
	local answers=("$SANDBOX_README_CLIENT_ID" "$SANDBOX_README_CLIENT_SECRET")

	[[ $* != *billing* ]] || answers=("$SANDBOX_README_CLIENT_SECRET" '')
	if [ "${*: -1}" = login ] && [ ! -p /dev/stdin ]; then
		python3 "$ROOT/test/drivers/terminal.py" "${answers[@]}" "$BUILD/sypht-credential" "$@"
	else
		command sypht-credential "$@"
	fi
}

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

	case $1 in daemon-reload | restart | enable) return ;; esac
	assert_equal "$1" start
	mkdir -p "$credentials" "var/cache/$(unit_settings "$unit" CacheDirectory)"
	chmod "$(unit_settings "$unit" CacheDirectoryMode)" "var/cache/$(unit_settings "$unit" CacheDirectory)"
	IFS=: read -r id path < <(unit_settings "$unit" LoadCredential)
	install -D -m 600 <(printf '%s\n' "$SANDBOX_README_CLIENT_SECRET") "$path"
	install -m 440 "$path" "$credentials/$id"
	read -ra environment < <(unit_settings "$unit" Environment)
	# shellcheck disable=SC2046
	bare CREDENTIALS_DIRECTORY="$credentials" "${environment[@]}" \
		$(unit_settings "$unit" ExecStart) >served
	grep -q "$SANDBOX_README_CLIENT_ID" served
}

# docker build checks that the steps are known; docker run runs the entry point with the command.
docker() {
	local words environment=()

	case $1 in
	build)
		dockerfile=Dockerfile
		[ "$2" != -f ] || dockerfile=$3
		assert_equal "$(grep -vxE '(FROM|COPY|RUN|ENTRYPOINT|CMD) .*' "$dockerfile")" '' ;;
	run)
		assert_equal "$2" --rm
		shift 2
		while [ "$1" = -e ]; do
			[[ $2 == *=* ]] && environment+=("$2") || environment+=("$2=${!2}")
			shift 2
		done
		assert_equal "$*" report
		mapfile -t words < <(sed -n -e 's/^ENTRYPOINT //p' -e 's/^CMD //p' "${dockerfile:-Dockerfile}" | jq -r '.[]')
		bare PATH="$PATH" "${environment[@]}" "${words[@]}" ;;
	*) fail "docker $*" ;;
	esac
}

bats() {
	assert_file_exist "$ROOT/${*: -1}"
	grep -q "@test .*$2" "$ROOT/${*: -1}"
}
