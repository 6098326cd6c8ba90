# shellcheck shell=bash
# bash completion for sypht-run

_sypht_run() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i

	# bash splits words at "=".
	[ "$word" != = ] || word=
	[ "$before" != = ] || before=${COMP_WORDS[COMP_CWORD - 2]}

	# The command after our options completes as it would by itself.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--profile)
			[ "${COMP_WORDS[i + 1]}" != = ] || ((i++))
			((i++)) ;;
		-*) ;;
		*) break ;;
		esac
	done
	if ((i < COMP_CWORD)); then
		! declare -F _command_offset >/dev/null || _command_offset "$i"
	elif [ "$before" = --profile ]; then
		mapfile -t COMPREPLY < <(
			compgen -W "$(sypht-credential status --json 2>/dev/null | tr '{' '\n' |
				sed -n 's/^"name":"\([^"]*\)".*/\1/p')" -- "$word"
		)
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(
			compgen -W '--check --env --profile --trace --help --version' -- "$word"
		)
	else
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	fi
}

complete -o default -F _sypht_run sypht-run
