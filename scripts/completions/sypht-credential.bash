# shellcheck shell=bash
# bash completion for sypht-credential

# Prints the second word of each line of "sypht-credential status" whose first word is $2: profile
# names or origins.
_sypht_credential_known() {
	"$1" status 2>/dev/null | awk -v what="$2" '$1 == what { print $2 }'
}

_sypht_credential() {
	local verbs='get store erase capability token header curl-config token-file login logout
		status kubernetes help'
	local options='--profile --min-valid --protocol --cargo-plugin --json --online --help --version'
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} choices i verb=

	# bash splits words at "=" and ":".
	[ "$word" != = ] || word=
	[ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ " ${verbs//[$'\n\t']/ } " != *" ${COMP_WORDS[i]} "* ]] || verb=${COMP_WORDS[i]}
	done
	case $before in
	--profile) choices=$(_sypht_credential_known "$1" profile) ;;
	--protocol) choices='bazel cargo docker git goauth htslib keyring kubernetes pnpm' ;;
	--min-valid) choices= ;;
	*)
		case $word$verb in
		-*) choices=$options ;;
		*token | *header | *curl-config | *token-file | *kubernetes | *status | *erase)
			choices=$(_sypht_credential_known "$1" origin) ;;
		*) choices=$verbs ;;
		esac
		;;
	esac
	[[ $word == -* || -z $verb || $choices != "$verbs" ]] || choices=
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
	! declare -F __ltrim_colon_completions >/dev/null || __ltrim_colon_completions "$word"
}

complete -F _sypht_credential sypht-credential
