#!/usr/bin/env bats
# What the man pages, --help and the tables in the code say of the same thing agree.

load ../lib/suite

HELPER=$BATS_TEST_DIRNAME/../../helper
PLUGIN=$BATS_TEST_DIRNAME/../../plugin
PAGES=("$HELPER/sypht-credential.1" "$HELPER/sypht-config.5" "$PLUGIN/run/sypht-run.1"
	"$PLUGIN/sypht-preload.7" "$HELPER/sypht-tutorial.7")

# macro NAME FILE…: the words of lines that begin with that macro, or have it behind .It, one a line;
# no punctuation, and none of the macros among them.
macro() {
	local name=$1
	shift
	sed -nE "s/^\.(It )?$name //p" "$@" | tr -s ' ' '\n' | grep -E '^[A-Za-z0-9_-]{2,}$' |
		grep -vxE 'Ar|Op|Fl|Cm|Ns|Li|Pa|Ev' | sort -u
}

# Options in man pages are written without their first hyphen.
options_in_page() {
	grep -oE '^\.(It|Op) .*Fl .*|^\.Fl .*' "$1" | grep -oE '\-[a-z]+(-[a-z]+)*|\| -[a-z-]+' |
		sed 's/^| //' | sort -u
}

options_in_code() {
	sed -nE 's/^\t+\{"([a-z-]+)", (no|required)_argument.*/-\1/p' "$1" | sort -u
}

options_in_help() {
	"$1" --help | grep -oE -e '--[a-z]+(-[a-z]+)*' | sed 's/^-//' | sort -u
}

# The first strings of the rows of a table: table NAME FILE
table() {
	awk -v name="$1" 'index($0, name "[") { inside = 1 } inside { print } inside && /^};|\}\};/ { exit }' "$2" |
		grep -oE '\{"[^"]+"' | tr -d '{"'
}

assert_same() {
	assert_equal "$(sort -u <<<"$2")" "$(sort -u <<<"$1")"
}

assert_each_in() {
	local text=$1 word
	shift
	for word; do
		grep -qwF -e "$word" <<<"$text" || fail "not mentioned: $word"
	done
}

words() {
	tr '\n' ' ' <<<"$1"
}

# Pages as such -----------------------------------------------------------------------------------

@test "manual: every page is clean to mandoc" {
	local page
	for page in "${PAGES[@]}"; do
		# whether other packages' pages are there is the machine's affair
		run mandoc -T lint "$page"
		assert_equal "$(grep -v -e 'referenced manual not found' -e makewhatis <<<"$output")" ''
	done
}

@test "manual: every page is clean to man" {
	local page
	for page in "${PAGES[@]}"; do
		try man --warnings -l "$page"
		assert_status 0
		assert_empty "$stderr"
	done
}

@test "manual: every page of ours is installed, and each names the others" {
	local page other
	for page in "${PAGES[@]}"; do
		make -n -C "$ROOT" -o all install | grep -qF "/${page##*/}" || fail "not installed: $page"
		for other in "${PAGES[@]}"; do
			[ "$page" = "$other" ] || sed -n '/^\.Sh SEE ALSO/,$p' "$page" |
				grep -qF ".Xr $(basename "${other%.*}") ${other##*.}" ||
				fail "$page does not name $other under SEE ALSO"
		done
	done
}

@test "manual: pages refer to pages of ours that exist" {
	local name section
	while read -r name section _; do
		assert_file_exist "$(find "$ROOT/helper" "$ROOT/plugin" -name "$name.$section")"
	done < <(sed -n 's/^\.Xr \(sypht-.*\)/\1/p' "${PAGES[@]}")
}

# sypht-credential --------------------------------------------------------------------------------

@test "manual: sypht-credential's options are those of the code and of --help" {
	local code
	code=$(options_in_code "$HELPER/cli.c")
	assert_same "$code" "$(options_in_page "${PAGES[0]}" | grep -vxE -e '-[hv]')"
	# --protocol stands for the callers that --help lists with its values
	assert_same "$code" "$(options_in_help "$BUILD/sypht-credential")"
}

@test "manual: sypht-credential's verbs are those of the code and of --help" {
	local verbs
	verbs=$(table OWN "$HELPER/credential.c")
	# shellcheck disable=SC2046
	assert_each_in "$(macro Cm "${PAGES[0]}")" $(words "$verbs")
	# shellcheck disable=SC2046
	assert_each_in "$("$BUILD/sypht-credential" --help)" $(words "$verbs")
}

@test "manual: every protocol that is spoken has its place, and no other" {
	local spoken page
	spoken=$(table DIALECTS "$HELPER/credential.c" | grep -vxE 'own|token')
	page=$(sed -n '/^.Ss Commands and protocols/,/^.Sh/s/^\.It Cm \([a-z]*\)$/\1/p' "${PAGES[0]}")
	assert_same "$spoken" "$page"
	assert_same "$spoken" "$("$BUILD/sypht-credential" --help |
		sed -n '/^  --protocol NAME/,/^  --help/{/--help/d;s/.*NAME//;p}' | tr -d ' \n' | tr , '\n')"
}

@test "manual: every variable the programs read is in sypht-credential(1), and every SYPHT_ one in it is read" {
	local read
	read=$(table SOURCES "$HELPER/core/settings.c")
	# shellcheck disable=SC2046
	assert_each_in "$(macro Ev "${PAGES[0]}")" $(words "$read") \
		$(grep -ohE 'getenv\("[A-Z_]+"' "$HELPER"/dialects/*.c | grep -oE '[A-Z_]{2,}') \
		$(sed -n '/LIBEXEC_ENVIRONMENT\[\]/,/;/p' "$HELPER/libexec.c" | grep -oE '"[A-Za-z_]+"' | tr -d '"' | grep -vx login)
	assert_same "$(grep '^SYPHT_' <<<"$read")" "$(macro Ev "${PAGES[@]}" | grep '^SYPHT_')"
}

@test "manual: exit statuses are 0, 1 and 2, as in status.c and --help" {
	assert_equal "$(sed -n '/^.Sh EXIT STATUS/,/^.Sh EX/s/^\.It \([0-9]*\)$/\1/p' "${PAGES[0]}" | paste -sd ' ')" '0 1 2'
	assert_equal "$(grep -oE 'return [0-9]' "$HELPER/core/status.c" | sort -u | tr -dc '0-9')" 012
	"$BUILD/sypht-credential" --help | grep -q 'Exit status: 0 .* 1 .* 2 '
}

@test "manual: sypht-credential(1) lists every message that a failure may end with" {
	local message entry entries
	mapfile -t entries < <(sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It "\(.*\)"$/\1/p' "${PAGES[0]}" |
		sed -e 's/\\(dq/"/g' -e 's/[][\\*?]/\\&/g' -e 's/\.\.\./*/g')
	while IFS= read -r message; do
		for entry in "${entries[@]}"; do
			# shellcheck disable=SC2053
			[[ $message != $entry ]] || continue 2
		done
		fail "not explained: $message"
	done < <(python3 "$ROOT/test/drivers/messages.py" "$HELPER"/*.c "$HELPER"/*/*.c | sort -u)
}

@test "manual: sypht-credential(1) lists no message that nothing says" {
	local entry piece said
	said=$(python3 "$ROOT/test/drivers/messages.py" "$HELPER"/*.c "$HELPER"/*/*.c; cat "$HELPER"/*.c "$HELPER"/*/*.c)
	while IFS= read -r entry; do
		# its longest piece between what varies, without the punctuation before it
		piece=$(sed "s/\.\.\.[',: ]*/\n/g" <<<"$entry" | awk 'length > length(longest) { longest = $0 } END { print longest }')
		grep -qF -e "$piece" <<<"$said" || fail "nothing says: $entry"
	done < <(sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/s/^\.It "\(.*\)"$/\1/p' "${PAGES[0]}" | sed 's/\\(dq/"/g')
}

@test "manual: the members of status --json are those of the page" {
	assert_same "$("$BUILD/sypht-credential" status --json | jq -r '.profiles[0] | keys[]')" \
		"$(sed -n '/^\.Sh STATUS AS JSON/,/^\.El/s/^\.It Li \(.*\)/\1/p' "${PAGES[0]}" | tr -s ' ,' '\n')"
	assert_each_in "$(sed -n '/^\.Sh STATUS AS JSON/,/^\.El/p' "${PAGES[0]}")" \
		seconds_left usable_until scope scope_narrower
}

# sypht-config ------------------------------------------------------------------------------------

# The rows of CONFIGKEYS: name, built-in value, value otherwise; NULL for none.
keys() {
	sed -n '/CONFIGKEYS\[\] = {/,/^};/p' "$HELPER/core/profile.c" | tr -d '\n' | sed 's/{KEY(/\n&/g' |
		sed -e "s/BUILT_IN_LIFE/$(defined BUILT_IN_LIFE profile.c)/" \
			-e "s,PROFILE_BUILT_IN_ORIGIN,$(defined PROFILE_BUILT_IN_ORIGIN profile.h)," |
		while IFS= read -r row || [ -n "$row" ]; do
			[[ $row == *KEY\(* ]] || continue
			printf '%s %s %s\n' "$(sed -E 's/^\{KEY\(([a-z_]+)\).*/\1/' <<<"$row")" \
				"$(value built_in "$row")" "$(value otherwise "$row")"
		done
}

# defined NAME FILE: the text that a macro in helper/core/ stands for, quotes included.
defined() {
	sed -nE "s/^#define $1 +(\"[^\"]*\").*/\\1/p" "$HELPER/core/$2"
}

# value MEMBER ROW: what a row says of that member, or NULL.
value() {
	[[ $2 =~ \.$1\ =[[:space:]]*\"([^\"]*)\" ]] && printf '%s\n' "${BASH_REMATCH[1]}" || echo NULL
}

@test "manual: the config's keys are those of the code" {
	local known
	known=$(keys | cut -d ' ' -f 1)
	assert_same "$known" "$(sed -nE 's/^\.It Ic ([a-z_]+)$/\1/p' <(sed -n '/^.Sh KEYS/,/^.Sh/p' "${PAGES[1]}"))"
}

@test "manual: the built-in profile and the defaults are those of the code" {
	local name built_in otherwise
	while read -r name built_in otherwise; do
		[ "$built_in" = NULL ] || grep -qxF "$name = $built_in" "${PAGES[1]}" ||
			fail "built in, but not shown: $name = $built_in"
		[ "$otherwise" = NULL ] || sed -n "/^\.It Ic $name\$/,/^\.It Ic/p" "${PAGES[1]}" |
			grep -qw -- "$otherwise" || fail "default not told: $name = $otherwise"
	done < <(keys)
}

@test "manual: the bounds of the config are those of the code" {
	assert_each_in "$(cat "${PAGES[1]}")" "$(sed -n 's/.*CONFIG_LINE_MAX = \([0-9]*\).*/\1/p' "$HELPER/core/config.h")" \
		"$(sed -n 's/.*PROFILE_NAME_MAX = \([0-9]*\).*/\1/p' "$HELPER/core/profile.h")"
	assert_each_in "$(cat "${PAGES[0]}")" "$(sed -n 's/.*TIMEOUT_DEFAULT_S = \([0-9]*\).*/\1/p' "$HELPER/core/settings.h")" \
		"$(sed -n 's/.*TIMEOUT_MAX_S = \([0-9]*\).*/\1/p' "$HELPER/core/settings.h")"
}

@test "manual: the sources of the secret stand in the order in which they are asked" {
	local code page
	code=$(sed -n '/sources\[\]/,/};/p' "$HELPER/core/source.c" | grep -oE '"[A-Za-z_]+"' | tr -d '"' | grep -vx login)
	page=$(sed -n '/^.Sh WHERE THE SECRET/,/^.El/p' "${PAGES[1]}" | grep -oE '^\.(Ic|Ev) (private_key_file|SYPHT_[A-Z_]+|client_[a-z_]+)' | cut -d ' ' -f 2)
	assert_equal "$page" "$code"
}

# sypht-run ---------------------------------------------------------------------------------------

@test "manual: sypht-run's options are those of the code and of --help" {
	local code
	code=$(options_in_code "$PLUGIN/run/run.c")
	assert_same "$code" "$(options_in_page "${PAGES[2]}")"
	assert_same "$code" "$(options_in_help "$BUILD/sypht-run")"
}

@test "manual: sypht-run's exit statuses are those of the code" {
	assert_same "$(grep -oE 'EXIT_[A-Z_]+ = [0-9]+' "$PLUGIN/run/run.c" | grep -oE '[0-9]+'; echo 0)" \
		"$(sed -n '/^.Sh EXIT STATUS/,/^.Sh EX/s/^\.It \([0-9]*\)$/\1/p' "${PAGES[2]}")"
}

@test "manual: sypht-run(1) knows every reason that --check may give" {
	local reason
	while IFS= read -r reason; do
		grep -qF -e ": $reason\"" "${PAGES[2]}" || fail "not explained: $reason"
	done < <(sed -nE 's/^\t+\[PROGRAM_[A-Z_]+\] = "(.*)",$/\1/p' "$PLUGIN/run/program.c" | grep -v 'nothing is in its way')
}

# sypht-preload -----------------------------------------------------------------------------------

@test "manual: sypht-preload(7) knows every reason for which a request is left alone" {
	local reason
	while IFS= read -r reason; do
		grep -qxF -e ".It \"$reason\"" "${PAGES[3]}" || fail "not explained: $reason"
	done < <(
		sed -nE 's/^\t\{FACT_.*, "(.*)"\},$/\1/p' "$PLUGIN/policy.c"
		grep -hE '(\breason = |return .*)"' "$PLUGIN/policy.c" "$PLUGIN/target.c" | grep -oE '"[a-zA-Z.][^"]*[a-z][^"]*"' | tr -d '"'
		echo 'not in scope'
	)
}

# Versions and completions ------------------------------------------------------------------------

@test "manual: there is one version" {
	local version
	version=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
	assert_equal "$("$BUILD/sypht-credential" --version)" "sypht-credential $version"
	assert_equal "$("$BUILD/sypht-run" --version)" "sypht-run $version"
	assert_equal "$(sed -n '/^## Changes/,$s/^[*][*]\([0-9.]*\)[*][*].*/\1/p' "$ROOT/README.md" | head -n 1)" "$version"
}

# complete WORD…: what bash offers for the last of them, which may be empty.
complete_in_bash() {
	(
		# shellcheck source=/dev/null
		. "$ROOT/scripts/completions/$1.bash"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		"_${1//-/_}" "$1"
		printf '%s\n' "${COMPREPLY[@]}"
	)
}

@test "completions: bash offers the verbs and options that there are" {
	assert_same "$(table OWN "$HELPER/credential.c")" "$(complete_in_bash sypht-credential '')"
	assert_same "$(options_in_help "$BUILD/sypht-credential")" \
		"$(complete_in_bash sypht-credential -- | sed 's/^-//')"
	assert_same "$(options_in_help "$BUILD/sypht-run")" \
		"$(complete_in_bash sypht-run -- | sed 's/^-//')"
	assert_same "$(table DIALECTS "$HELPER/credential.c" | grep -vxE 'own|token')" \
		"$(complete_in_bash sypht-credential --protocol '')"
}

@test "completions: bash offers the profiles and origins of the config" {
	(umask 077 && mkdir -p "$XDG_CONFIG_HOME/sypht")
	printf '%s\n' '[profile shop]' 'origin = https://shop.example' \
		'token_url = https://shop.example/token' >"$XDG_CONFIG_HOME/sypht/config"
	assert_equal "$(complete_in_bash sypht-credential --profile sh)" shop
	assert_equal "$(complete_in_bash sypht-run --profile sh)" shop
	assert_equal "$(complete_in_bash sypht-run --profile = sh)" shop
	assert_equal "$(complete_in_bash sypht-run --profile = shop sypht-cred)" sypht-credential
	assert_equal "$(complete_in_bash sypht-credential token https | grep shop)" https://shop.example
	assert_equal "$(complete_in_bash sypht-credential status --js)" --json
	assert_equal "$(complete_in_bash sypht-run sypht-cred)" sypht-credential
}

@test "completions: bash completes a URL, which it splits at the colons" {
	local COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
	(umask 077 && mkdir -p "$XDG_CONFIG_HOME/sypht")
	printf '%s\n' '[profile shop]' 'origin = https://shop.example:8443' 'origin = https://[::1]:444' \
		'token_url = https://shop.example/token' >"$XDG_CONFIG_HOME/sypht/config"
	assert_equal "$(complete_in_bash sypht-credential token https : //sh)" //shop.example:8443
	assert_equal "$(complete_in_bash sypht-credential token https : //shop.example : 8)" 8443
	assert_equal "$(complete_in_bash sypht-credential --profile = shop header https : //api)" //api.sypht.com
	COMP_WORDBREAKS=${COMP_WORDBREAKS%:}
	assert_equal "$(complete_in_bash sypht-credential token https://sh)" https://shop.example:8443
	assert_contains "$(complete_in_bash sypht-credential token '')" 'https://[::1]:444'
}

@test "completions: bash at a terminal completes a URL as it is typed" {
	(umask 077 && mkdir -p "$XDG_CONFIG_HOME/sypht")
	printf '%s\n' '[profile shop]' 'origin = https://shop.example:8443' \
		'token_url = https://shop.example/token' >"$XDG_CONFIG_HOME/sypht/config"
	printf '%s\n' "PS1='ready: '" "bind 'set enable-bracketed-paste off'" \
		". '$ROOT/scripts/completions/sypht-credential.bash'" >rc
	try python3 "$ROOT/test/drivers/terminal.py" $'sypht-credential token https://sh\t\001echo typed=' exit \
		/bin/bash --noprofile --rcfile rc -i
	assert_line --regexp '^typed=sypht-credential token https://shop.example:8443 ?$'
}

@test "completions: no command for a secret is run" {
	(umask 077 && mkdir -p "$XDG_CONFIG_HOME/sypht")
	printf '%s\n' '[profile shop]' 'origin = https://shop.example' 'token_url = https://shop.example/token' \
		"client_secret_command = touch $PWD/ran" >"$XDG_CONFIG_HOME/sypht/config"
	assert_equal "$(complete_in_bash sypht-credential --profile sh)" shop
	assert_equal "$(complete_in_bash sypht-run --profile sh)" shop
	assert_file_not_exist ran
}

@test "completions: zsh and fish offer the same options and verbs" {
	local name word
	for name in sypht-credential sypht-run; do
		for word in $(options_in_help "$BUILD/$name"); do
			grep -qF -e "-$word" "$ROOT/scripts/completions/_$name" || fail "zsh lacks -$word"
			grep -qE -e "-l ${word#-}( |\$)" "$ROOT/scripts/completions/$name.fish" ||
				fail "fish lacks -$word"
		done
	done
	for word in $(table OWN "$HELPER/credential.c"); do
		grep -qF "'$word:" "$ROOT/scripts/completions/_sypht-credential" || fail "zsh lacks $word"
		grep -qw -e "$word" "$ROOT/scripts/completions/sypht-credential.fish" || fail "fish lacks $word"
	done
}

@test "completions: shells that are there take them for well formed" {
	local file
	for file in "$ROOT"/scripts/completions/*.bash; do bash -n "$file"; done
	! command -v zsh >/dev/null || for file in "$ROOT"/scripts/completions/_*; do zsh -n "$file"; done
	! command -v fish >/dev/null || fish -n "$ROOT"/scripts/completions/*.fish
}
