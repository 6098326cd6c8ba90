# fish completion for sypht-run

complete -c sypht-run -n __fish_is_first_token -l check -d 'Print whether the plugin can work in the command'
complete -c sypht-run -n __fish_is_first_token -l env -d 'Print a line for a shell to evaluate'
complete -c sypht-run -l profile -x -d 'Use only this profile' \
    -a '(sypht-credential status --json 2>/dev/null | string match -rag \'\{"name":"([^"]+)"\')'
complete -c sypht-run -n __fish_is_first_token -l trace -d 'Print on stderr what is decided about each request'
complete -c sypht-run -n __fish_is_first_token -l help -d 'Print a summary'
complete -c sypht-run -n __fish_is_first_token -l version -d 'Print the version'
complete -c sypht-run -x -a '(__fish_complete_subcommand --fcs-skip=1)'
