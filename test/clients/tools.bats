#!/usr/bin/env bats
# Small programs with libcurl inside, in many languages: C, C++, D, S-Lang, Python.

# shellcheck disable=SC2034  # client.bash reads them

load ../lib/suite
load ../lib/client
load client

@test "bcftools: views variants" {
	printf '%s\n' '##fileformat=VCFv4.2' '##contig=<ID=1>' \
		$'#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO' $'1\t1\t.\tA\tC\t.\t.\t.' >"$SANDBOX_FILES/a.vcf"
	assert_client bcftools view -H "$URL/a.vcf"
	assert_contains "$(cat preloaded/stdout)" $'1\t1\t.\tA\tC'
}

@test "rapper: parses remote triples" {
	trust_the_sandbox
	echo '<http://a> <http://b> <http://c> .' >"$SANDBOX_FILES/a.nt"
	assert_client rapper -q -i ntriples "$URL/a.nt"
	assert_contains "$(cat preloaded/stdout)" '<http://a>'
}

@test "Xerces SAXCount: parses a remote document" {
	trust_the_sandbox
	echo '<a><b/></a>' >"$SANDBOX_FILES/a.xml"
	SCRUB='s/[0-9]+ ms/… ms/'
	assert_client SAXCount "$URL/a.xml"
	assert_contains "$(cat preloaded/stdout)" '2 elems'
}

@test "dirb: tries the words of a list" {
	trust_the_sandbox
	echo one >words
	SCRUB='/^(START|END)_TIME/d; s/randomfile[0-9]+|frand[0-9]+/…/g; s/\r.*//'
	assert_client dirb "$URL/" "$PWD/words" -S -r -w
	assert_contains "$(cat preloaded/requests)" /files/one
}

@test "newsboat: reloads a feed" {
	trust_the_sandbox
	echo '<rss version="2.0"><channel><title>T</title><link>http://x</link><description>d</description></channel></rss>' \
		>"$SANDBOX_FILES/feed.xml"
	echo "$URL/feed.xml" >urls
	VARYING=('cache.db*')
	assert_client newsboat -u "$PWD/urls" -c cache.db -x reload
}

@test "tesseract: reads a remote picture" {
	trust_the_sandbox
	{ printf 'P4\n64 16\n' && head -c 128 /dev/zero; } >"$SANDBOX_FILES/page.pbm"
	assert_client tesseract "$URL/page.pbm" stdout
	assert_contains "$(cat preloaded/requests)" page.pbm
}

@test "ogg123: plays a remote sound" {
	trust_the_sandbox
	head -c 88200 /dev/zero >silence
	oggenc -Q -r -C 1 -o "$SANDBOX_FILES/silence.ogg" silence
	assert_client ogg123 -q -d null "$URL/silence.ogg"
	assert_contains "$(cat preloaded/requests)" silence.ogg
}

@test "gpg1: fetches a key" {
	trust_the_sandbox
	gpg --batch --quiet --passphrase '' --quick-gen-key 'Someone <someone@example.com>' rsa2048
	gpg --batch --armor --export >"$SANDBOX_FILES/key.asc"
	gpgconf --kill gpg-agent
	VARYING=(home)
	SCRUB='s/watched|preloaded/…/g'
	# shellcheck disable=SC2016
	assert_client sh -c 'mkdir -m 700 home && gpg1 --homedir home --batch --fetch-keys "$0"' "$URL/key.asc"
	assert_contains "$(cat preloaded/stderr)" 'imported'
}

@test "wlancap2wpasec: uploads a capture" {
	trust_the_sandbox
	echo capture >capture
	SCRUB='/body_sha256|Xferd|Dload|--:--/d'
	assert_client wlancap2wpasec -u "$SANDBOX_API/echo" "$PWD/capture"
	assert_contains "$(cat preloaded/requests)" POST
}

@test "sdig: asks a name server by HTTPS" {
	trust_the_sandbox
	assert_client sdig "$SANDBOX_API/echo" 53 a.example A
	assert_contains "$(cat preloaded/requests)" POST
}

@test "casync: lists a remote archive, by a program of its own" {
	trust_the_sandbox
	mkdir -p tree
	echo content >tree/file
	casync make "$SANDBOX_FILES/a.catar" tree >/dev/null
	assert_client casync list "$URL/a.catar"
	assert_contains "$(cat preloaded/stdout)" file
}

@test "dub: searches a registry" {
	trust_the_sandbox
	# shellcheck disable=SC2016
	assert_client sh -c 'dub search nothing --skip-registry=all --registry="$0" || true' "$SANDBOX_API/files"
	assert_contains "$(cat preloaded/requests)" packages/search
}

@test "dnsdbq: looks a name up" {
	trust_the_sandbox
	export DNSDB_SERVER=$SANDBOX_API DNSDB_API_KEY=key
	assert_client dnsdbq -r a.example
	assert_contains "$(cat preloaded/requests)" a.example
}

@test "appstreamcli: looks whether links are alive" {
	trust_the_sandbox
	printf '<component><id>org.example.a</id><metadata_license>MIT</metadata_license><name>n</name><summary>S</summary><url type="homepage">%s/one</url></component>' \
		"$URL" >a.metainfo.xml
	# shellcheck disable=SC2016
	assert_client sh -c 'appstreamcli validate --no-color "$0" || true' "$PWD/a.metainfo.xml"
	assert_contains "$(cat preloaded/requests)" /files/one
}

@test "S-Lang: curl_perform" {
	trust_the_sandbox
	cat >fetch.sl <<-'END'
		require("curl");
		define keep(output, data) { @output += data; return 0; }
		variable handle = curl_new(__argv[1]), text = "";
		curl_setopt(handle, CURLOPT_WRITEFUNCTION, &keep, &text);
		curl_perform(handle);
		fputs(text, stdout);
	END
	assert_client slsh "$PWD/fetch.sl" "$URL/one"
	assert_contains "$(cat preloaded/stdout)" document
}

@test "pyBigWig: reads a remote track in pieces" {
	trust_the_sandbox
	cat >make.py <<-'END'
		import pyBigWig, sys
		track = pyBigWig.open(sys.argv[1], "w")
		track.addHeader([("1", 1000)])
		track.addEntries(["1"], [0], ends=[500], values=[2.0])
		track.close()
	END
	/usr/bin/python3 make.py "$SANDBOX_FILES/a.bw"
	assert_client /usr/bin/python3 -c 'import pyBigWig, sys; print(pyBigWig.open(sys.argv[1]).stats("1", 0, 500))' "$URL/a.bw"
	assert_contains "$(cat preloaded/stdout)" '[2.0]'
}

@test "check_curl: watches a page" {
	trust_the_sandbox
	SCRUB='s/[0-9.]+ (second|bytes)[^|]*|time=[^ ]*|;;;.*//g; s/\|.*//'
	assert_client /usr/lib/nagios/plugins/check_curl -H 127.0.0.1 -I 127.0.0.1 -p "${SANDBOX_API##*:}" -S -D -u /files/one
}
