#!/usr/bin/env bats
# Programs that read data, images, sound and text from a URL.

# shellcheck disable=SC2034  # client.bash reads them

load ../lib/suite
load ../lib/client
load client

@test "gdal: reads an image through /vsicurl/" {
	gdal_create -q -of GTiff -outsize 20 20 -bands 1 -burn 7 "$SANDBOX_FILES/image.tif"
	assert_client gdalinfo -checksum "/vsicurl/$URL/image.tif"
}

@test "samtools: views an alignment" {
	printf '@SQ\tSN:a\tLN:10\nr1\t0\ta\t1\t1\t4M\t*\t0\t0\tACGT\tIIII\n' >"$SANDBOX_FILES/reads.sam"
	assert_client samtools view "$URL/reads.sam"
}

@test "octave: urlread" {
	trust_the_sandbox
	assert_client octave-cli --no-gui --quiet --no-history --eval "disp(urlread('$URL/one'))"
}

@test "R curl: curl_fetch_memory" {
	cat >fetch.R <<-'END'
		library(curl)
		for (url in commandArgs(TRUE)) {
		    handle <- new_handle(cainfo = Sys.getenv("CURL_CA_BUNDLE"))
		    cat(rawToChar(curl_fetch_memory(url, handle)$content))
		}
	END
	assert_client Rscript "$PWD/fetch.R" "$URL/one" "$URL/two"
}

@test "R curl, several at once: multi_run" {
	cat >multi.R <<-'END'
		library(curl)
		for (url in commandArgs(TRUE)) {
		    handle <- new_handle(url = url, cainfo = Sys.getenv("CURL_CA_BUNDLE"))
		    multi_add(handle, done = function(result) writeBin(result$content, basename(result$url)))
		}
		print(unlist(multi_run()))
	END
	assert_client Rscript "$PWD/multi.R" "$URL/one" "$URL/two"
}

@test "R download.file: method libcurl, one file and several" {
	cat >download.R <<-'END'
		urls <- commandArgs(TRUE)
		download.file(urls[1], "first", method = "libcurl", quiet = TRUE)
		download.file(urls, basename(urls), method = "libcurl", quiet = TRUE)
	END
	assert_client Rscript "$PWD/download.R" "$URL/one" "$URL/two"
}

@test "R RCurl: getURL" {
	cat >get.R <<-'END'
		cat(RCurl::getURL(commandArgs(TRUE), cainfo = Sys.getenv("CURL_CA_BUNDLE")))
	END
	assert_client Rscript "$PWD/get.R" "$URL/one"
}

@test "projsync: lists its grids" {
	printf '{"type": "FeatureCollection", "features": []}\n' >"$SANDBOX_FILES/files.geojson"
	VARYING=(cache.db)
	assert_client projsync --endpoint "$URL" --target-dir . --list-files
}

@test "qemu-img: converts a remote image" {
	trust_the_sandbox
	seq 100000 >"$SANDBOX_FILES/disk.img"
	truncate -s 1M "$SANDBOX_FILES/disk.img"
	assert_client qemu-img convert -O raw "$URL/disk.img" disk.img
	cmp "$SANDBOX_FILES/disk.img" preloaded/files/disk.img
}

@test "nbdkit: serves a remote image" {
	truncate -s 1M "$SANDBOX_FILES/disk.img"
	# shellcheck disable=SC2016
	assert_client nbdkit -U - curl "$URL/disk.img" cainfo="$SANDBOX_CA" --run 'nbdcopy "$uri" disk.img'
}

@test "mediainfo: looks at a remote file" {
	SCRUB='s/^(File last modification date|Complete name) .*/\1/'
	assert_client mediainfo --ssl_certificateauthorityfilename="$SANDBOX_CA" "$URL/one"
}

pixels() {
	python3 - "$1" <<-'END'
		import struct, sys, zlib
		def chunk(kind, data):
		    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
		with open(sys.argv[1], "wb") as png:
		    png.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
		        + chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * 24) * 8)) + chunk(b"IEND", b""))
	END
}

@test "jp2a: draws a remote image" {
	trust_the_sandbox
	pixels "$SANDBOX_FILES/image.png"
	assert_client jp2a --width=10 "$URL/image.png"
}

@test "lnav: prints a remote log" {
	trust_the_sandbox
	VARYING=('.*')
	assert_client lnav -n "$URL/one"
}

@test "hxcount: counts the elements of a remote page" {
	trust_the_sandbox
	printf '<html><body><p>a</p><p>b</p></body></html>\n' >"$SANDBOX_FILES/page.html"
	assert_client hxcount "$URL/page.html"
}

silence() {
	python3 -c 'import sys, wave
sound = wave.open(sys.argv[1], "wb")
sound.setparams((1, 2, 8000, 0, "NONE", ""))
sound.writeframes(b"\0\0" * 4000)' "$1"
}

@test "mpd: plays a remote sound" {
	silence "$SANDBOX_FILES/sound.wav"
	cat >play <<-'END'
		#!/bin/sh
		export MPD_HOST=$PWD/socket
		cat >mpd.conf <<CONF
		bind_to_address "$MPD_HOST"
		log_file "$PWD/log"
		zeroconf_enabled "no"
		audio_output {
		  type "null"
		  name "null"
		}
		input {
		  plugin "curl"
		  cacert "$CURL_CA_BUNDLE"
		}
		CONF
		mpd --no-daemon mpd.conf &
		until mpc -q version 2>/dev/null; do sleep 0.05; done
		mpc -q add "$1"
		mpc -q play
		until grep -q 'player: played' log; do sleep 0.05; done
		kill $!
		wait
	END
	chmod +x play
	SCRUB='s/^[A-Z][a-z]+ [0-9]+ [0-9:]+ : //'
	VARYING=(log mpd.conf socket)
	assert_client "$PWD/play" "$URL/sound.wav"
}

@test "TclCurl: curl::transfer" {
	cat >transfer.tcl <<-'END'
		package require TclCurl
		foreach url $argv {
		    curl::transfer -url $url -cainfo $env(CURL_CA_BUNDLE) -bodyvar body
		    puts $body
		}
	END
	assert_client tclsh "$PWD/transfer.tcl" "$URL/one" "$URL/two"
}

@test "Ruby curb: Curl::Easy and Curl::Multi" {
	cat >curb.rb <<-'END'
		require "curb"
		easy = Curl::Easy.new(ARGV[0]) { |each| each.cacert = ENV["CURL_CA_BUNDLE"] }
		easy.perform
		puts easy.body_str
		multi = Curl::Multi.new
		all = ARGV.map { |url| Curl::Easy.new(url) { |each| each.cacert = ENV["CURL_CA_BUNDLE"] } }
		all.each { |each| multi.add(each) }
		multi.perform
		all.each { |each| puts each.body_str }
	END
	assert_client ruby "$PWD/curb.rb" "$URL/one" "$URL/two"
}
