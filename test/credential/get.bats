#!/usr/bin/env bats
# git's question: get. What it answers, to whom, and what it refuses to read.

load ../lib/suite
load ../lib/helper

# What is answered -----------------------------------------------------------------------------

@test "get: a caller that knows authtype gets a bearer token" {
	ask get < <(for_api capability[]=authtype)
	assert_status 0
	assert_empty "$stderr"
	assert_keys 'capability[] authtype credential ephemeral password_expiry_utc'
	assert_attribute 'capability\[\]' authtype
	assert_attribute authtype Bearer
	assert_attribute ephemeral 1
	assert_issued "$(attribute credential)"
}

@test "get: a caller that does not gets user and password" {
	ask get < <(for_api)
	assert_status 0
	assert_keys 'username password password_expiry_utc'
	assert_attribute username oauth2
	assert_issued "$(attribute password)"
}

@test "get: a capability that nobody knows is ignored" {
	ask get < <(for_api capability[]=telepathy)
	assert_keys 'username password password_expiry_utc'
}

@test "get: the user for old callers is the one the config names" {
	configure < <(profile sypht 'basic_username = x-token')
	ask get < <(for_api)
	assert_attribute username x-token
}

@test "get: a profile without a user for old callers stays silent for them" {
	configure < <(profile sypht 'basic_username =')
	ask get < <(for_api)
	assert_silence
	assert_token_requests 0
	ask get < <(for_api capability[]=authtype)
	assert_attribute authtype Bearer
}

@test "get: the expiry handed out leaves a minute of an hour's life" {
	local before
	before=$(date +%s)
	ask get < <(for_api)
	assert_between "$(attribute password_expiry_utc)" $((before + 3540)) $(($(date +%s) + 3540))
}

assert_between() {
	(($2 <= $1 && $1 <= $3)) || fail "$1 is not between $2 and $3"
}

@test "get: the second answer is the first one's token, without a second request" {
	local first
	ask get < <(for_api)
	first=$(attribute password)
	ask get < <(for_api)
	assert_equal "$(attribute password)" "$first"
	assert_token_requests 1
}

@test "get: the end of input ends the description as a blank line does" {
	ask get < <(for_api | head -n -1)
	assert_issued "$(attribute password)"
	ask get < <(printf 'protocol=https\nhost=%s' "${SANDBOX_API#https://}")
	assert_issued "$(attribute password)"
}

@test "get: a blank line is answered at once, though the caller keeps its end open" {
	mkfifo input
	exec 8<>input
	for_api >&8
	try timeout 8 "$BUILD/sypht-credential" get <input
	exec 8>&-
	assert_status 0
	assert_issued "$(attribute password)"
}

@test "get: what comes behind the blank line is not read" {
	ask get < <(for_api; printf 'host=elsewhere.example\rnonsense\n')
	assert_issued "$(attribute password)"
}

@test "get: keys that nobody knows are ignored, lists among them" {
	ask get < <(for_api colour=green 'colours[]=red' wwwauth[]='Digest realm="x"' 'state[]=other:1')
	assert_issued "$(attribute password)"
}

@test "get: of a key given twice the last one counts" {
	ask get < <(description protocol=https host=elsewhere.example "host=${SANDBOX_API#https://}")
	assert_issued "$(attribute password)"
	ask get < <(description protocol=https "host=${SANDBOX_API#https://}" host=elsewhere.example)
	assert_silence
}

@test "get: a line of 65535 bytes, its end counted, is read, and one more is too long" {
	ask get < <(for_api "path=$(printf '%065529d' 0)")
	assert_issued "$(attribute password)"
	ask get < <(for_api "path=$(printf '%065530d' 0)")
	assert_refused 2 'line 1 is too long'
}

# For whom -------------------------------------------------------------------------------------

@test "get: a host that no profile names gets silence and success" {
	ask get < <(description protocol=https host=elsewhere.example)
	assert_silence
	assert_token_requests 0
}

@test "get: neither a longer nor a shorter name is the host, nor another port or scheme" {
	local host=${SANDBOX_API#https://}
	for place in https:x$host "https:$host.example" "https:${host%?}" "https:$host:443" \
		"https:${host%:*}" "https:${host%:*}:443" "http:$host" "ftp:$host" "https:" \
		"https:user@$host" "https:$host/" "https:$host\\" "https: $host" "https:[$host]" \
		"https:${host/127.0.0.1/127.0.0.1.}" "https:${host/127.0.0.1/0x7f.1}"; do
		ask get < <(description "protocol=${place%%:*}" "host=${place#*:}")
		assert_silence
	done
	assert_token_requests 0
}

@test "get: the default port and the host's case make no difference" {
	unset SYPHT_API_BASE_ENDPOINT
	for host in api.sypht.com api.sypht.com:443 API.Sypht.COM Api.sypht.com:443 api.sypht.com:; do
		ask get < <(description protocol=https "host=$host")
		assert_issued "$(attribute password)"
	done
	ask get < <(description protocol=HTTPS host=api.sypht.com)
	assert_issued "$(attribute password)"
	ask get < <(description protocol=https host=api.sypht.com:8443)
	assert_silence
}

@test "get: an IPv6 address stands in its brackets, in a url too" {
	[ -n "$SANDBOX_API_IPV6" ] || skip_allowed 'no IPv6 here'
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_IPV6
	ask get < <(description protocol=https "host=${SANDBOX_API_IPV6#https://}")
	assert_issued "$(attribute password)"
	ask get < <(description "url=https://oauth2@${SANDBOX_API_IPV6#https://}/x")
	assert_issued "$(attribute password)"
	ask get < <(description protocol=https 'host=[::1]')
	assert_silence
	ask get < <(description protocol=https "host=::1:${SANDBOX_API_IPV6##*:}")
	assert_silence
}

@test "get: plain http carries a token to this machine alone" {
	configure <<-END
		[profile local]
		origin = http://localhost:8080
		origin = http://127.0.0.1:8080
		origin = https://api.other.example
		token_url = $SANDBOX_TOKEN_URL
		client_id = $SANDBOX_CLIENT_ID
		client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'
	END
	ask get < <(description protocol=http host=localhost:8080)
	assert_issued "$(attribute password)"
	ask get < <(description protocol=http host=127.0.0.1:8080)
	assert_issued "$(attribute password)"
	ask get < <(description protocol=http host=api.other.example)
	assert_silence
	ask get < <(description protocol=http host=api.other.example:443)
	assert_silence
}

@test "get: the token endpoint's host gets nothing, whatever is known about it" {
	ask get < <(for_endpoint capability[]=authtype)
	assert_silence
	ask store < <(for_endpoint "username=$SANDBOX_CLIENT_ID" "password=$SANDBOX_CLIENT_SECRET")
	ask get < <(for_endpoint "username=$SANDBOX_CLIENT_ID")
	assert_silence
}

@test "get: a user name is a wish for that user or nobody" {
	for user in "$SANDBOX_CLIENT_ID" oauth2 ''; do
		ask get < <(for_api "username=$user")
		assert_issued "$(attribute password)"
	done
	ask get < <(for_api username=somebody)
	assert_silence
	ask get < <(for_api capability[]=authtype username=somebody)
	assert_silence
}

@test "get: of several profiles for one origin the first in the file answers" {
	configure < <(
		profile one basic_username=one "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'"
		profile two basic_username=two "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'"
	)
	ask get < <(for_api)
	assert_attribute username one
	ask --profile two get < <(for_api)
	assert_attribute username two
	SYPHT_PROFILE=two ask get < <(for_api)
	assert_attribute username two
	SYPHT_PROFILE=two ask get --profile sypht < <(for_api)
	assert_attribute username oauth2
}

@test "get: a profile that was named, and does not cover the host, is not replaced by another" {
	configure <<-END
		[profile other]
		origin = https://api.other.example
		token_url = $SANDBOX_TOKEN_URL
	END
	ask --profile other get < <(for_api)
	assert_silence
}

# url ------------------------------------------------------------------------------------------

@test "get: url stands for protocol, host and user" {
	ask get < <(description "url=$SANDBOX_API/some/path?query")
	assert_issued "$(attribute password)"
	ask get < <(description "url=https://oauth2@${SANDBOX_API#https://}")
	assert_issued "$(attribute password)"
	ask get < <(description "url=https://oauth2:secret@${SANDBOX_API#https://}/")
	assert_issued "$(attribute password)"
	ask get < <(description "url=https://somebody@${SANDBOX_API#https://}/")
	assert_silence
	ask get < <(description url=https://elsewhere.example)
	assert_silence
}

@test "get: the user in a url is percent-decoded" {
	configure < <(profile sypht 'basic_username = a user@home')
	ask get < <(description "url=https://a%20user%40home@${SANDBOX_API#https://}")
	assert_attribute username 'a user@home'
}

@test "get: url wipes what was said before it" {
	ask get < <(description protocol=https "host=${SANDBOX_API#https://}" url=https://elsewhere.example)
	assert_silence
	ask get < <(description username=somebody "url=$SANDBOX_API")
	assert_issued "$(attribute password)"
	ask get < <(description url=https://elsewhere.example "host=${SANDBOX_API#https://}")
	assert_issued "$(attribute password)"
}

@test "get: no spelling of a url makes another host ours" {
	local host=${SANDBOX_API#https://}
	for url in "https://elsewhere.example/@$host" "https://elsewhere.example?@$host" \
		"https://elsewhere.example#@$host" "https://$host@elsewhere.example" \
		"https://$host:x@elsewhere.example" "https://elsewhere.example\\@$host" \
		"https://oauth2@elsewhere.example@$host" "https://$host%2f@elsewhere.example" \
		"https:///$host" "https:/$host" "xhttps://$host" "https ://$host"; do
		try "$BUILD/sypht-credential" get < <(description "url=$url")
		assert_empty "$output"
	done
	assert_token_requests 0
}

# What is malformed ------------------------------------------------------------------------------

@test "get: a carriage return inside a line is refused, as it would forge a second attribute" {
	ask get < <(description protocol=https $'host=elsewhere.example\rhost='"${SANDBOX_API#https://}")
	assert_refused 2 'line 2 holds a NUL or carriage return'
	ask get < <(for_api $'path=a\rb')
	assert_refused 2 'line 1'
	ask get < <(for_api | sed 's/$/\r\r/')
	assert_refused 2 'line 1'
	ask get < <(printf 'protocol=https\nhost=%s\r' "${SANDBOX_API#https://}")
	assert_refused 2 'line 2'
}

@test "get: a carriage return inside a line before an open end is refused at once" {
	mkfifo input
	exec 8<>input
	for_api | sed 's/https/ht\rtps/' >&8
	try timeout 8 "$BUILD/sypht-credential" get <input
	exec 8>&-
	assert_refused 2 'line 1'
}

@test "get: lines may end in CR LF, those of the answer end in LF" {
	local current
	current=$(token)
	ask get < <(for_api capability[]=authtype | sed 's/$/\r/')
	assert_attribute credential "$current"
	refute_contains "$output" $'\r'
	ask get < <(for_api | sed '1s/$/\r/')
	assert_attribute password "$current"
}

@test "get: behind a blank line that ends in CR LF nothing is waited for" {
	mkfifo input
	exec 8<>input
	for_api | sed 's/$/\r/' >&8
	try timeout 8 "$BUILD/sypht-credential" get <input
	exec 8>&-
	assert_attribute username oauth2
}

@test "get: a NUL is refused, as it would hide what follows" {
	ask get < <(printf 'protocol=https\nhost=%s\0.example\n' "${SANDBOX_API#https://}")
	assert_refused 2 'line 2 holds a NUL or carriage return'
	ask get < <(printf '\0'; for_api)
	assert_refused 2 'line 1'
}

@test "get: a line without = is refused, and not quoted in the reason" {
	ask get < <(for_api hunter2)
	assert_refused 2 'line 1 is not key=value'
	refute_contains "$stderr" hunter2
}

@test "get: a description without protocol, or without host, is refused" {
	ask get < <(description protocol=https)
	assert_refused 2 'no protocol, or no host'
	ask get < <(description "host=${SANDBOX_API#https://}")
	assert_refused 2 'no protocol, or no host'
	ask get < <(description '')
	assert_refused 2 'no protocol, or no host'
	ask get </dev/null
	assert_refused 2 'no protocol, or no host'
}

@test "get: an empty host is not every host" {
	ask get < <(description protocol=https host=)
	assert_silence
}

@test "get: a url without a scheme is refused" {
	ask get < <(description url=elsewhere.example)
	assert_refused 2 'url has no scheme'
}

@test "get: a long line's end is not taken for a line of its own" {
	local size
	for size in 255 256 1000 1001 1023 1024 4095 4096 8191 8192 65535 65536; do
		ask get < <(description protocol=https host=elsewhere.example \
			"wwwauth[]=$(printf "%0${size}d" 0)host=${SANDBOX_API#https://}")
		assert_empty "$output"
	done
	assert_token_requests 0
}

@test "get: input beyond a mebibyte is refused" {
	ask get < <(for _ in {1..20}; do printf 'a=%065000d\n' 0; done; for_api)
	assert_refused 2 'input is too long'
}

@test "get: input that cannot be read is no answer" {
	ask get <"$TMPDIR"
	assert_refused 1 'cannot read input'
}

# Other verbs, and nobody to hear ------------------------------------------------------------------

@test "capability: says what get speaks, without reading anything" {
	ask capability </dev/null
	assert_output $'version 0\ncapability authtype\ncapability state'
}

@test "verbs of the future get silence and success" {
	ask list < <(for_api)
	assert_silence
	ask get-all --profile sypht < <(for_api)
	assert_silence
}

@test "get: an answer that cannot be written is a failure" {
	to_nowhere() { "$BUILD/sypht-credential" get >/dev/full; }
	try to_nowhere < <(for_api)
	assert_refused 1 'cannot write the answer: No space left on device'
}

# A rejected token -------------------------------------------------------------------------------

@test "get: a caller with states gets one for a cached token, and none for a fresh one" {
	ask get < <(for_api capability[]=authtype capability[]=state)
	assert_keys 'capability[] capability[] authtype credential ephemeral password_expiry_utc'
	ask get < <(for_api capability[]=authtype capability[]=state)
	assert_keys 'capability[] capability[] authtype credential ephemeral state[] continue password_expiry_utc'
	assert_attribute continue 1
	refute_contains "$(attribute 'state\[\]')" "$(attribute credential)"
}

@test "get: a state that comes back fetches a fresh token, which never asks to come back" {
	local stale state
	token
	ask get < <(for_api capability[]=authtype capability[]=state)
	stale=$(attribute credential)
	state=$(attribute 'state\[\]')

	ask get < <(for_api capability[]=authtype capability[]=state "state[]=$state")
	assert_issued "$(attribute credential)"
	refute [ "$(attribute credential)" = "$stale" ]
	assert_empty "$(attribute continue)"
	assert_token_requests 2
}

@test "get: a state that comes back late does not cost the token that replaced its own" {
	local state fresh
	token
	ask get < <(for_api capability[]=authtype capability[]=state)
	state=$(attribute 'state\[\]')
	ask get < <(for_api capability[]=authtype capability[]=state "state[]=$state")
	fresh=$(attribute credential)

	ask get < <(for_api capability[]=authtype capability[]=state "state[]=$state")
	assert_attribute credential "$fresh"
	assert_token_requests 2
}

@test "get: a challenge that says invalid_token fetches a fresh token" {
	local stale
	stale=$(token)
	ask get < <(for_api capability[]=authtype 'wwwauth[]=Bearer realm="x", error="invalid_token"')
	assert_issued "$(attribute credential)"
	refute [ "$(attribute credential)" = "$stale" ]
}

@test "get: a challenge that says nothing of the kind does not" {
	local current
	current=$(token)
	for challenge in 'Bearer realm="x"' 'Bearer error="insufficient_scope"' \
		'Bearer realm="error=\"invalid_token\""'; do
		ask get < <(for_api capability[]=authtype "wwwauth[]=$challenge")
		assert_attribute credential "$current"
	done
}

@test "get: other helpers' states are left alone" {
	local current
	current=$(token)
	ask get < <(for_api capability[]=authtype capability[]=state 'state[]=other:cached:00000000')
	assert_attribute credential "$current"
}

# Its cost ---------------------------------------------------------------------------------------

@test "get: a warm answer takes no more than 45 system calls, and starts no process" {
	not_under_sanitizers 'their runtime makes calls of its own'
	token >/dev/null
	for_api capability[]=authtype >description
	strace -f -o calls "$BUILD/sypht-credential" get <description >answer ||
		skip_allowed 'no process can be traced here'
	assert_contains "$(<answer)" credential=
	refute grep -E '^[0-9]+ +(clone3?|v?fork)\(' calls
	[ "$(wc -l <calls)" -le 46 ] || fail "$(<calls)"
}
