#!/usr/bin/env bats
# A config of a thousand profiles. It is read as a small one is; how long that takes, make bench says.

load ../lib/suite

# profiles FIRST LAST: their sections.
profiles() {
	seq "$1" "$2" | sed 's,.*,[profile p&]\norigin = https://api&.example\ntoken_url = https://auth&.example/token\n,'
}

# configure <<<text: the config file, followed by five hundred profiles more.
configure() {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	(umask 077 && { cat && profiles 1001 1500; } >"$XDG_CONFIG_HOME/sypht/config")
}

# assert_found URL PROFILE, whose credentials nobody has.
assert_found() {
	ask token "$1"
	assert_status 1
	assert_contains "$stderr" "no client credentials for profile '$2'"
}

assert_not_found() {
	ask token "$1"
	assert_status 1
	assert_contains "$stderr" "no profile names the origin of $1"
}

@test "large config: a profile is found wherever it stands" {
	configure < <(profiles 1 500)
	assert_found https://api1.example p1
	assert_found https://api250.example p250
	assert_found https://api1500.example p1500
}

@test "large config: an origin is compared as ever, exactly" {
	configure <<-'END'
		[profile upper]
		origin = HTTPS://API.Upper.Example
		token_url = https://auth.example/token
		[profile port]
		origin = https://api.port.example:8443
		token_url = https://auth.example/token
	END
	assert_found https://api.upper.example:443/ upper
	assert_found https://api.port.example:8443 port
	assert_not_found https://api.port.example
	assert_not_found https://api1001.example.com
	assert_not_found https://pi1001.example
}

@test "large config: of several profiles for one origin the first counts, or the one that is named" {
	configure < <(profiles 1 5 && profiles 1 5 | sed 's/profile p/profile again/')
	assert_found https://api3.example p3
	ask token --profile again3 https://api3.example
	assert_contains "$stderr" "profile 'again3'"
	ask token --profile again3 https://api4.example
	assert_contains "$stderr" "profile 'again3' does not name the origin of"
	ask token --profile again6 https://api3.example
	assert_status 2
	assert_contains "$stderr" "there is no profile 'again6'"
}

@test "large config: a section that comes twice is two, as something stands between" {
	configure <<-'END'
		[profile one]
		origin = https://a.example
		token_url = https://auth.example/token
		[profile other]
		origin = https://b.example
		token_url = https://auth.example/token
		[profile one]
		origin = https://a.example https://c.example
		token_url = https://auth.example/token
	END
	assert_found https://c.example one
	assert_found https://a.example one
}

@test "large config: an origin may stand in a line of its own" {
	configure <<-'END'
		[profile lines]
		origin = https://a.example
		  https://b.example
		  ; https://d.example
		token_url = https://auth.example/token
	END
	assert_found https://b.example lines
	assert_not_found https://d.example
}

@test "large config: the built-in profile is there, and its section counts though it names no origin" {
	configure </dev/null
	assert_found https://api.sypht.com sypht
	configure <<-'END'
		[profile sypht]
		client_secret_file = /nowhere
	END
	ask token https://api.sypht.com
	assert_contains "$stderr" /nowhere
	SYPHT_API_BASE_ENDPOINT=https://my.example ask token https://my.example
	assert_contains "$stderr" /nowhere
}

@test "large config: the built-in profile can be moved elsewhere" {
	configure <<-'END'
		[profile sypht]
		origin = https://elsewhere.example
	END
	assert_found https://elsewhere.example sypht
	assert_not_found https://api.sypht.com
}

@test "large config: a fault is told by its line" {
	configure < <(profiles 1 300 && printf '%s\n' '[profile wrong]' 'origin = https://w.example' 'colour = red')
	ask token https://w.example
	assert_status 2
	assert_contains "$stderr" "config:1203: unknown key 'colour'"
	ask status
	assert_status 2
}

@test "large config: what is wrong before the profile is told, what is wrong behind it is not read" {
	configure <<-'END'
		[profile wrong]
		origin = https://w.example
		colour = red
	END
	ask token https://api1500.example
	assert_status 2
	assert_contains "$stderr" "config:3: unknown key 'colour'"

	configure < <(profiles 1 2)
	printf '%s\n' 'colour = red' >>"$XDG_CONFIG_HOME/sypht/config"
	assert_found https://api1.example p1
}

@test "large config: a section whose name begins like another is not that one" {
	configure <<-'END'
		[profile one]
		origin = https://a.example
		token_url = https://auth.example/token
		[one]
		origin = https://b.example
	END
	ask token https://b.example
	assert_status 2
	assert_contains "$stderr" "config:5: section 'one': expected [profile NAME]"
}

@test "large config: a line that stands across the end of what is read at once is whole" {
	local length
	for length in 4070 4080 4085 4090 4094 4095 4096 4097; do
		{
			yes ";$(printf 'x%.0s' {1..95})" | head -c "$length"
			printf '\n%s\n' '[profile across]' 'origin = https://across.example' \
				'token_url = https://auth.example/token'
		} | configure
		assert_found https://across.example across
	done
}
