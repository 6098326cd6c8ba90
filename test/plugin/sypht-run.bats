#!/usr/bin/env bats
# sypht-run: what it makes of commands before it runs them, and how it runs them.

load ../lib/suite

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	echo '#include <stdio.h>
		#include <unistd.h>
		int main(int argc, char **argv) { if (argc > 9) execv(argv[1], argv); puts("ran"); return 5; }' >sample.c
	${CC:-cc} -o dynamic sample.c
	${CC:-cc} -static -o static sample.c
}

setup() {
	seal
	LIBRARY=$BUILD/libsypht-preload.so
	dynamic=$BATS_FILE_TMPDIR/dynamic
	static=$BATS_FILE_TMPDIR/static
}

# An executable script with these lines.
script() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$name"
	chmod +x "$name"
}

# check COMMAND: and it works.
check() {
	try sypht-run --check "$@"
	assert_status 0
	assert_empty "$stderr"
}

# loads COMMAND: the plugin, but no libcurl is linked.
loads() {
	try sypht-run --check "$@"
	assert_status 3
	assert_empty "$stderr"
}

# refuses REASON COMMAND
refuses() {
	try sypht-run --check "$2"
	assert_status 1
	assert_empty "$stderr"
	assert_line --partial "$1"
}

# not_found COMMAND: 127 and one line.
not_found() {
	run -127 --separate-stderr sypht-run "$1"
	assert_empty "$output"
	assert_equal "$stderr" "sypht-run: ${2:-$1}: No such file or directory"
}

# warns REASON COMMAND: in one line, then runs it all the same.
warns() {
	try sypht-run "$2"
	assert_status 5
	assert_output ran
	assert_equal "$stderr" "sypht-run: the plugin cannot work in $2: $1"
}

# Running ----------------------------------------------------------------------------------------

@test "sypht-run: runs the command with the plugin, its arguments untouched, and says nothing" {
	# shellcheck disable=SC2016
	try sypht-run sh -c 'printf "%s\n" "$LD_PRELOAD" "$0" "$@"; exit 9' 'a b' --check '' '*'
	assert_status 9
	assert_equal "$output" "$LIBRARY"$'\na b\n--check\n\n*'
	assert_empty "$stderr"
}

@test "sypht-run: streams pass through" {
	try sypht-run cat <<<'from here'
	assert_output 'from here'
}

@test "sypht-run: what LD_PRELOAD held stays, behind the plugin" {
	# shellcheck disable=SC2016
	LD_PRELOAD='libm.so.6 libdl.so.2' try sypht-run sh -c 'echo "$LD_PRELOAD"'
	assert_output "$LIBRARY:libm.so.6 libdl.so.2"
}

@test "sypht-run: nested, it does not list the plugin twice" {
	# shellcheck disable=SC2016
	try sypht-run sypht-run sh -c 'sypht-run sh -c "echo \$LD_PRELOAD"'
	assert_output "$LIBRARY"
	assert_empty "$stderr"
	# shellcheck disable=SC2016
	LD_PRELOAD="libm.so.6:$LIBRARY" try sypht-run sh -c 'echo "$LD_PRELOAD"'
	assert_output "libm.so.6:$LIBRARY"
}

@test "sypht-run: finds commands as execvp does" {
	mkdir one two
	script one/tool 'not executable'
	chmod -x one/tool
	mkdir one/dir-tool
	script two/tool '#!/bin/sh' 'echo found'
	script two/dir-tool '#!/bin/sh' 'echo found too'
	PATH=one:two:$PATH try sypht-run tool
	assert_output found
	PATH=one:two:$PATH try sypht-run dir-tool
	assert_output 'found too'
	cd two
	PATH=$PATH: try sypht-run tool
	assert_output found
	try sypht-run ./tool
	assert_output found
}

@test "sypht-run: a script without a first line is run by the shell" {
	script plain 'echo "plain $*"'
	try sypht-run ./plain with arguments
	assert_output 'plain with arguments'
	assert_empty "$stderr"
}

@test "sypht-run: a command that is nowhere: 127 and one line" {
	not_found no-such-command
	not_found ./no-such-file
	not_found ''
}

@test "sypht-run: a command that may not be executed: 126 and one line" {
	echo data >file
	try sypht-run ./file
	assert_status 126
	assert_equal "$stderr" 'sypht-run: ./file: Permission denied'
	try sypht-run /
	assert_status 126
	try env PATH=. "$BUILD/sypht-run" file
	assert_status 126
}

@test "sypht-run: a script whose interpreter is missing: 127 and one line" {
	script orphan '#!/no/such/interpreter'
	not_found ./orphan
}

@test "sypht-run: control characters in a name do not reach the terminal" {
	not_found $'no\e[31m\nsuch' 'no?[31m?such'
}

@test "sypht-run: --profile and --trace are for the command, options end at its name or --" {
	# shellcheck disable=SC2016
	try sypht-run --profile work --trace -- sh -c 'echo "$SYPHT_PROFILE $SYPHT_TRACE $*"' x --profile y
	assert_output 'work 1 --profile y'
	try sypht-run --profile=home env
	assert_line SYPHT_PROFILE=home
}

@test "sypht-run: wrong usage: 2, and nothing is run" {
	local arguments

	for arguments in '' '--nonsense true' '--profile' '--env true' '--check' '--env --check'; do
		# shellcheck disable=SC2086
		try sypht-run $arguments
		assert_status 2
		assert_empty "$output"
		assert_contains "$stderr" sypht-run
	done
}

@test "sypht-run: a mistyped option is told, with the one that was meant" {
	try sypht-run --chek true
	assert_status 2
	assert_empty "$output"
	assert_equal "$stderr" 'sypht-run: --chek: no such option; did you mean --check?'
}

@test "sypht-run: a variable that is not valid is warned of, and the command runs all the same" {
	SYPHT_TIMEOUT=5m SYPHT_ON_FAILURE=ignore SYPHT_TRACE=yes SYPHT_CREDENTIAL=helper try sypht-run echo ran
	assert_status 0
	assert_output ran
	assert_equal "$(grep -c '^sypht-run: warning: SYPHT_' <<<"$stderr")" 4
	assert_contains "$stderr" "SYPHT_TIMEOUT is '5m', not a whole number of seconds from 1 to 3600; using 30"
	SYPHT_TIMEOUT=5 SYPHT_ON_FAILURE=pass SYPHT_TRACE=$PWD/trace SYPHT_CREDENTIAL=/helper try sypht-run echo ran
	assert_empty "$stderr"
}

@test "sypht-run: a trace that cannot be written is warned of" {
	local path
	mkdir here
	ln -s /dev/stderr link
	for path in "$PWD/there/trace" "$PWD/here" "$PWD/link"; do
		SYPHT_TRACE=$path try sypht-run echo ran
		assert_output ran
		assert_contains "$stderr" "SYPHT_TRACE is '$path', neither 1 nor the absolute path of a file to write"
	done
}

@test "sypht-run: --version and --help" {
	try sypht-run --version
	assert_output --regexp '^sypht-run [0-9]+\.[0-9]+\.[0-9]+$'
	try sypht-run --help
	assert_status 0
	assert_line --partial 'usage: sypht-run [OPTION…] COMMAND [ARGUMENT…]'
}

@test "sypht-run: a full disk under its answer is a failure" {
	try bash -c 'sypht-run --help >/dev/full'
	assert_status 125
	assert_contains "$stderr" 'stdout: '
}

@test "sypht-run: --env prints a line to eval, after which all that is run is run so" {
	try sypht-run --env --trace --profile "it's"
	assert_equal "$output" "export LD_PRELOAD='$LIBRARY' SYPHT_PROFILE='it'\\''s' SYPHT_TRACE='1'"
	# shellcheck disable=SC2016
	LD_PRELOAD=libm.so.6 try sh -c 'eval "$(sypht-run --env --profile "it'\''s")"; env'
	assert_line "LD_PRELOAD=$LIBRARY:libm.so.6"
	assert_line "SYPHT_PROFILE=it's"
}

# Where the library is -------------------------------------------------------------------------------

# tree DIRECTORY: an installation whose library stands there.
tree() {
	mkdir -p 'here/bin' "here/$1"
	cp "$BUILD/sypht-run" here/bin
	cp "$LIBRARY" "here/$1"
}

@test "sypht-run: finds the plugin where it is installed, also through a link" {
	local directory

	for directory in lib/sypht lib64/sypht lib lib64 bin; do
		tree "$directory"
		try here/bin/sypht-run printenv LD_PRELOAD
		assert_output "$PWD/here/$directory/libsypht-preload.so"
		ln -s here/bin/sypht-run linked
		try ./linked printenv LD_PRELOAD
		assert_output "$PWD/here/$directory/libsypht-preload.so"
		rm -r here linked
	done
}

@test "sypht-run: without the plugin: 125 and one line" {
	cp "$BUILD/sypht-run" .
	try ./sypht-run true
	assert_status 125
	assert_equal "$stderr" \
		"sypht-run: libsypht-preload.so is missing in $PWD/ and in ../lib/sypht; install again"
}

@test "sypht-run: a plugin whose path LD_PRELOAD cannot hold is refused: 125 and one line" {
	local name

	for name in 'with space' 'with:colon'; do
		mkdir "$name"
		cp "$BUILD/sypht-run" "$LIBRARY" "$name"
		try "$name/sypht-run" true
		assert_status 125
		assert_contains "$stderr" 'LD_PRELOAD cannot name a path with a space or colon'
		try "$name/sypht-run" --check true
		assert_status 1
	done
}

# Where it works -------------------------------------------------------------------------------------

@test "sypht-run --check: names libcurl and its flavour" {
	check curl
	assert_line --regexp '^it uses /.*/libcurl\.so\.4 \(CURL_OPENSSL_4\)$'
	assert_line 'the plugin works in /usr/bin/curl'
	check "$(git --exec-path)/git-remote-https"
	assert_line --regexp '^it uses /.*/libcurl-gnutls\.so\.4 \(CURL_GNUTLS_[34]\)$'
}

@test "sypht-run --check: arguments of the command do not disturb" {
	check curl --fail https://api.sypht.com/
	assert_line 'the plugin works in /usr/bin/curl'
}

# may_work COMMAND PROGRAM: only running it would show.
may_work() {
	loads "$1"
	assert_line "the plugin loads in $2, but no libcurl is linked: it loads libcurl later, if at all, or starts programs that do"
	refute_line --partial 'the plugin works'
}

# without_libcurl COMMAND: the plugin would be idle in it.
without_libcurl() {
	loads "$1"
	assert_output --regexp "^the plugin loads in .*$1, but no libcurl is linked\$"
}

@test "sypht-run --check: a program that can load libraries, or start programs, may get at a libcurl" {
	may_work "$dynamic" "$dynamic"
	may_work node "$(command -v node)"
	may_work /usr/bin/python3 /usr/bin/python3
	may_work sh "$(command -v sh)"
}

@test "sypht-run --check: a program that can do neither is none for the plugin" {
	without_libcurl true
	without_libcurl ls
}

@test "sypht-run --check: a program whose library can load others may get at a libcurl" {
	echo '#include <dlfcn.h>
		void *load(void) { return dlopen("libcurl.so.4", RTLD_NOW); }' >loading.c
	${CC:-cc} -shared -fPIC -o libloading.so loading.c
	echo 'int main(void) { return 0; }' >needs.c
	${CC:-cc} -o needs needs.c -Wl,--no-as-needed ./libloading.so
	may_work ./needs ./needs
}

@test "sypht-run --check: a program that names user and password is told to have its own way" {
	check curl
	assert_line 'where it names a user and password, its own authentication wins'
	check cmake
	assert_line --partial 'the plugin works in'
}

@test "sypht-run --check: Go programs speak HTTP by themselves" {
	printf '\n\xff Go buildinf:\x08\x02' >>go-program
	cat "$dynamic" go-program >with-go
	chmod +x with-go
	refuses 'it is written in Go, and speaks HTTP by itself' ./with-go
}

# library NAME SONAME [OPTION…]: a shared library that needs what the options say.
library() {
	local path=$1 name=$2
	shift 2
	echo 'int nothing;' >library.c
	mkdir -p "$(dirname "$path")"
	${CC:-cc} -shared -fPIC -Wl,--no-as-needed -Wl,-soname,"$name" -o "$path" library.c "$@"
}

@test "sypht-run --check: finds libcurl behind other libraries, by RUNPATH, RPATH and LD_LIBRARY_PATH" {
	# shellcheck disable=SC2016
	local origin='$ORIGIN' tags

	library lib/libcurl.so.9 libcurl.so.9
	library lib/inner/libinner.so libinner.so "-Wl,-rpath,$origin/.." "$PWD/lib/libcurl.so.9"
	for tags in enable disable; do
		${CC:-cc} -o tool "$BATS_FILE_TMPDIR/sample.c" -Wl,--no-as-needed \
			"-Wl,--$tags-new-dtags,-rpath,/nowhere:\${ORIGIN}/lib/inner" lib/inner/libinner.so
		check ./tool
		assert_line --regexp '^it uses .*/lib/inner/\.\./libcurl\.so\.9 \(no symbol versions\)$'
	done
	${CC:-cc} -o tool "$BATS_FILE_TMPDIR/sample.c" -Wl,--no-as-needed -Wl,-rpath-link,lib \
		lib/inner/libinner.so
	loads ./tool
	refute_line --partial 'it uses'
	LD_LIBRARY_PATH=$PWD/lib/inner check ./tool
	assert_line --partial 'it uses'
}

@test "sypht-run --check: agrees with the loader about every library that curl, git and cmake need" {
	local command theirs

	for command in curl "$(git --exec-path)/git-remote-https" cmake; do
		command -v "$command" || continue
		theirs=$(ldd "$(command -v "$command")" | sed -n 's/.*=> \(.*libcurl[^ ]*\) .*/\1/p' | sort)
		check "$command"
		assert_equal "$(sed -n 's/^it uses \([^ ]*\) .*/\1/p' <<<"$output" | sort)" "$theirs"
	done
}

@test "sypht-run --check: follows scripts to their interpreter" {
	script one "#!$dynamic"
	may_work ./one "$dynamic"
	assert_line "./one is a script for $dynamic"

	script two '#! ./one  some argument'
	loads ./two
	assert_line './two is a script for ./one'
	assert_line --partial "the plugin loads in $dynamic"

	script plain 'echo hello'
	loads ./plain
	assert_line './plain is a script for /bin/sh'
}

@test "sypht-run --check: follows env as well" {
	local line

	cp "$dynamic" interpreter
	for line in '/usr/bin/env interpreter' '/usr/bin/env -S interpreter -x' '/bin/env -Sinterpreter' \
		'/usr/bin/env -S A=b interpreter'; do
		script by-env "#!$line"
		PATH=$PWD:$PATH loads ./by-env
		assert_line "./by-env is a script for $PWD/interpreter"
	done
}

@test "sypht-run --check: the loader, called by hand, is no static program" {
	local loader

	loader=$(readelf -l "$dynamic" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
	may_work "$loader" "$loader"
}

# Where it cannot ------------------------------------------------------------------------------------

@test "sypht-run: a static program is warned of, and refused by --check" {
	refuses 'it is statically linked' "$static"
	warns 'it is statically linked' "$static"
	${CC:-cc} -static-pie -o static-pie "$BATS_FILE_TMPDIR/sample.c"
	refuses 'it is statically linked' ./static-pie
	script by-static "#!$static"
	refuses "the plugin cannot work in $static: it is statically linked" ./by-static
}

@test "sypht-run: a set-uid or set-gid program is warned of, and refused by --check" {
	[ "$(id -u)" = 0 ] || skip_allowed 'only root can make one'
	! findmnt -nT . -o OPTIONS | grep -q nosuid || skip_allowed 'nosuid is mounted here'
	cp "$dynamic" privileged
	chown nobody:nogroup privileged

	chmod u+s privileged
	refuses 'it starts with more privileges' ./privileged
	warns 'it starts with more privileges (set-uid and the like)' ./privileged
	chmod u-s,g+s privileged
	refuses 'it starts with more privileges' ./privileged
}

@test "sypht-run: set-uid that changes nothing is no obstacle" {
	cp "$dynamic" own
	chmod ug+s own
	loads ./own
	[ "$(id -u)" = 0 ] || return 0
	chown nobody own
	chmod u+s own
	try setpriv --no-new-privs sypht-run --check ./own
	assert_status 3
}

@test "sypht-run: file capabilities are an obstacle to all but root" {
	local place

	[ "$(id -u)" = 0 ] || skip_allowed 'only root can give them'
	command -v setcap >/dev/null || skip_allowed 'setcap is not installed'
	place=$(TMPDIR=/tmp mktemp -d)
	cp "$dynamic" "$BUILD/sypht-run" "$LIBRARY" "$place"
	chmod -R a+rX "$place"
	if ! setcap cap_net_raw+ep "$place/dynamic"; then
		rm -r "$place"
		skip_allowed 'no capabilities on this file system'
	fi
	loads "$place/dynamic"
	try setpriv --reuid 65534 --regid 65534 --clear-groups "$place/sypht-run" --check "$place/dynamic"
	rm -r "$place"
	assert_status 1
	assert_line --partial 'it starts with more privileges'
}

@test "sypht-run: a program of musl runs with the plugin" {
	command -v musl-gcc >/dev/null || skip_allowed 'musl is not installed'
	[ "$(getconf LONG_BIT)" = 64 ] || skip_allowed 'musl loads the plugin on 64 bits alone'
	not_under_sanitizers 'their runtime is that of glibc'
	musl-gcc -o with-musl "$BATS_FILE_TMPDIR/sample.c"
	loads ./with-musl
	try sypht-run ./with-musl
	assert_status 5
	assert_output ran
	assert_empty "$stderr"
}

@test "sypht-run: a program of a C library that cannot load the plugin runs without it" {
	local interpreter
	interpreter=$(readelf -p .interp "$dynamic" | grep -oE '/[^ ]+')
	patched "$(grep -abom 1 "$interpreter" "$dynamic" | cut -d : -f 1)" '/ld-uClibc.so.0\0'
	refuses 'its C library cannot load the plugin' ./patched
}

# patched OFFSET BYTES: a copy of the dynamic program with those bytes there.
patched() {
	cp "$dynamic" patched
	# shellcheck disable=SC2059
	printf "$2" | dd of=patched bs=1 seek="$1" conv=notrunc status=none
}

@test "sypht-run: a program for another machine is refused, and the plugin left out" {
	patched 18 '\xf7\x00' # e_machine: BPF, which nothing runs
	refuses 'it is built for another kind of machine' ./patched
	try sypht-run ./patched
	assert_status 126
	assert_contains "$stderr" 'the plugin cannot work in ./patched: it is built for another kind'

	patched 4 '\x03' # a word size of neither 32 nor 64 bits
	refuses 'it is built for another kind of machine' ./patched
}

@test "sypht-run --check: a libcurl built into the program is told" {
	echo '#include <stdio.h>
		int main(void) { puts(TEXT); return 0; }' >carrier.c
	for text in libcurl/8.5.0 libcurl/7.88.1 'A libcurl function was given a bad argument'; do
		${CC:-cc} -DTEXT="\"$text\"" -o carrier carrier.c
		refuses 'its libcurl is built in, out of reach' ./carrier
	done
}

@test "sypht-run --check: what is not there, cannot be run or is no program is refused" {
	refuses 'No such file or directory' ./nothing
	: >empty
	refuses 'Permission denied' ./empty
	chmod +x empty
	refuses 'it is neither an ELF program nor a script' ./empty
	script orphan '#!/no/such/interpreter'
	refuses 'its interpreter cannot be found' ./orphan
	script orphan '#!/usr/bin/env no-such-interpreter'
	refuses 'its interpreter cannot be found' ./orphan
	script orphan '#!'
	refuses 'its interpreter cannot be found' ./orphan
	script loop '#!./loop'
	refuses 'its interpreter cannot be found' ./loop
}

@test "sypht-run --check: malformed programs are refused in good order" {
	local size

	for size in 4 20 51 63 100; do
		head -c "$size" "$dynamic" >short
		chmod +x short
		try sypht-run --check ./short
		assert_equal "$status ${#lines[@]}" '1 1'
	done
	patched 54 '\x01\x00' # e_phentsize
	refuses 'it is neither an ELF program nor a script' ./patched
	patched 56 '\xff\xff' # e_phnum
	refuses 'it is neither an ELF program nor a script' ./patched
	patched 32 '\xff\xff\xff\xff\xff\xff\xff\xff' # e_phoff
	refuses 'it is neither an ELF program nor a script' ./patched
}
