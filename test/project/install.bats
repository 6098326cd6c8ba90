#!/usr/bin/env bats
# make install and make uninstall, into a directory of the test's own.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	sypht_env
	STAGE=$BATS_TEST_TMPDIR/stage
	# nothing of the tree may lend a hand
	PATH=${PATH#"$BUILD:"}
	ASKED=$SANDBOX_API/app/company/byclientid/$SANDBOX_CLIENT_ID
}

# install_with TARGET [VARIABLE=VALUE…]: what is built counts as up to date.
install_with() {
	try make --no-print-directory -s -C "$ROOT" -o all "$1" BUILD="$BUILD" DESTDIR="$STAGE" "${@:2}"
	[ "$status" = 0 ] || return "$status"
}

# assert_works BINDIR: each part finds the next from there.
assert_works() {
	try "$1/sypht-run" curl -fsS "$ASKED"
	assert_status 0
	assert_contains "$output" "$SANDBOX_CLIENT_ID"
	try "$1/sypht-credential" status --json
	assert_status 0
	try "$1/docker-credential-sypht" version
	assert_contains "$output" docker-credential-sypht
	assert_equal "$("$1/git-credential-sypht" capability | head -n 1)" 'version 0'
}

@test "install: everything works from any prefix, without variables, and after a move" {
	install_with install PREFIX=/opt/x
	assert_works "$STAGE/opt/x/bin"
	mv "$STAGE/opt/x" "$STAGE/elsewhere"
	rm -r "$XDG_CACHE_HOME/sypht"
	assert_works "$STAGE/elsewhere/bin"
}

@test "install: a link elsewhere to a program finds its parts too" {
	install_with install PREFIX=/opt/x
	ln -s "$STAGE/opt/x/bin/sypht-run" "$STAGE/opt/x/bin/sypht-credential" .
	try ./sypht-run curl -fsS "$ASKED"
	assert_status 0
	try ./sypht-credential token
	assert_status 0
}

@test "install: LIBDIR may be lib, lib64 or the machine's own place" {
	local directory
	for directory in lib lib64 "lib/$(${CC:-cc} -print-multiarch)"; do
		rm -rf "$STAGE" "$XDG_CACHE_HOME/sypht"
		install_with install PREFIX=/usr LIBDIR="/usr/$directory"
		assert_file_exist "$STAGE/usr/$directory/sypht/libsypht-preload.so"
		assert_works "$STAGE/usr/bin"
	done
}

@test "install: a place where the programs would not find each other is refused" {
	run -2 make -s -C "$ROOT" -o all install BUILD="$BUILD" DESTDIR="$STAGE" LIBDIR=/srv/parts
	assert_contains "$output" 'not in one of'
	assert_not_exist "$STAGE"
}

@test "install: whoever is not root can use it" {
	install_with install
	assert_equal "$(find "$STAGE" -type f ! -perm -444)" ''
	assert_equal "$(find "$STAGE" -type d ! -perm -555)" ''
	assert_equal "$(find "$STAGE" \( -perm -4000 -o -perm -2000 \) -type f)" ''
	assert_equal "$(find "$STAGE" -type f -perm -020)" ''
}

@test "install: man pages are found, under the names of the links as well" {
	install_with install
	for page in 1/sypht-credential.1 1/git-credential-sypht.1 1/docker-credential-sypht.1 \
		1/sypht-run.1 5/sypht-config.5 7/sypht-preload.7 7/sypht-tutorial.7; do
		mandoc -T markdown "$STAGE/usr/local/share/man/man$page" | grep -q '^# DESCRIPTION' ||
			fail "no page: $page"
	done
}

@test "uninstall: nothing is left behind, not even a prefix of its own" {
	mkdir -p "$STAGE/opt"
	install_with install PREFIX=/opt/x
	install_with uninstall PREFIX=/opt/x
	assert_equal "$(find "$STAGE/opt")" "$STAGE/opt"
}

@test "uninstall: what others have put there stays" {
	mkdir -p "$STAGE/opt/x/bin" "$STAGE/opt/x/lib/sypht"
	touch "$STAGE/opt/x/bin/theirs" "$STAGE/opt/x/lib/sypht/theirs"
	install_with install PREFIX=/opt/x
	install_with uninstall PREFIX=/opt/x
	assert_equal "$(cd "$STAGE/opt" && find . -type f | sort)" $'./x/bin/theirs\n./x/lib/sypht/theirs'
}

@test "uninstall: the directories of /usr/local stay, as they belong to the system" {
	install_with install
	install_with uninstall
	assert_equal "$(find "$STAGE" ! -type d)" ''
	assert_dir_exist "$STAGE/usr/local/bin"
	assert_dir_not_exist "$STAGE/usr/local/lib/sypht"
	assert_dir_not_exist "$STAGE/usr/local/share/doc/sypht-credential"
}

@test "uninstall: a slash at the end of PREFIX changes nothing" {
	local prefix
	for prefix in /usr/local/ /usr/local// //usr/local /usr/share/../local; do
		rm -rf "$STAGE"
		install_with install PREFIX="$prefix"
		assert_file_exist "$STAGE/usr/local/bin/sypht-run"
		install_with uninstall PREFIX="$prefix"
		assert_equal "$(find "$STAGE" ! -type d)" ''
		assert_dir_exist "$STAGE/usr/local/bin"
		assert_dir_not_exist "$STAGE/usr/local/lib/sypht"
	done
}

@test "uninstall: the directories of /opt and of ~/.local stay too" {
	local prefix
	for prefix in /opt "$HOME/.local"; do
		install_with install PREFIX="$prefix"
		install_with uninstall PREFIX="$prefix"
		assert_dir_exist "$STAGE$prefix/bin"
		assert_dir_not_exist "$STAGE$prefix/lib/sypht"
	done
}

@test "uninstall: without the headers of a shared store, sypht-fleet is removed all the same" {
	install_with install PREFIX=/opt/x
	assert_file_exist "$STAGE/opt/x/lib/sypht/sypht-fleet"
	install_with uninstall PREFIX=/opt/x STORE=
	assert_not_exist "$STAGE/opt/x"
}

@test "uninstall: a second time there is nothing to do, and nothing to complain about" {
	install_with install PREFIX=/opt/x
	install_with uninstall PREFIX=/opt/x
	install_with uninstall PREFIX=/opt/x
	assert_empty "$stderr"
}

@test "install: a prefix with a blank is refused before anything is written" {
	run -2 make -s -C "$ROOT" -o all install BUILD="$BUILD" DESTDIR="$STAGE" PREFIX='/opt/my software'
	assert_contains "$output" 'PREFIX is "/opt/my software"'
	assert_not_exist "$STAGE"
}

@test "build: a checkout path with a blank or a colon is refused with its reason" {
	local path
	for path in 'my source' my:source; do
		mkdir "$path"
		cp "$ROOT/Makefile" "$path"
		run -2 make -C "$path"
		assert_contains "$output" "$PWD/$path"
		assert_contains "$output" 'a blank or a colon'
		assert_equal "$(ls "$path")" Makefile
	done
}

@test "build: what is missing is named before anything is compiled" {
	run -2 make -C "$ROOT" -j 2 BUILD="$PWD/build" NEEDED='ini.h no/such.h nor/this.h'
	assert_contains "$output" 'not found: no/such.h nor/this.h; install what the build needs: scripts/setup build'
	refute_contains "$output" ' CC '
	run -2 make -C "$ROOT" BUILD="$PWD/build" CC=no-such-cc STATIC_CC=no-such-cc
	assert_contains "$output" 'not found: no-such-cc; '
}
