#!/usr/bin/env bats
# libsypht-preload.so in programs of every kind: which requests carry a token, which do not, what
# becomes of a request that cannot have one, and that nothing else changes.

load ../lib/suite

setup_file() {
	local hosts=$BATS_TEST_DIRNAME/../hosts name
	local compile=("${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -g)

	start_sandbox
	# shellcheck disable=SC2206
	compile+=(${SANITIZE:-})
	cd "$BATS_FILE_TMPDIR" || return
	for name in scene threads; do
		"${compile[@]}" -pthread -o "$name" "$hosts/$name.c" -lcurl
	done
	"${compile[@]}" -o load "$hosts/load.c"
	"${compile[@]}" -shared -fPIC -o other.so "$hosts/other.c"
	"${compile[@]}" -shared -fPIC -o unlinked.so "$hosts/module.c"
	for name in openssl: gnutls:-gnutls nss:-nss; do
		"${compile[@]}" -shared -fPIC -o "${name%:*}.so" "$hosts/module.c" \
			-Wl,--no-as-needed "$(flavour "${name#*:}")"
	done
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	reset_sandbox
	API=$SANDBOX_API/echo
	BYSTANDER=$SANDBOX_BYSTANDER
}

# The libcurl of that flavour: flavour -gnutls. That with NSS only if it is installed.
flavour() {
	local path name=$1

	[ "$name" != -nss ] || compgen -G '/usr/lib/*/libcurl-nss.so.4' >/dev/null || name=-gnutls
	for path in /usr/lib/*/"libcurl$name.so.4"; do
		printf '%s\n' "$path"
	done
}

# play <<<SCRIPT: test/hosts/scene.c says what it may hold.
play() {
	under "$BATS_FILE_TMPDIR/scene"
}

# load HOW FILE URL…: test/hosts/load.c
load_as() {
	under "$BATS_FILE_TMPDIR/load" "$@"
}

# The schemes of the Authorization headers that came with requests for a path, whatever the
# server; - for none.
schemes_at() {
	requests "select(.server != \"token\" and .path == \"$1\") | .scheme // \"-\"" |
		tr -d '"' | paste -sd ' '
}

carried() {
	local path
	for path; do
		assert_equal "$path $(schemes_at "$path")" "$path Bearer"
	done
}

bare() {
	local path
	for path; do
		assert_equal "$path $(schemes_at "$path")" "$path -"
	done
}

unsent() {
	assert_equal "$1 $(schemes_at "$1")" "$1 "
}

# The library ------------------------------------------------------------------------------------

@test "the plugin needs nothing but libc" {
	try readelf -dW "$BUILD/libsypht-preload.so"
	assert_equal "$(grep -o 'NEEDED.*' <<<"$output" | grep -v 'libc\.so\.6\|ld-linux')" ''
}

@test "the plugin exports what plugin.map lists, and dlopen and dlsym" {
	local listed exported

	listed=$(awk '/^[A-Z]/ { node = $1 }
		/curl_/ { gsub(";", ""); for (i = 1; i <= NF; i++) print $i "@" node }' \
		"$ROOT/plugin/plugin.map"; printf 'dlopen\ndlsym\n')
	exported=$(nm -D --defined-only "$BUILD/libsypht-preload.so" |
		awk '$2 != "A" { sub("@@", "@", $3); print $3 }')
	assert_equal "$(sort <<<"$exported")" "$(sort <<<"$listed")"
}

@test "the library needs no function that glibc or musl lacks" {
	local libc needed
	[ "$(getconf LONG_BIT)" = 64 ] || skip_allowed 'on 32 bits it is for glibc alone'
	not_under_sanitizers 'their runtime is that of glibc'
	needed=$(nm -D --undefined-only "$BUILD/libsypht-preload.so" | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort)
	assert_contains "$needed" malloc
	refute_contains "$(readelf -d "$BUILD/libsypht-preload.so")" 'Shared library: [libc.so'
	for libc in "/lib/$(cc -print-multiarch)/libc.so.6" /lib/ld-musl-*.so.1; do
		[ -e "$libc" ] || continue
		assert_equal "$libc lacks: $(comm -23 <(printf '%s\n' "$needed") \
			<(nm -D --defined-only "$libc" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort))" "$libc lacks: "
	done
}

@test "a program without libcurl runs as ever" {
	under sh -c 'ls /proc/self/fd | wc -l; echo out; echo err >&2; exit 3'
	assert_status 3
	assert_equal "$stderr" err
	assert_equal "$(tail -n 1 <<<"$output")" out
	assert_equal "$(head -n 1 <<<"$output")" "$(sh -c 'ls /proc/self/fd | wc -l')"
	refute_contains "$(env LD_PRELOAD="$BUILD/libsypht-preload.so" strace -f -e trace=openat true 2>&1)" \
		"$XDG_CONFIG_HOME"
}

# What carries a token ---------------------------------------------------------------------------

@test "curl: several URLs, --next and -Z are authorised with one token request" {
	under curl -sS "$API/1" "$API/2" --next -sS "$API/3"
	assert_status 0
	under curl -sS -Z --no-progress-meter "$API/4" "$API/5"
	assert_status 0
	carried /echo/{1,2,3,4,5}
	assert_equal "$(token_requests)" 1
}

@test "a handle is authorised for its API and for nothing else, in whatever order" {
	play <<-EOF
		easy a
		set a URL $BYSTANDER/1
		perform a
		set a URL $API/2
		perform a
		set a URL $BYSTANDER/3
		perform a
		set a URL $API/4
		perform a
	EOF
	assert_equal "$output" "$(printf 'a: 0 200\n%.0s' 1 2 3 4)"
	carried /echo/2 /echo/4
	bare /1 /3
}

@test "a handle that was reset, duplicated or born at an old address is judged by what it is now" {
	play <<-EOF
		easy a
		set a URL $API/1
		perform a
		dup a b
		set b URL $BYSTANDER/2
		perform b
		reset a
		set a URL $BYSTANDER/3
		perform a
		set a URL $API/4
		perform a
		cleanup a
		cleanup b
		easy a
		easy b
		set a URL $BYSTANDER/5
		set b URL $API/6
		perform a
		perform b
	EOF
	carried /echo/1 /echo/4 /echo/6
	bare /2 /3 /5
}

@test "a duplicate of a handle that is carrying a token does not carry it" {
	play <<-EOF
		easy a
		set a URL $API/1
		multi m
		add m a
		dup a b
		set b URL $BYSTANDER/2
		perform b
		set b URL $API/3
		perform b
		run m
	EOF
	carried /echo/1 /echo/3
	bare /2
}

@test "a URL may come as a CURLU, with a port of its own, or without a scheme" {
	local authority=${API#https://}

	play <<-EOF
		easy a
		curlu a $API/1
		perform a
		curlu a $BYSTANDER/2
		perform a
		set a CURLU NULL
		set a URL https://127.0.0.1/echo/3
		set a PORT $(sed 's/.*:\([0-9]*\).*/\1/' <<<"$API")
		perform a
		set a PORT $(sed 's/.*://' <<<"$BYSTANDER")
		set a URL $API/4
		perform a
		set a PORT 0
		set a DEFAULT_PROTOCOL https
		set a URL $authority/5
		perform a
		set a URL ${BYSTANDER#https://}/6
		perform a
	EOF
	assert_equal "$(sort -u <<<"$output")" 'a: 0 200'
	carried /echo/1 /echo/3 /echo/5
	bare /2 /echo/4 /6
}

@test "redirects within the API carry the token, others do not, whatever the application allows" {
	play <<-EOF
		easy a
		set a FOLLOWLOCATION 1
		set a UNRESTRICTED_AUTH 1
		set a URL $SANDBOX_API/redirect?to=/echo/1
		perform a
		set a URL $SANDBOX_API/redirect?to=$BYSTANDER/2
		perform a
		set a URL $SANDBOX_API/redirect?to=$BYSTANDER/redirect?to=$API/3
		perform a
	EOF
	assert_equal "$(sort -u <<<"$output")" 'a: 0 200'
	carried /echo/1 /echo/3
	bare /2
}

@test "what the application set for itself stands again afterwards" {
	play <<-EOF
		easy a
		set a HTTPAUTH 1
		set a UNRESTRICTED_AUTH 1
		set a FOLLOWLOCATION 1
		set a REDIR_PROTOCOLS_STR https,imap
		set a URL $API/1
		perform a
		set a USERPWD someone:secret
		set a URL $BYSTANDER/redirect?to=$SANDBOX_API/open/2
		perform a
		set a URL $BYSTANDER/redirect?to=imap://127.0.0.1:1/
		perform a
	EOF
	carried /echo/1
	assert_equal "$(schemes_at /open/2)" Basic
	assert_line --index 2 --regexp '^a: 7 302 '
}

@test "while a token is carried, no redirect leads to a protocol that would hand it on" {
	play <<-EOF
		easy a
		set a FOLLOWLOCATION 1
		set a REDIR_PROTOCOLS_STR all
		set a URL $SANDBOX_API/redirect?to=imap://127.0.0.1:1/
		perform a
	EOF
	assert_output --partial 'Protocol "imap" not supported or disabled'
}

# Multi handles ----------------------------------------------------------------------------------

@test "multi: driven by perform or by events, added again, left unread" {
	play <<-EOF
		multi m
		easy a
		set a URL $API/1
		add m a
		run m
		remove m a
		set a URL $API/2
		add m a
		events m
		remove m a
		set a URL $BYSTANDER/3
		add m a
		spin m
		remove m a
		set a URL $API/4
		add m a
		spin m
		close m
		set a URL $BYSTANDER/5
		perform a
	EOF
	carried /echo/{1,2,4}
	bare /3 /5
}

@test "multi: a transfer whose URL is changed after it was added goes by the new URL" {
	play <<-EOF
		multi m
		easy a
		set a URL $API/1
		add m a
		set a URL $BYSTANDER/2
		easy b
		add m b
		set b URL $API/3
		easy c
		curlu c $API/4
		add m c
		curlu c $BYSTANDER/5
		run m
	EOF
	assert_equal "$(sort <<<"$output")" $'a: 0 200\nb: 0 200\nc: 0 200'
	carried /echo/3
	bare /2 /5
	unsent /echo/1
	unsent /echo/4
}

@test "multi: a waiting transfer whose URL is changed while others run loses the token" {
	play <<-EOF
		multi m
		multi-set m MAX_TOTAL_CONNECTIONS 1
		easy a
		set a URL $API/1
		easy b
		set b URL $API/2
		easy c
		curlu c $API/3
		add m a
		add m b
		add m c
		step m
		set b URL $BYSTANDER/4
		curlu c $BYSTANDER/5
		run m
	EOF
	carried /echo/1
	refute_contains "$(schemes_at /4) $(schemes_at /5)" Bearer
}

@test "multi: a waiting transfer that a setting brings into scope is not sent bare" {
	play <<-EOF
		multi m
		multi-set m MAX_TOTAL_CONNECTIONS 1
		easy a
		set a URL $API/1
		easy b
		set b URL $BYSTANDER/2
		easy c
		set c URL $API/3
		easy d
		set d URL $API/4
		set d XOAUTH2_BEARER own
		add m a
		add m b
		add m c
		add m d
		step m
		set b URL $API/5
		set c URL $BYSTANDER/6
		set c URL $API/7
		set d XOAUTH2_BEARER NULL
		run m
	EOF
	assert_equal "$(sort <<<"$output" | cut -c 1-5)" $'a: 0 \nb: 67\nc: 67\nd: 67'
	carried /echo/1
	unsent /echo/4
	unsent /echo/5
	unsent /echo/7
}

@test "multi: a transfer taken out half way leaves no token behind" {
	play <<-EOF
		multi m
		easy a
		set a URL $API/1
		add m a
		step m
		remove m a
		set a URL $BYSTANDER/2
		perform a
	EOF
	bare /2
}

# The application's own authentication -----------------------------------------------------------

@test "the application's own authentication wins, in all its spellings" {
	local option

	for option in '-u someone:secret' '-u someone:' '-n' '--oauth2-bearer own' \
		'--aws-sigv4 a:b:c' '-H Authorization:own' '-H authorization:' '-H Authorization;'; do
		reset_sandbox
		# shellcheck disable=SC2086
		under curl -sS $option "$SANDBOX_API/open/1"
		assert_equal "$option: $(token_requests)" "$option: 0"
		assert_equal "$(requests 'select(.path == "/open/1") | .token // "none"' |
			grep -cv 'none\|'"$(printf own | sha256sum | cut -c 1-8)")" 0
	done
	under curl -sS "${SANDBOX_API/:\/\//:\/\/someone@}/open/2"
	assert_equal "$(schemes_at /open/2)" Basic
}

@test "habits that are no choice of authentication do not keep the token off" {
	play <<-EOF
		easy a
		set a HTTPAUTH -17
		set a NETRC 1
		set a UNRESTRICTED_AUTH 1
		header a X-Authorization: none
		set a URL $API/1
		perform a
	EOF
	carried /echo/1
}

@test "an Authorization line put into the header list after it was set counts" {
	play <<-EOF
		easy a
		set a URL $SANDBOX_API/open/1
		header a X-One: 1
		perform a
		header a Authorization: Own thing
		perform a
	EOF
	assert_equal "$(schemes_at /open/1)" 'Bearer Own'
}

# What is too exposed ----------------------------------------------------------------------------

@test "https without its checks carries a token to this machine only" {
	local port=${SANDBOX_API##*:}

	under curl -sS -k "$API/1"
	carried /echo/1
	SYPHT_API_BASE_ENDPOINT=https://api.example:$port
	for option in --resolve "api.example:$port:127.0.0.1" --connect-to "::127.0.0.1:$port"; do
		[[ $option == --* ]] || {
			under curl -sS -k "$last" "$option" "https://api.example:$port/open/2"
			assert_status 0
		}
		last=$option
	done
	assert_equal "$(schemes_at /open/2)" '- -'
}

@test "http carries a token to this machine only, and only if nothing else takes it there" {
	local http=${SANDBOX_API_HTTP#http://}

	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	under curl -sS "$SANDBOX_API_HTTP/echo/1"
	carried /echo/1
	for option in "-x $SANDBOX_BYSTANDER_HTTP" "--connect-to ::$http" "--resolve x:1:127.0.0.1"; do
		# shellcheck disable=SC2086
		under curl -sS $option "$SANDBOX_API_HTTP/open/2"
	done
	http_proxy=$SANDBOX_BYSTANDER_HTTP under curl -sS "$SANDBOX_API_HTTP/open/2"
	ALL_PROXY=$SANDBOX_BYSTANDER_HTTP under curl -sS "$SANDBOX_API_HTTP/open/2"
	refute_contains "$(requests)" "\"path\":\"/open/2\",\"status\":200,\"token\":\""
	http_proxy=$SANDBOX_BYSTANDER_HTTP no_proxy=localhost,127.0.0.1 under \
		curl -sS "$SANDBOX_API_HTTP/echo/3"
	carried /echo/3
}

@test "http carries no token where the application chose the name servers" {
	# as with a libcurl that has c-ares: this one refuses the option
	gcc -shared -fPIC -o takes.so -xc - <<-'EOF'
		#define _GNU_SOURCE
		#include <dlfcn.h>
		#include <stdarg.h>
		int curl_easy_setopt(void *easy, int option, ...)
		{
			int (*next)(void *, int, ...) = (int (*)(void *, int, ...))dlsym(RTLD_NEXT, "curl_easy_setopt");
			va_list list;
			void *argument;
			va_start(list, option);
			argument = va_arg(list, void *);
			va_end(list);
			return option == 10211 ? 0 : next(easy, option, argument); /* CURLOPT_DNS_SERVERS */
		}
	EOF
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	try env LD_PRELOAD="$BUILD/libsypht-preload.so $PWD/takes.so" "$BATS_FILE_TMPDIR/scene" <<-EOF
		easy a
		set a URL $SANDBOX_API_HTTP/echo/1
		perform a
		set a DNS_SERVERS 127.0.0.1
		set a URL $SANDBOX_API_HTTP/open/2
		perform a
	EOF
	carried /echo/1
	bare /open/2
}

# No token ---------------------------------------------------------------------------------------

@test "no token: curl exits 67 with the reason, and no request reaches the API" {
	SYPHT_API_KEY=$(client_id):wrong under curl -sS "$API/1" -w '%{http_code}'
	assert_status 67
	assert_equal "$output" 000
	assert_contains "$stderr" "curl: (67) sypht: $SANDBOX_TOKEN_URL: invalid_client"
	SYPHT_API_KEY=$(client_id):wrong under curl -sSZ --no-progress-meter "$API/1" "$BYSTANDER/2"
	assert_status 67
	assert_contains "$stderr" "curl: (67) sypht: $SANDBOX_TOKEN_URL: invalid_client"
	unsent /echo/1
	bare /2
}

@test "no token: a doomed transfer is not tried again, and its handle is as good as new" {
	export SYPHT_API_KEY
	SYPHT_API_KEY=$(client_id):wrong

	under curl -sS --retry 2 --retry-delay 1 "$API/1"
	assert_status 67
	play <<-EOF
		easy a
		set a URL $BYSTANDER/0
		perform a
		set a PROTOCOLS_STR https
		set a URL $API/1
		perform a
		set a URL $BYSTANDER/2
		perform a
		set a URL $SANDBOX_BYSTANDER_HTTP/3
		perform a
		set a PROTOCOLS 3
		set a URL $API/1
		perform a
		set a URL $SANDBOX_BYSTANDER_HTTP/4
		perform a
		reset a
		set a URL $API/1
		multi m
		add m a
		dup a b
		run m
		remove m a
		set b URL $BYSTANDER/5
		add m b
		run m
	EOF
	assert_line --index 0 'a: 0 200'
	assert_line --index 1 --regexp '^a: 67 0 sypht: .*invalid_client'
	assert_line --index 2 'a: 0 200'
	assert_line --index 3 --regexp '^a: 1 0 '
	assert_line --index 4 --regexp '^a: 67 0 sypht: .*invalid_client'
	assert_line --index 5 'a: 0 200'
	assert_line --index 6 --regexp '^a: 67 0 sypht: .*invalid_client'
	assert_line --index 7 'b: 0 200'
	bare /0 /2 /4 /5
	unsent /echo/1
}

@test "no token: SYPHT_ON_FAILURE=pass sends the request bare" {
	SYPHT_ON_FAILURE=pass SYPHT_API_KEY=$(client_id):wrong under curl -sS "$SANDBOX_API/open/1"
	assert_status 0
	bare /open/1
}

@test "no token: a config that cannot be read dooms what it would have covered, and nothing else" {
	mkdir -p "$XDG_CONFIG_HOME/sypht"
	printf '[profile one]\norigin = %s\nnonsense\n' "$BYSTANDER" >"$XDG_CONFIG_HOME/sypht/config"
	under curl -sS "$API/1"
	assert_status 67
	assert_contains "$stderr" "$XDG_CONFIG_HOME/sypht/config"
	under curl -sS "$SANDBOX_BYSTANDER_HTTP/2"
	assert_status 0
	unsent /echo/1
	bare /2
}

@test "no token: a profile that does not exist dooms what the others cover" {
	SYPHT_PROFILE=nobody under curl -sS "$API/1"
	assert_status 67
	assert_contains "$stderr" "nobody"
	unsent /echo/1
}

@test "no token: a helper that is missing is named" {
	SYPHT_CREDENTIAL=/nowhere/sypht-credential under curl -sS "$API/1"
	assert_status 67
	assert_contains "$stderr" /nowhere/sypht-credential
}

@test "no token: threads that fail together ask once" {
	SYPHT_API_KEY=$(client_id):wrong under "$BATS_FILE_TMPDIR/threads" "$API/1" 8 4
	assert_status 1
	assert_equal "$(token_requests)" 1
	unsent /echo/1
}

# Threads and forks ------------------------------------------------------------------------------

@test "threads: sixteen that start cold make one token request" {
	under "$BATS_FILE_TMPDIR/threads" "$API/1" 16 4
	assert_equal "$output" '0 failures'
	assert_equal "$(token_requests)" 1
}

@test "threads: children forked from among them are authorised too" {
	# without TLS: a child does not get OpenSSL's locks back from threads that it does not have
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	under "$BATS_FILE_TMPDIR/threads" "$SANDBOX_API_HTTP/echo" 6 5 fork
	assert_equal "$output" '0 failures'
	assert_equal "$(token_requests)" 1
}

# How libcurl came to be there -------------------------------------------------------------------

@test "loading: modules of every flavour, loaded in every way, each served by its own libcurl" {
	cd "$BATS_FILE_TMPDIR"
	load_as local ./openssl.so "$API/1" local ./gnutls.so "$API/2" global ./nss.so "$API/3" \
		local ./unlinked.so "$API/4" deep ./gnutls.so "$API/5"
	assert_equal "$output" $'200\n200\n200\n200\n200'
	carried /echo/{1,2,3,4,5}

	# what they say of a certificate that is not trusted tells which one is at work
	export CURL_CA_BUNDLE=/etc/hostname
	local alone
	alone=$(./load local ./gnutls.so "$API/1" local ./openssl.so "$API/1" deep ./nss.so "$API/1")
	load_as local ./gnutls.so "$API/1" local ./openssl.so "$API/1" deep ./nss.so "$API/1"
	assert_equal "$output" "$alone"
}

@test "loading: RTLD_DEEPBIND does not hide libcurl from the plugin" {
	cd "$BATS_FILE_TMPDIR"
	load_as deep ./openssl.so "$API/1"
	carried /echo/1
}

@test "loading: libcurl called by a function that is called by somebody else" {
	cd "$BATS_FILE_TMPDIR"
	load_as tail ./gnutls.so "$API/1" tail ./openssl.so "$API/2"
	assert_equal "$output" $'200\n200'
	carried /echo/1 /echo/2
}

@test "loading: libcurl called by handle or by default, as foreign function interfaces do" {
	load_as dlsym "$(flavour -gnutls)" "$API/1" dlsym "$(flavour '')" "$API/2" \
		default "$(flavour -nss)" "$API/3"
	assert_equal "$output" $'200\n200\n200'
	carried /echo/1 /echo/2 /echo/3
}

@test "loading: modules that come and go" {
	cd "$BATS_FILE_TMPDIR"
	load_as again ./gnutls.so "$API/1" again ./openssl.so "$API/1"
	assert_equal "$(sort <<<"$output" | uniq -c | tr -s ' ')" ' 10 200'
	assert_equal "$(schemes_at /echo/1 | tr ' ' '\n' | sort | uniq -c | tr -s ' ')" ' 10 Bearer'
}

@test "loading: a program that looks whether there is a libcurl is told the truth" {
	load_as absent - - weak - -
	assert_status 0
	assert_equal "$output" $'absent\nabsent'
}

@test "redirects: a libcurl that may take a token past one gets none where it follows them" {
	python3 - "$(flavour '')" libcurl.so.4 <<-'EOF'
		import struct, sys
		code = open(sys.argv[1], 'rb').read()
		import re
		number = struct.pack('<I', 0x075801)
		assert code.count(number) >= 1
		open(sys.argv[2], 'wb').write(code.replace(number, struct.pack('<I', 0x075200)))
	EOF
	export LD_LIBRARY_PATH=$PWD SYPHT_TRACE=1
	under curl -sSL "$API/1"
	assert_contains "$stderr" 'left alone: this libcurl may take a token past a redirect'
	under curl -sS "$API/2"
	bare /echo/1
	carried /echo/2
}

@test "loading: whose RUNPATH applies does not change" {
	mkdir -p deep/er
	gcc -shared -fPIC -o deep/er/libinner.so -xc - <<<'int inner(void) { return 42; }'
	gcc -shared -fPIC -o deep/libouter.so -Wl,-rpath,"\$ORIGIN/er" -xc - <<-EOF
		#include <dlfcn.h>
		int outer(void) { return dlopen("libinner.so", RTLD_NOW | RTLD_DEEPBIND) != 0; }
	EOF
	gcc -o program -Wl,-rpath,"\$ORIGIN/deep" -xc - -Ldeep -louter <<-EOF
		extern int outer(void);
		int main(void) { return outer() ? 0 : 1; }
	EOF
	under ./program
	assert_status 0
}

@test "loading: another preload library's hooks are still called, before ours or behind" {
	local ours=$BUILD/libsypht-preload.so theirs=$BATS_FILE_TMPDIR/other.so order

	for order in "$ours $theirs" "$theirs $ours"; do
		try env LD_PRELOAD="$order" curl -sS "$API/1"
		assert_status 0
		assert_equal "$stderr" $'URL\nperform'
		LD_PRELOAD=$order try "$BATS_FILE_TMPDIR/load" local "$BATS_FILE_TMPDIR/openssl.so" "$API/1"
	done
}

# Discretion -------------------------------------------------------------------------------------

@test "discretion: SYPHT_TRACE tells what was decided, and no token" {
	SYPHT_TRACE=$TMPDIR/trace under curl -sS "$API/1" "$BYSTANDER/2"
	try cat "$TMPDIR/trace"
	assert_output --regexp "request to $SANDBOX_API: carries token [0-9a-f]{8} of profile sypht"
	assert_output --partial 'left alone: not in scope'
	refute_contains "$output" "$(sed -n 's/^credential=//p' "$XDG_CACHE_HOME"/sypht/* | head -n 1)x"
}

@test "discretion: a set-uid program is left alone" {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can make set-uid programs of others'
	install -m 4755 -o nobody "$BATS_FILE_TMPDIR/scene" /var/tmp/sypht-test-scene
	try env LD_PRELOAD="$BUILD/libsypht-preload.so" /var/tmp/sypht-test-scene <<-EOF
		easy a
		set a URL $SANDBOX_API/open/1
		perform a
	EOF
	rm -f /var/tmp/sypht-test-scene
	assert_equal "$(token_requests)" 0
}
