# fish completion for sypht-credential

# JSON is asked for, since a plain status runs the commands for the secrets.
function __sypht_credential_names
    sypht-credential status --json 2>/dev/null | string match -rag '\{"name":"([^"]+)"'
end

function __sypht_credential_origins
    sypht-credential status --json 2>/dev/null | string match -rag '"origins":\["(.*?)"\],"token_url"' |
        string split '","'
end

set -l verbs get store erase capability token header curl-config token-file login logout status \
    kubernetes help
set -l placed erase token header curl-config token-file kubernetes status

complete -c sypht-credential -f
complete -c sypht-credential -l profile -x -a '(__sypht_credential_names)' -d 'Use only this profile'
complete -c sypht-credential -l min-valid -x -d 'Require a token that stays valid for so many seconds'
complete -c sypht-credential -l protocol -x -a 'bazel cargo docker git goauth htslib keyring kubernetes pnpm' -d 'Answer in this protocol'
complete -c sypht-credential -l cargo-plugin -d 'Answer cargo'
complete -c sypht-credential -l json -d 'Print status as JSON'
complete -c sypht-credential -l online -d 'Let status ask the endpoint for a token'
complete -c sypht-credential -s h -l help -d 'Print a summary'
complete -c sypht-credential -s v -l version -d 'Print the version'

complete -c sypht-credential -n "not __fish_seen_subcommand_from $verbs" -a "$verbs"
complete -c sypht-credential -n "__fish_seen_subcommand_from $placed" -a '(__sypht_credential_origins)'
