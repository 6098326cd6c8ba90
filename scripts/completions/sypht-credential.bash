# shellcheck shell=bash
# bash completion for sypht-credential

# Prints the names, or the origins, of the profiles. JSON is asked for, since a plain status runs
# the commands for the secrets. Each object begins a line of its own.
_sypht_credential_names() {
	"$1" status --json 2>/dev/null | tr '{' '\n' | sed -n 's/^"name":"\([^"]*\)".*/\1/p'
}

_sypht_credential_origins() {
	"$1" status --json 2>/dev/null | tr '{' '\n' |
		sed -n 's/^"name":.*"origins":\["\(.*\)"\],"token_url".*/\1/p' | sed 's/","/\n/g'
}

_sypht_credential() {
	local verbs='get store erase capability token header curl-config token-file login logout
		status kubernetes help'
	local options='--profile --min-valid --protocol --cargo-plugin --json --online --help --version'
	local words=() word before verb='' choices i

	# bash splits words at "=" and ":". Put them together again.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		if ((i > 1)) && [[ ${COMP_WORDS[i]} == [:=]* || ${COMP_WORDS[i - 1]} == [:=] ]]; then
			words[-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
	done
	word=${words[-1]}
	((${#words[@]} < 2)) || before=${words[-2]}
	if [[ $word == --*=* ]]; then
		before=${word%%=*}
		word=${word#*=}
	fi
	for ((i = 0; i < ${#words[@]} - 1; i++)); do
		[[ " ${verbs//[$'\n\t']/ } " != *" ${words[i]} "* ]] || verb=${words[i]}
	done

	case $before in
	--profile) choices=$(_sypht_credential_names "$1") ;;
	--protocol) choices='bazel cargo docker git goauth htslib keyring kubernetes pnpm' ;;
	--min-valid) choices= ;;
	*)
		case $word,$verb in
		-*) choices=$options ;;
		*,token | *,header | *,curl-config | *,token-file | *,kubernetes | *,status | *,erase)
			choices=$(_sypht_credential_origins "$1") ;;
		*,) choices=$verbs ;;
		*) choices= ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
	# readline replaces only what follows the last ":".
	if [[ $COMP_WORDBREAKS == *:* && $word == *:* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
	fi
}

complete -F _sypht_credential sypht-credential
