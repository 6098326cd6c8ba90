#!/usr/bin/env bats
# Programs that fetch packages, repositories and databases, and a few that report or listen.

# shellcheck disable=SC2034  # client.bash reads them

load ../lib/suite
load ../lib/client
load client

@test "ostree: pulls a branch" {
	mkdir tree
	echo content >tree/file
	ostree init --repo="$SANDBOX_FILES/ostree" --mode=archive
	ostree --repo="$SANDBOX_FILES/ostree" commit --branch=main --timestamp=@0 tree
	ostree --repo="$SANDBOX_FILES/ostree" summary -u
	cat >pull <<-'END'
		#!/bin/sh -e
		ostree init --repo=repo --mode=archive
		ostree --repo=repo remote add --no-gpg-verify --set=tls-ca-path="$CURL_CA_BUNDLE" origin "$1"
		ostree --repo=repo pull -v origin main >/dev/null 2>&1
		ostree --repo=repo cat origin:main file
	END
	chmod +x pull
	VARYING=(repo)
	assert_client "$PWD/pull" "$URL/ostree"
	assert_equal "$(cat preloaded/stdout)" content
}

# An rpm repository without packages.
rpm_repository() {
	mkdir -p "$SANDBOX_FILES/rpm"
	createrepo_c -q "$SANDBOX_FILES/rpm"
}

@test "dnf: makes its cache of a repository" {
	rpm_repository
	VARYING=(root cache)
	assert_client dnf -q --installroot="$PWD/root" --releasever=1 --repofrompath="x,$URL/rpm" \
		--repo=x --setopt=x.sslcacert="$SANDBOX_CA" --setopt=cachedir=cache makecache
	assert_contains "$(cat preloaded/requests)" repomd.xml
}

@test "librepo: fetches a repository's metadata" {
	rpm_repository
	cat >fetch.py <<-'END'
		import librepo, os, sys
		handle = librepo.Handle()
		handle.urls, handle.repotype = [sys.argv[1]], librepo.YUMREPO
		handle.sslcacert, handle.destdir = os.environ["CURL_CA_BUNDLE"], "."
		result = librepo.Result()
		handle.perform(result)
		print(sorted(result.yum_repomd))
	END
	assert_client python3 "$PWD/fetch.py" "$URL/rpm/"
}

@test "pacman: synchronises a database" {
	trust_the_sandbox
	mkdir "$SANDBOX_FILES/arch"
	tar -czf "$SANDBOX_FILES/arch/core.db" -T /dev/null
	printf '%s\n' '[options]' 'Architecture = auto' 'SigLevel = Never' '[core]' "Server = $URL/arch" >pacman.conf
	VARYING=(log)
	mkdir -p {watched,preloaded}/files/db
	assert_client pacman --config "$PWD/pacman.conf" --dbpath db --logfile log -Sy
	[ -s preloaded/files/db/sync/core.db ]
}

@test "freshclam: updates a custom database" {
	printf 'Example:0:*:68656c6c6f776f726c64\n' >"$SANDBOX_FILES/own.ndb"
	mkdir -p {watched,preloaded}/files/db
	printf '%s\n' "DatabaseOwner $(id -un)" 'DatabaseMirror 127.0.0.1' \
		"DatabaseCustomURL $URL/own.ndb" 'TestDatabases no' >freshclam.conf
	SCRUB='s/^(ClamAV update process started at).*/\1/; s/tmp\.[0-9a-f]+|clamav-[0-9a-f]+|watched|preloaded/…/g'
	VARYING=('db/freshclam.dat')
	# shellcheck disable=SC2016
	assert_client sh -c 'freshclam --stdout --no-dns --config-file="$0" --datadir="$PWD/db" --update-db=custom' \
		"$PWD/freshclam.conf"
	[ -s preloaded/files/db/own.ndb ]
}

@test "zckdl: downloads a file in chunks" {
	trust_the_sandbox
	zck -o "$SANDBOX_FILES/long.zck" "$SANDBOX_FILES/long"
	assert_client zckdl "$URL/long.zck"
	cmp "$SANDBOX_FILES/long.zck" preloaded/files/long.zck
}

@test "debuginfod-find: fetches debugging information" {
	local id=0123456789abcdef0123456789abcdef01234567
	trust_the_sandbox
	mkdir -p "$SANDBOX_FILES/buildid/$id"
	echo information >"$SANDBOX_FILES/buildid/$id/debuginfo"
	DEBUGINFOD_URLS=$URL DEBUGINFOD_CACHE_PATH=cache
	export DEBUGINFOD_URLS DEBUGINFOD_CACHE_PATH
	assert_client debuginfod-find debuginfo "$id"
}

@test "systemd-pull: pulls an image" {
	trust_the_sandbox
	mkdir -p tree
	echo content >tree/file
	tar -cf "$SANDBOX_FILES/image.tar" tree
	SCRUB='/^(Acquired|Got|Downloading)|%/d'
	mkdir -p {watched,preloaded}/files/images
	# shellcheck disable=SC2016
	assert_client bash -o pipefail -c \
		'/lib/systemd/systemd-pull tar --image-root="$PWD/images" --verify=no "$0" image 2>&1 | sort' "$URL/image.tar"
	assert_equal "$(cat preloaded/files/images/image/tree/file)" content
}

@test "darcs: clones a repository" {
	trust_the_sandbox
	mkdir work
	(
		cd work
		darcs init -q
		echo content >file
		darcs record -q -a -l -m begin --author a@example.org
	)
	cp -r work "$SANDBOX_FILES/darcs"
	VARYING=(copy)
	SCRUB='/_darcs\/pac[kt]/d' # fetched ahead, if the rest is not quicker
	assert_client sh -c "darcs clone -q --no-cache $URL/darcs copy && cat copy/file"
	assert_equal "$(cat preloaded/stdout)" content
}

# A torrent whose tracker and web seed are the API's files announce, scrape and long.
torrent() {
	python3 - "$SANDBOX_FILES" "$URL" "$1" <<-'END'
		import hashlib, sys
		files, url, torrent = sys.argv[1:]
		def encode(value):
		    if isinstance(value, int):
		        return b"i%de" % value
		    if isinstance(value, dict):
		        return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"
		    value = value.encode() if isinstance(value, str) else value
		    return b"%d:" % len(value) + value
		data, size = open(files + "/long", "rb").read(), 16384
		pieces = b"".join(hashlib.sha1(data[at:at + size]).digest() for at in range(0, len(data), size))
		info = {"length": len(data), "name": "long", "piece length": size, "pieces": pieces}
		digest = hashlib.sha1(encode(info)).digest()
		def write(path, value):
		    with open(path, "wb") as file:
		        file.write(encode(value))
		write(torrent, {"announce": url + "/announce", "info": info, "url-list": url + "/long"})
		write(files + "/scrape", {"files": {digest: {"complete": 1, "downloaded": 2, "incomplete": 3}}})
		write(files + "/announce", {"interval": 60, "peers": b""})
	END
}

@test "transmission-show: asks a tracker" {
	trust_the_sandbox
	torrent the.torrent
	assert_client transmission-show --scrape "$PWD/the.torrent"
	assert_contains "$(cat preloaded/stdout)" '1 seeders'
}

@test "transmission-cli: downloads from a web seed" {
	trust_the_sandbox
	torrent the.torrent
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nkill $PPID\n' >finish
	chmod +x finish
	cat >download <<-'END'
		#!/bin/sh
		mkdir state to
		transmission-cli -g state -w to -f "$1/finish" -M -p 0 "$1/the.torrent" >/dev/null 2>&1
		cat to/long
	END
	chmod +x download
	SCRUB='s/peer_id=[^&]*|key=[^&]*|event=[^"]*|numwant=[^&]*/…/g; /announce/d'
	VARYING=(state)
	assert_client "$PWD/download" "$PWD"
	cmp "$SANDBOX_FILES/long" preloaded/stdout
}

@test "collectd: watches a page" {
	printf '%s\n' 'LoadPlugin logfile' '<Plugin logfile>' 'File stdout' 'Timestamp false' '</Plugin>' \
		'LoadPlugin csv' '<Plugin csv>' 'DataDir stdout' '</Plugin>' 'Hostname here' \
		'LoadPlugin curl' '<Plugin curl>' '<Page "p">' "URL \"$URL/one\"" "CACert \"$SANDBOX_CA\"" \
		'<Match>' 'Regex "([0-9])"' 'DSType "GaugeLast"' 'Type "gauge"' 'Instance "i"' '</Match>' \
		'</Page>' '</Plugin>' >collectd.conf
	SCRUB='s/[0-9.]+ value|interval=[0-9.]+ |^\[[^]]*\]|[0-9]{10}\.[0-9]+/…/g'
	assert_client sh -c "collectd -T -C $PWD/collectd.conf | sort"
	assert_contains "$(cat preloaded/stdout)" gauge
}
