#!/usr/bin/env bats
# The config file: what it says, how it is read, and when it is refused. Most questions are put to
# status, which asks nobody.

load ../lib/suite
load ../lib/helper

config() {
	printf '%s\n' "$XDG_CONFIG_HOME/sypht/config"
}

# The values of a row of status, for one profile: shown NAME ROW
shown() {
	"$BUILD/sypht-credential" status --profile "$1" | sed -n "s/^  $2 \+//p"
}

# refused LINE TEXT <<<config: exit status 2, naming that line and TEXT, for every verb.
refused() {
	local verb
	configure
	for verb in status token get erase; do
		ask $verb < <(for_api)
		assert_refused 2 "$(config):$1: " "$2"
	done
}

plain_environment() {
	unset SYPHT_API_KEY SYPHT_AUTH_ENDPOINT SYPHT_API_BASE_ENDPOINT
}

# Where it is --------------------------------------------------------------------------------------

@test "config: without one there is the built-in profile, for Sypht's own service" {
	plain_environment
	ask status
	assert_equal "$(sed -n '/^profile/,$p' <<<"$output")" "profile sypht
  origin    https://api.sypht.com
  endpoint  https://auth.sypht.com/oauth2/token
  client    set by the source of the secret
  secret    none is stored or configured
  warning   no client credentials for profile 'sypht': set SYPHT_API_KEY=client_id:client_secret, or run: sypht-credential login
  token     none cached"
}

@test "config: it is SYPHT_CONFIG, else under XDG_CONFIG_HOME, else under HOME" {
	mkdir -p "$HOME/.config/sypht" "$HOME/xdg/sypht"
	echo $'[profile a]\ntoken_url = https://home.example' >"$HOME/.config/sypht/config"
	echo $'[profile a]\ntoken_url = https://xdg.example' >"$HOME/xdg/sypht/config"
	echo $'[profile a]\ntoken_url = https://own.example' >"$HOME/own"
	unset XDG_CONFIG_HOME
	assert_equal "$(shown a endpoint)" https://home.example
	export XDG_CONFIG_HOME=relative
	assert_equal "$(shown a endpoint)" https://home.example
	export XDG_CONFIG_HOME=$HOME/xdg
	assert_equal "$(shown a endpoint)" https://xdg.example
	export SYPHT_CONFIG=$HOME/own
	assert_equal "$(shown a endpoint)" https://own.example
}

@test "config: one that SYPHT_CONFIG names must be there" {
	export SYPHT_CONFIG=$PWD/missing
	ask token
	assert_refused 2 "$PWD/missing: No such file or directory"
	ask get < <(description protocol=https host=elsewhere.example)
	assert_refused 2 "$PWD/missing"
}

# What it says -------------------------------------------------------------------------------------

@test "config: a section overrides the built-in profile key by key" {
	plain_environment
	configure <<-'END'
		[profile sypht]
		client_id = mine
		scope = result:all
	END
	assert_equal "$(shown sypht client)" mine
	assert_equal "$(shown sypht origin)" https://api.sypht.com
	assert_equal "$(shown sypht endpoint)" https://auth.sypht.com/oauth2/token
}

@test "config: origin and resource may repeat, in one line or several, and replace the built-in one" {
	plain_environment
	configure <<-'END'
		[profile sypht]
		origin = https://one.example
		origin = https://two.example https://three.example
		    https://four.example
	END
	assert_equal "$(shown sypht origin)" $'https://one.example\nhttps://two.example\nhttps://three.example\nhttps://four.example'
}

@test "config: of any other key given twice the last one counts" {
	configure <<-'END'
		[profile a]
		token_url = https://one.example
		token_url = https://two.example
	END
	assert_equal "$(shown a endpoint)" https://two.example
}

@test "config: an indented line goes on with the value above, comments and blank lines between or not" {
	faults '{"token": {"body": {"access_token": "a-token"}}}'
	configure <<-END
		[profile sypht]
		scope = one
		   two ; not three
		; nor four

		# nor five
		$(printf '\t')six
	END
	ask token
	assert_output a-token
	assert_equal "$(sed -n 's/^scope=//p' "$(entry token)")" 'one two six'
}

@test "config: comments begin with ; or # in a line of their own, or with ; behind a blank" {
	configure <<-'END'
		# one
		; two
		   ; three
		[profile a] ; four
		token_url = https://a.example/x;y#no?a=b ; five
	END
	ask status --profile a
	assert_refused 2 "$(config):5: token_url: expected an https URL"

	configure <<-'END'
		[profile a] ; four
		token_url = https://a.example/x;y?a=b ; five
		client_id = a;b#c ;six
	END
	assert_equal "$(shown a endpoint)" 'https://a.example/x;y?a=b'
	assert_equal "$(shown a client)" 'a;b#c'
}

@test "config: blanks round names and values do not count, and = and : both divide" {
	configure <<-END
		  [profile a]
		token_url=https://a.example/?x=y
		client_id$(printf '\t'):$(printf '\t')one two  $(printf '\t')
	END
	assert_equal "$(shown a endpoint)" 'https://a.example/?x=y'
	assert_equal "$(shown a client)" 'one two'
}

@test "config: line ends of another system, a byte order mark, and no end at the end" {
	printf '\xef\xbb\xbf[profile a]\r\ntoken_url = https://a.example\r\n\r\nclient_id = mine' | configure
	assert_equal "$(shown a endpoint)" https://a.example
	assert_equal "$(shown a client)" mine
}

@test "config: an empty one, and one of comments, say nothing" {
	plain_environment
	configure </dev/null
	assert_equal "$(shown sypht origin)" https://api.sypht.com
	configure <<<$'; nothing\n\n\n   \n# at all'
	assert_equal "$(shown sypht origin)" https://api.sypht.com
}

@test "config: an empty value takes a built-in one away" {
	faults '{"token": {"body": {"access_token": "a-token"}}}'
	export SYPHT_AUTH_ENDPOINT=$SANDBOX_LEGACY_TOKEN_URL
	configure <<<$'[profile sypht]\naudience ='
	ask token
	refute_contains "$(jq -r .body "$SANDBOX_TOKEN_REQUESTS")" audience
}

@test "config: profiles are told in the order of the file, the built-in one last or where it stands" {
	local before
	configure <<-'END'
		[profile b]
		token_url = https://b.example
		[profile a]
		token_url = https://a.example
	END
	assert_equal "$("$BUILD/sypht-credential" status | sed -n 's/^profile //p' | paste -sd ' ')" 'b a sypht'
	before=$(<"$(config)")
	printf '[profile sypht]\nclient_id = x\n%s\n' "$before" | configure
	assert_equal "$("$BUILD/sypht-credential" status | sed -n 's/^profile //p' | paste -sd ' ')" 'sypht b a'
}

@test "config: a name of forty letters is a profile's, and a line of 198 bytes is read" {
	local name=abcdefghijklmnopqrstuvwxyz-ABCDEFGH._012
	configure < <(printf '[profile %s]\ntoken_url = https://a.example/%0168d\n' $name 0)
	assert_equal "$(shown $name endpoint)" "https://a.example/$(printf %0168d 0)"
}

@test "config: a thousand profiles are read to the last" {
	local n
	for n in {1..1000}; do
		printf '[profile p%d]\norigin = https://p%d.example\ntoken_url = %s\nclient_id = %s\nclient_secret_command = printf %%s %s\n' \
			"$n" "$n" "$SANDBOX_TOKEN_URL" "$SANDBOX_CLIENT_ID" "$SANDBOX_CLIENT_SECRET"
	done | configure
	ask get < <(description protocol=https host=p1000.example)
	assert_issued "$(attribute password)"
	ask get < <(description protocol=https host=p1001.example)
	assert_silence
	assert_equal "$(shown p777 origin)" https://p777.example
	echo 'nonsense = 1' >>"$(config)"
	ask get < <(description protocol=https host=p1000.example)
	assert_refused 2 "$(config):5001: unknown key 'nonsense'"
	ask status
	assert_refused 2 "$(config):5001: unknown key 'nonsense'"
}

# What it must not say -------------------------------------------------------------------------------

@test "config: a key that nobody knows is refused by name" {
	refused 2 "unknown key 'colour'" <<<$'[profile sypht]\ncolour = green'
	refused 4 "unknown key 'Origin'" <<<$'[profile sypht]\nscope = a\n  b\nOrigin = https://a.example'
}

@test "config: a mistyped key is told with the one that is meant" {
	refused 2 "unknown key 'tokenurl': did you mean token_url?" <<<$'[profile sypht]\ntokenurl = https://a.example'
	refused 2 "unknown key 'token url': did you mean token_url?" <<<$'[profile sypht]\ntoken url = https://a.example'
	refused 2 "unknown key 'scopes': did you mean scope?" <<<$'[profile sypht]\nscopes = a'
}

@test "config: a client secret is refused with the places where it may be kept, and is not shown" {
	local line
	for line in 'client_secret = hunter2' 'client_secert = hunter2' 'client_secret hunter2:3'; do
		refused 2 "keep the secret with sypht-credential login, or name client_secret_file or client_secret_command" \
			<<<$'[profile sypht]\n'"$line"
		[[ $stderr != *hunter2* ]]
	done
	refused 2 "unknown key 'secret': keep the secret with sypht-credential login" <<<$'[profile sypht]\nsecret = hunter2'
	refused 2 "unknown key 'password': keep the secret with sypht-credential login" <<<$'[profile sypht]\npassword hunter2:3'
	[[ $stderr != *hunter2* ]]
}

@test "config: a key without = is told how to write it" {
	refused 2 'expected key = value: write origin = https://a.example' <<<$'[profile sypht]\norigin https://a.example'
	refused 2 'expected key = value: write token_url = https://a.example/t?x=y' \
		<<<$'[profile sypht]\ntoken_url  https://a.example/t?x=y'
}

@test "config: an empty origin takes the built-in one away" {
	plain_environment
	configure <<<$'[profile sypht]\norigin ='
	assert_empty "$(shown sypht origin)"
}

@test "config: a section that is no profile's is refused by name" {
	refused 2 "section 'core'" <<<$'[core]\nx = y'
	refused 2 "section 'profile'" <<<$'[profile]\nscope = y'
	refused 2 "section 'profile a b'" <<<$'[profile a b]\nscope = y'
	refused 2 "section 'profile a/b'" <<<$'[profile a/b]\nscope = y'
	refused 2 "section 'Profile a'" <<<$'[Profile a]\nscope = y'
	refused 1 "section ''" <<<'scope = y'
}

@test "config: what inih would pass over or cut in silence is refused" {
	refused 2 'expected key = value' <<<$'[profile sypht]\nscope'
	refused 1 'expected ] at the end' <<<'[profile sypht'
	refused 2 'a line may be 198 bytes long' < <(printf '[profile sypht]\nscope = %0191d\n' 0)
	refused 3 'a line may be 198 bytes long' < <(printf '[profile sypht]\nscope = a\n %0198d\n' 0)
	refused 2 'a line may be 198 bytes long' < <(printf '[profile sypht]\n; %0197d\n' 0)
	refused 1 "a section's name may be 48 bytes long" < <(printf '[profile %041d]\nscope = a\n' 0)
	refused 2 'a NUL byte' < <(printf '[profile sypht]\nscope = a\0b\n')
}

@test "config: a value that its key does not take is refused" {
	local line
	for line in 'origin = ftp://a.example' 'origin = http://a.example' 'origin = a.example' \
		'origin = https://a.example http://b.example' 'origin = https://user@a.example' \
		'token_url = http://a.example' 'token_url =' 'token_url = https://a.example/#x' \
		'token_url = https://a.example https://b.example' 'issuer = http://a.example' \
		'client_id =' 'client_secret_file =' 'client_secret_command =' 'client_secret_helper =' \
		'auth_method = digest' 'auth_method =' 'basic_encoding = both' 'resource = nothing' \
		'resource = https://a.example/#x' 'default_lifetime = 0' 'default_lifetime = soon' \
		'default_lifetime = -1' 'max_lifetime = 99999999999' 'max_lifetime = 1h' 'max_lifetime ='; do
		refused 2 "${line%% *}: expected" <<<$'[profile sypht]\n'"$line"
	done
}

@test "config: a value that goes on in the next line is judged as a whole" {
	refused 3 'token_url: expected' <<<$'[profile sypht]\ntoken_url = https://a.example\n https://b.example'
	refused 3 'auth_method: expected' <<<$'[profile sypht]\nauth_method = basic\n basic'
	refused 3 'max_lifetime: expected' <<<$'[profile sypht]\nmax_lifetime = 36\n 00'
	refused 3 'origin: expected' <<<$'[profile sypht]\norigin = https://a.example\n nonsense'
}

@test "config: a profile without an endpoint is refused, wherever it stands" {
	configure <<<$'[profile a]\norigin = https://a.example\n'
	ask status
	assert_refused 2 "$(config)" "profile 'a'" 'line 2' token_url
	configure <<<$'[profile a]\norigin = https://a.example\n[profile sypht]\nscope = x'
	ask status
	assert_refused 2 "$(config)" "profile 'a'" 'line 2' token_url
}

@test "config: another profile's mistake is no hindrance to the one that is named" {
	configure < <(profile one colour=green; profile two)
	ask status --profile two
	assert_output --partial 'profile two'
	ask status --profile one
	assert_refused 2 "unknown key 'colour'"
}

@test "config: its errors hold up no answer from a profile above them" {
	configure < <(profile one "client_secret_command = printf %s '$SANDBOX_CLIENT_SECRET'"; echo '[nonsense]')
	ask get < <(for_api)
	assert_issued "$(attribute password)"
}

# Who may have written it ----------------------------------------------------------------------------

@test "config: one that others can write is refused, with the remedy" {
	local mode
	configure < <(profile sypht)
	for mode in 620 602 666 660; do
		chmod $mode "$(config)"
		ask token
		assert_refused 2 "run: chmod go-w '$(config)'"
	done
	chmod 644 "$(config)"
	ask token
	assert_issued "$output"
}

@test "config: one of somebody else's is refused" {
	needs_root 'give files away'
	configure < <(profile sypht)
	chown 65534 "$(config)"
	ask token
	assert_refused 2 "$(config): belongs to another user"
}

@test "config: a symbolic link is followed, and what it points to judged" {
	configure < <(profile sypht)
	mv "$(config)" real
	ln -s "$PWD/real" "$(config)"
	ask token
	assert_issued "$output"
	chmod 666 real
	ask token
	assert_refused 2 'chmod go-w'
}

@test "config: what is no file is refused, and not waited for" {
	mkdir -p "$(config)"
	ask token
	assert_refused 2 "$(config): not a regular file"
	rmdir "$(config)" && mkfifo "$(config)"
	try timeout 8 "$BUILD/sypht-credential" token
	assert_refused 2 "$(config): not a regular file"
}

@test "config: one that cannot be read is refused, not passed over" {
	[ "$(id -u)" != 0 ] || skip_allowed 'root reads everything'
	configure < <(profile sypht)
	chmod 000 "$(config)"
	ask token
	assert_refused 2 "$(config): Permission denied"
}

# The environment --------------------------------------------------------------------------------

@test "environment: it stands above the config, for sypht" {
	configure <<-'END'
		[profile sypht]
		origin = https://config.example
		token_url = https://config.example/token
		client_id = config
	END
	export SYPHT_CLIENT_ID=environment SYPHT_CLIENT_SECRET=x
	assert_equal "$(shown sypht origin)" "$SANDBOX_API"
	assert_equal "$(shown sypht endpoint)" "$SANDBOX_TOKEN_URL"
	assert_equal "$(shown sypht client)" environment
}

@test "environment: it concerns sypht alone, so no secret of it goes to another endpoint" {
	configure <<-END
		[profile other]
		origin = https://other.example
		token_url = $SANDBOX_BYSTANDER/token
		client_id = other
	END
	export SYPHT_CLIENT_ID=$SANDBOX_CLIENT_ID SYPHT_CLIENT_SECRET=$SANDBOX_CLIENT_SECRET
	export SYPHT_CLIENT_SECRET_FILE=$PWD/secret SYPHT_AUDIENCE=urn:x
	assert_equal "$(shown other endpoint)" "$SANDBOX_BYSTANDER/token"
	assert_equal "$(shown other client)" other
	ask token --profile other
	assert_refused 1 "no client credentials for profile 'other'"
	assert_equal "$(bystander_requests)" 0

	sed -i '$a client_secret_command = echo own' "$(config)"
	ask token --profile other
	assert_status 1
	assert_equal "$(bystander_requests)" 1
	refute_contains "$(<"$SANDBOX_REQUESTS")" urn:x
}

@test "environment: what makes no sense is refused by name" {
	local value
	for value in http://auth.example ftp://auth.example nonsense 'https://a b' https://user@auth.example; do
		SYPHT_AUTH_ENDPOINT=$value ask token
		assert_refused 2 'SYPHT_AUTH_ENDPOINT: expected an https URL'
		SYPHT_API_BASE_ENDPOINT=$value/ ask token
		assert_refused 2 'SYPHT_API_BASE_ENDPOINT: expected an https URL'
	done
	SYPHT_CLIENT_ID=$'a\nb' ask token
	assert_refused 2 'SYPHT_CLIENT_ID: expected'
	SYPHT_AUDIENCE=$'a\nb' ask token
	assert_refused 2 'SYPHT_AUDIENCE: expected'
}

@test "environment: an endpoint with a path or a slash is the same origin" {
	SYPHT_API_BASE_ENDPOINT=$SANDBOX_API/ ask get < <(for_api)
	assert_issued "$(attribute password)"
	SYPHT_API_BASE_ENDPOINT="$SANDBOX_API/v1?x" ask get < <(for_api)
	assert_issued "$(attribute password)"
}
