#!/usr/bin/env bats
# scripts/setup where it cannot install: on other systems, and without root. The machine is faked
# by a PATH with few programs.

load ../lib/suite

setup() {
	local name

	seal
	mkdir bin
	for name in bash env awk sed sort tr cat grep cmp dirname uname id head make; do
		ln -s "$(command -v "$name")" bin
	done
}

# program NAME <<<script: a stand-in.
program() {
	{ echo '#!/bin/bash' && cat; } >"bin/$1"
	chmod +x "bin/$1"
}

# set_up_on ID [ID_LIKE]: what setup says there of the purpose build.
set_up_on() {
	printf 'ID=%s\nID_LIKE="%s"\n' "$1" "${2:-}" >os-release
	try env PATH="$PWD/bin" SETUP_OS_RELEASE="$PWD/os-release" "$ROOT/scripts/setup" build
	assert_status 1
	assert_contains "$stderr" 'no apt-get here'
}

@test "setup: on Fedora and its kind, prints their package names and what works" {
	local system
	for system in fedora 'rocky rhel centos fedora'; do
		# shellcheck disable=SC2086
		set_up_on ${system/ /$'\t'}
		assert_contains "$output" 'dnf install gcc make inih-devel libcurl-devel'
		assert_contains "$output" 'should build and run here'
	done
}

@test "setup: on Arch, prints its package names and what works" {
	set_up_on arch
	assert_contains "$output" 'pacman -S --needed gcc make libinih'
	assert_contains "$output" 'should build and run here'
}

@test "setup: on Alpine, says that musl will do, and what was tested" {
	set_up_on alpine
	assert_contains "$output" 'works with musl'
	assert_contains "$output" 'tested on Debian only'
	assert_contains "$output" 'apk add gcc make musl-dev'
}

@test "setup: on macOS, says that it needs Linux" {
	rm bin/uname
	program uname <<<'echo Darwin'
	set_up_on irrelevant
	assert_contains "$output" 'need Linux'
	refute_contains "$output" 'install '
}

@test "setup: without root and sudo, prints the line to hand on, and installs nothing" {
	rm bin/id
	program id <<<'echo 1000'
	program dpkg-query </dev/null
	program apt-get <<<"touch $PWD/installed"
	try env PATH="$PWD/bin" "$ROOT/scripts/setup" build
	assert_status 1
	assert_contains "$stderr" 'apt-get install -y --no-install-recommends gcc make libc6-dev'
	assert_file_not_exist installed
}

@test "setup: says beforehand how many packages it installs, and how much it fetches" {
	rm bin/id
	program id <<<'echo 0'
	program dpkg-query </dev/null
	program apt-get <<-'END'
		case "$*" in
		*--print-uris*) echo "'http://mirror.example/a.deb' a.deb 2500000 SHA256:0" ;;
		'-s install'*) printf 'Inst a\nInst b\nInst c\nConf a\n' ;;
		*) echo "$*" >>"$HOME/asked" ;;
		esac
	END
	try env PATH="$PWD/bin" "$ROOT/scripts/setup" build
	assert_status 0
	assert_contains "$output" 'installing 3 packages with all that they depend on, 2 MB to fetch'
	assert_contains "$(cat "$HOME/asked")" 'install -y --no-install-recommends gcc make'
}

@test "setup: a purpose that it does not know is refused with those it knows" {
	try "$ROOT/scripts/setup" nonsense
	assert_status 1
	assert_contains "$stderr" 'no such purpose: nonsense'
	assert_contains "$stderr" build
}
