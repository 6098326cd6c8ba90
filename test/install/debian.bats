#!/usr/bin/env bats
# The package, and make install, in a Debian that was made a minute ago: installed, used against the
# sandbox, removed without a trace. As root; make test-install.

# shellcheck disable=SC2016 # what is in single quotes is for other programs

load ../lib/suite

setup_file() {
	[ "$(id -u)" = 0 ] || skip 'needs root, for debootstrap and chroot'
	start_sandbox
	export FRESH=$BATS_FILE_TMPDIR/debian PACKAGE
	PACKAGE=$(compgen -G "$BUILD/sypht-credential_*.deb")
	make_debian >"$BATS_FILE_TMPDIR/debootstrap.log" 2>&1 || {
		tail -n 20 "$BATS_FILE_TMPDIR/debootstrap.log" >&2
		return 1
	}
}

teardown_file() {
	stop_sandbox
	[ -z "${FRESH:-}" ] || ! mountpoint -q "$FRESH/proc" || umount "$FRESH/proc"
}

# Of this machine's release, from where this machine has its packages.
make_debian() {
	local mirror release
	mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
	# shellcheck source=/dev/null
	release=$(. /etc/os-release && printf %s "$VERSION_CODENAME")
	debootstrap --variant=minbase --include=ca-certificates "$release" "$FRESH" ${mirror:+"$mirror"}
	mount -t proc proc "$FRESH/proc"
	cp -L /etc/resolv.conf /etc/hosts "$FRESH/etc/"
	cp "$SANDBOX_CA" "$FRESH/etc/sandbox-ca.pem"
	in_debian apt-get -qq update
	# curl brings libcurl, which the package needs too; the other libraries it must bring itself
	in_debian apt-get -qq install -y --no-install-recommends curl
}

# A command in there, as a service would have it.
in_debian() {
	chroot "$FRESH" env -i DEBIAN_FRONTEND=noninteractive HOME=/root \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		SYPHT_API_KEY="$SANDBOX_CLIENT_ID:$SANDBOX_CLIENT_SECRET" \
		SYPHT_AUTH_ENDPOINT="$SANDBOX_TOKEN_URL" SYPHT_API_BASE_ENDPOINT="$SANDBOX_API" \
		SYPHT_CAINFO=/etc/sandbox-ca.pem CURL_CA_BUNDLE=/etc/sandbox-ca.pem "$@"
}

# All that is there, but for the records of the package manager, and what a user of the programs has.
contents() {
	(cd "$FRESH" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/log \
		-o -path ./var/cache -o -path ./root -o -path ./tmp -o -path ./etc/ld.so.cache \) -prune \
		-o -print | sort)
}

asks_the_api() {
	rm -rf "$FRESH/root/.cache"
	reset_sandbox
	try in_debian "${1}sypht-run" curl -fsS "$SANDBOX_API/app/company/byclientid/$SANDBOX_CLIENT_ID"
	assert_status 0
	assert_contains "$output" "$SANDBOX_CLIENT_ID"
	try in_debian "${1}sypht-run" curl -fsS "$SANDBOX_API/app/company/byclientid/$SANDBOX_CLIENT_ID"
	assert_status 0
	assert_equal "$(token_requests)" 1
}

@test "package: lintian finds no error" {
	try lintian --fail-on error "$PACKAGE"
	assert_status 0
}

@test "package: the same source gives the same bytes" {
	cp "$PACKAGE" first.deb
	"$ROOT/scripts/deb" "$(dpkg-deb -f "$PACKAGE" Version)" "${BUILD#"$ROOT/"}"
	cmp first.deb "$PACKAGE"
}

@test "package: installs in a fresh Debian by the words of README's Dockerfile, works, and goes without a trace" {
	local step

	contents >before
	cp "$PACKAGE" "$FRESH/tmp/"
	step=$(sed -n '/^```dockerfile/,/^```$/s/^RUN //p' "$ROOT/README.md")
	try in_debian sh -c "$step"
	assert_status 0
	asks_the_api ''
	try in_debian sypht-credential status --json
	assert_status 0
	assert_contains "$output" '"profiles"'
	try in_debian git-credential-sypht capability
	assert_contains "$output" 'version 0'
	try in_debian sypht-run --check curl
	assert_status 0
	try in_debian dpkg --verify sypht-credential
	# minbase may leave man pages and documentation out
	assert_equal "$(grep -v ' /usr/share/\(doc\|man\)' <<<"$output")" ''

	try in_debian apt-get -qq purge -y --autoremove sypht-credential
	assert_status 0
	contents >after
	assert_equal "$(diff before after | grep '^[<>]' | grep -v 'libcjson\|libssl')" ''
	in_debian sh -c 'command -v sypht-run' && fail 'it is still there'
	[ ! -e "$FRESH/usr/lib/sypht" ]
}

@test "package: upgrades over itself" {
	cp "$PACKAGE" "$FRESH/tmp/package.deb"
	in_debian apt-get -qq install -y --no-install-recommends /tmp/package.deb >/dev/null
	try in_debian apt-get -qq install -y --reinstall /tmp/package.deb
	assert_status 0
	asks_the_api ''
	in_debian apt-get -qq purge -y sypht-credential >/dev/null
}

@test "make install: with a prefix of its own it works there, and uninstall leaves nothing" {
	in_debian apt-get -qq install -y --no-install-recommends libcjson1 >/dev/null
	contents >before
	make --no-print-directory -s -C "$ROOT" -o all install BUILD="$BUILD" DESTDIR="$FRESH" PREFIX=/opt/x
	asks_the_api /opt/x/bin/
	make --no-print-directory -s -C "$ROOT" -o all uninstall BUILD="$BUILD" DESTDIR="$FRESH" PREFIX=/opt/x
	contents >after
	assert_equal "$(diff before after)" ''
}

@test "make install: into /usr/local as well" {
	in_debian apt-get -qq install -y --no-install-recommends libcjson1 >/dev/null
	make --no-print-directory -s -C "$ROOT" -o all install BUILD="$BUILD" DESTDIR="$FRESH"
	asks_the_api ''
	make --no-print-directory -s -C "$ROOT" -o all uninstall BUILD="$BUILD" DESTDIR="$FRESH"
	assert_equal "$(find "$FRESH/usr/local" -name '*sypht*')" ''
}
