#!/usr/bin/env bats
# Unmodified programs and language bindings, each linking libcurl in a way of its own: all are
# authorised by one token request, and none behaves otherwise than with a header set by hand.

load ../lib/suite
load ../lib/client

# curl: linked, OpenSSL, easy (-Z: multi) -------------------------------------------------------

@test "curl: one transfer" {
	assert_authorised curl -sS "$ONE"
}

@test "curl: several transfers, one after the other on one handle" {
	assert_authorised curl -sS "$ONE" "$TWO" "$ONE"
}

@test "curl: transfers separated by --next" {
	TOKEN=$(fresh_token)
	local header="Authorization: Bearer $TOKEN"
	session by_hand curl -sS "$ONE" --next -sS -H "$header" -I "$TWO"  --next -sS -H "$header" "$TWO"
	session preloaded curl -sS "$ONE" --next -sS -I "$TWO" --next -sS "$TWO"
	sed -i 's/^Date: .*/Date: …/' {by_hand,preloaded}/stdout
	assert_same_sessions
	assert_one_token_request
}

@test "curl: a redirect within the API is followed with the token" {
	assert_authorised curl -sSL "$SANDBOX_API/redirect?to=/files/one"
}

@test "curl: a redirect to a bystander is followed without it" {
	try preloaded curl -sSL "$SANDBOX_API/redirect?to=$SANDBOX_BYSTANDER/elsewhere"
	assert_status 0
	assert_equal "$(jq -c '[.path, .token]' <<<"$output")" '["/elsewhere",null]'
}

@test "curl: parallel transfers" {
	assert_authorised curl -sSZ --no-progress-meter -o 1 "$ONE" -o 2 "$TWO" -o 3 "$LONG" -o 4 "$ONE"
}

@test "curl: an upload as a form" {
	TOKEN=$(fresh_token)
	local upload=(curl -sS -F fileToUpload=@"$ROOT/test/sandbox/invoice.pdf" -F fieldSets=sypht.invoice
		"$SANDBOX_API/fileupload" -o /dev/null -w '%{http_code}\n')
	session by_hand "${upload[@]}"
	session preloaded "${upload[@]}"
	assert_same_sessions
	assert_one_token_request
	assert_equal "$(cat preloaded/stdout)" 200
}

@test "curl: a body of 2 MB as PUT" {
	head -c 2000000 /dev/zero >"$HOME/body"
	assert_authorised curl -sS -T "$HOME/body" -o /dev/null -w '%{http_code} %{size_upload}' "$SANDBOX_API/echo"
}

@test "curl: HTTP/2, in a row and multiplexed" {
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP2
	local urls=("$SANDBOX_API_HTTP2/files/"{one,two,long})
	assert_authorised curl -sS "${urls[@]}" -w '%{http_version} %{num_connects}\n'
	rm -r by_hand preloaded "$XDG_CACHE_HOME/sypht"
	assert_authorised curl -sSZ --no-progress-meter -o 1 -o 2 -o 3 "${urls[@]}"
}

@test "curl: plain http on loopback, and IPv6" {
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	assert_authorised curl -sS "$SANDBOX_API_HTTP/files/one"
	[ -n "$SANDBOX_API_IPV6" ] || skip_allowed 'this machine has no IPv6'
	rm -r by_hand preloaded "$XDG_CACHE_HOME/sypht"
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_IPV6
	assert_authorised curl -gsS "$SANDBOX_API_IPV6/files/one"
}

# git: linked, GnuTLS, multi, with HTTPAUTH=ANY and an optional netrc ----------------------------

repository() {
	local work=$BATS_TEST_TMPDIR/work

	export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE='2001-01-01 00:00Z'
	export GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org GIT_COMMITTER_DATE='2001-01-01 00:00Z'
	REPOSITORY=$SANDBOX_GIT/$BATS_TEST_NUMBER.git URL=$SANDBOX_API/git/$BATS_TEST_NUMBER.git
	git init -q -b main "$work"
	git -C "$work" config user.name A
	seq 50000 >"$work/numbers"
	git -C "$work" add .
	git -C "$work" commit -qm 'Begin'
	git clone -q --bare "$work" "$REPOSITORY"
	git -C "$REPOSITORY" config http.receivepack true
}

@test "git: ls-remote of a private repository" {
	repository
	assert_authorised git ls-remote "$URL"
	assert_contains "$(cat preloaded/stdout)" refs/heads/main
}

@test "git: clone of a private repository" {
	repository
	assert_authorised git clone -q --bare "$URL" copy
	assert_equal "$(git -C preloaded/files/copy rev-parse main)" "$(git -C "$REPOSITORY" rev-parse main)"
}

@test "git: push to a private repository" {
	repository
	TOKEN=$(fresh_token)
	session by_hand git -C "$BATS_TEST_TMPDIR/work" push -q "$URL" main:new
	git -C "$REPOSITORY" update-ref -d refs/heads/new
	session preloaded git -C "$BATS_TEST_TMPDIR/work" push -q "$URL" main:new
	assert_same_sessions
	assert_one_token_request
	assert_equal "$(git -C "$REPOSITORY" rev-parse new)" "$(git -C "$REPOSITORY" rev-parse main)"
}

# pycurl: RTLD_LOCAL module, GnuTLS -----------------------------------------------------------

@test "pycurl: easy handles, fresh and used again" {
	needs_client python3 -c 'import pycurl'
	cat >easy.py <<-'END'
		import os, pycurl, sys
		handle = pycurl.Curl()
		for url in sys.argv[1:]:
		    handle.setopt(pycurl.URL, url)
		    handle.setopt(pycurl.CAINFO, os.environ["CURL_CA_BUNDLE"])
		    if "TOKEN" in os.environ:
		        handle.setopt(pycurl.HTTPHEADER, ["Authorization: Bearer " + os.environ["TOKEN"]])
		    handle.setopt(pycurl.WRITEDATA, sys.stdout.buffer)
		    handle.perform()
		    print(handle.getinfo(pycurl.RESPONSE_CODE), flush=True)
		    if url.endswith("two"):
		        handle.reset()
	END
	assert_authorised python3 "$PWD/easy.py" "$ONE" "$TWO" "$ONE"
}

@test "pycurl: multi, driven by select" {
	needs_client python3 -c 'import pycurl'
	cat >multi.py <<-'END'
		import io, os, pycurl, sys
		multi, bodies = pycurl.CurlMulti(), {}
		for url in sys.argv[1:]:
		    handle = pycurl.Curl()
		    handle.setopt(pycurl.URL, url)
		    handle.setopt(pycurl.CAINFO, os.environ["CURL_CA_BUNDLE"])
		    if "TOKEN" in os.environ:
		        handle.setopt(pycurl.HTTPHEADER, ["Authorization: Bearer " + os.environ["TOKEN"]])
		    bodies[handle] = io.BytesIO()
		    handle.setopt(pycurl.WRITEDATA, bodies[handle])
		    multi.add_handle(handle)
		running = len(bodies)
		while running:
		    result, running = multi.perform()
		    multi.select(1.0)
		for handle, body in bodies.items():
		    print(handle.getinfo(pycurl.RESPONSE_CODE), body.getvalue())
		print([len(each) for each in multi.info_read()[1:]])
	END
	assert_authorised python3 "$PWD/multi.py" "$ONE" "$TWO" "$LONG"
}

# PHP: RTLD_DEEPBIND extension, OpenSSL ---------------------------------------------------------

php_prologue() {
	cat <<-'END'
		<?php
		function handle($url) {
		    $handle = curl_init($url);
		    curl_setopt($handle, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
		    curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
		    if (getenv("TOKEN") !== false) {
		        curl_setopt($handle, CURLOPT_HTTPHEADER, ["Authorization: Bearer " . getenv("TOKEN")]);
		    }
		    return $handle;
		}
	END
}

@test "PHP: curl_exec" {
	needs_client php -r 'curl_init();'
	{ php_prologue && cat; } >easy.php <<-'END'
		foreach (array_slice($argv, 1) as $url) {
		    $handle = handle($url);
		    echo curl_exec($handle), curl_getinfo($handle, CURLINFO_RESPONSE_CODE), "\n";
		    $copy = curl_copy_handle($handle);
		    echo curl_exec($copy), curl_error($copy);
		}
	END
	assert_authorised php "$PWD/easy.php" "$ONE" "$TWO"
}

@test "PHP: curl_multi_exec" {
	needs_client php -r 'curl_init();'
	{ php_prologue && cat; } >multi.php <<-'END'
		$multi = curl_multi_init();
		$handles = array_map('handle', array_slice($argv, 1));
		foreach ($handles as $handle) curl_multi_add_handle($multi, $handle);
		do {
		    $status = curl_multi_exec($multi, $running);
		    if ($running) curl_multi_select($multi);
		} while ($running && $status == CURLM_OK);
		$results = [];
		while ($message = curl_multi_info_read($multi)) $results[] = $message["result"];
		foreach ($handles as $handle) {
		    echo curl_multi_getcontent($handle), curl_getinfo($handle, CURLINFO_RESPONSE_CODE), "\n";
		    curl_multi_remove_handle($multi, $handle);
		}
		echo implode(" ", $results), "\n";
	END
	assert_authorised php "$PWD/multi.php" "$ONE" "$TWO" "$LONG"
}

@test "PHP: handles that share connections and cookies" {
	needs_client php -r 'curl_init();'
	{ php_prologue && cat; } >share.php <<-'END'
		$share = curl_share_init();
		foreach ([CURL_LOCK_DATA_COOKIE, CURL_LOCK_DATA_DNS, CURL_LOCK_DATA_SSL_SESSION] as $what) {
		    curl_share_setopt($share, CURLSHOPT_SHARE, $what);
		}
		foreach (array_slice($argv, 1) as $url) {
		    $handle = handle($url);
		    curl_setopt($handle, CURLOPT_SHARE, $share);
		    echo curl_exec($handle), curl_getinfo($handle, CURLINFO_RESPONSE_CODE), "\n";
		}
	END
	assert_authorised php "$PWD/share.php" "$ONE" "$TWO"
}

# Perl, Lua: RTLD_LOCAL modules, GnuTLS -----------------------------------------------------------

@test "Perl: WWW::Curl, easy" {
	needs_client perl -MWWW::Curl::Easy -e 1
	cat >easy.pl <<-'END'
		use strict; use warnings; use WWW::Curl::Easy;
		my $handle = WWW::Curl::Easy->new;
		for my $url (@ARGV) {
		    my $body = '';
		    open my $sink, '>', \$body;
		    $handle->setopt(CURLOPT_URL, $url);
		    $handle->setopt(CURLOPT_CAINFO, $ENV{CURL_CA_BUNDLE});
		    $handle->setopt(CURLOPT_HTTPHEADER, ["Authorization: Bearer $ENV{TOKEN}"]) if $ENV{TOKEN};
		    $handle->setopt(CURLOPT_WRITEDATA, $sink);
		    my $result = $handle->perform;
		    print $body, $result, ' ', $handle->getinfo(CURLINFO_HTTP_CODE), "\n";
		}
	END
	assert_authorised perl "$PWD/easy.pl" "$ONE" "$TWO"
}

@test "Perl: WWW::Curl, multi" {
	needs_client perl -MWWW::Curl::Easy -e 1
	cat >multi.pl <<-'END'
		use strict; use warnings; use WWW::Curl::Easy; use WWW::Curl::Multi;
		my $multi = WWW::Curl::Multi->new;
		my ($id, %handle, %body) = 0;
		for my $url (@ARGV) {
		    my $handle = $handle{++$id} = WWW::Curl::Easy->new;
		    $body{$id} = '';
		    open my $sink, '>', \$body{$id};
		    $handle->setopt(CURLOPT_PRIVATE, $id);
		    $handle->setopt(CURLOPT_URL, $url);
		    $handle->setopt(CURLOPT_CAINFO, $ENV{CURL_CA_BUNDLE});
		    $handle->setopt(CURLOPT_HTTPHEADER, ["Authorization: Bearer $ENV{TOKEN}"]) if $ENV{TOKEN};
		    $handle->setopt(CURLOPT_WRITEDATA, $sink);
		    $multi->add_handle($handle);
		}
		my $running = $id;
		my %result;
		while ($running) {
		    if ($multi->perform != $running) {
		        while (my ($done, $value) = $multi->info_read) {
		            last unless $done;
		            $result{$done} = $value . ' ' . $handle{$done}->getinfo(CURLINFO_HTTP_CODE);
		            delete $handle{$done};
		            $running--;
		        }
		    }
		    select undef, undef, undef, 0.005;
		}
		print $body{$_}, $result{$_}, "\n" for sort keys %result;
	END
	assert_authorised perl "$PWD/multi.pl" "$ONE" "$TWO" "$LONG"
}

@test "Lua: lua-curl" {
	needs_client lua5.2 -e 'require "curl"'
	cat >easy.lua <<-'END'
		local curl = require("curl")
		local handle = curl.easy_init()
		local token = os.getenv("TOKEN")
		for _, url in ipairs(arg) do
		    handle:setopt(curl.OPT_URL, url)
		    handle:setopt(curl.OPT_CAINFO, os.getenv("CURL_CA_BUNDLE"))
		    if token then
		        handle:setopt(curl.OPT_HTTPHEADER, { "Authorization: Bearer " .. token })
		    end
		    handle:setopt(curl.OPT_WRITEFUNCTION, function(piece)
		        io.write(piece)
		        return #piece
		    end)
		    print(handle:perform())
		end
	END
	assert_authorised lua5.2 "$PWD/easy.lua" "$ONE" "$TWO"
}

# Ruby, Python: dlsym on a handle, OpenSSL -------------------------------------------------------

@test "Ruby: typhoeus, one request after the other" {
	needs_client ruby -e 'require "typhoeus"'
	cat >easy.rb <<-'END'
		require "typhoeus"
		ARGV.each do |url|
		  headers = ENV["TOKEN"] ? { "Authorization" => "Bearer #{ENV["TOKEN"]}" } : {}
		  response = Typhoeus.get(url, cainfo: ENV["CURL_CA_BUNDLE"], headers: headers)
		  puts response.code, response.return_code, response.body
		end
	END
	assert_authorised ruby "$PWD/easy.rb" "$ONE" "$TWO"
}

@test "Ruby: typhoeus, a hydra of requests" {
	needs_client ruby -e 'require "typhoeus"'
	cat >hydra.rb <<-'END'
		require "typhoeus"
		hydra = Typhoeus::Hydra.new
		requests = ARGV.map do |url|
		  headers = ENV["TOKEN"] ? { "Authorization" => "Bearer #{ENV["TOKEN"]}" } : {}
		  Typhoeus::Request.new(url, cainfo: ENV["CURL_CA_BUNDLE"], headers: headers).tap { |each| hydra.queue(each) }
		end
		hydra.run
		requests.each { |each| puts each.response.code, each.response.return_code, each.response.body }
	END
	assert_authorised ruby "$PWD/hydra.rb" "$ONE" "$TWO" "$LONG"
}

# Both flavours; the functions are looked up in a handle of dlopen().
python_ctypes() {
	cat >ctypes_easy.py <<-'END'
		import ctypes, os, sys
		curl = ctypes.CDLL(sys.argv[1])
		curl.curl_easy_init.restype = ctypes.c_void_p
		curl.curl_slist_append.restype = ctypes.c_void_p
		curl.curl_slist_append.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
		curl.curl_easy_perform.argtypes = [ctypes.c_void_p]
		curl.curl_easy_setopt.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
		URL, CAINFO, HTTPHEADER = 10002, 10065, 10023
		handle, keep = curl.curl_easy_init(), []
		def setopt(option, text):
		    keep.append(ctypes.create_string_buffer(text.encode()))
		    curl.curl_easy_setopt(handle, option, ctypes.addressof(keep[-1]))
		for url in sys.argv[2:]:
		    setopt(URL, url)
		    setopt(CAINFO, os.environ["CURL_CA_BUNDLE"])
		    if "TOKEN" in os.environ:
		        header = ("Authorization: Bearer " + os.environ["TOKEN"]).encode()
		        curl.curl_easy_setopt(handle, HTTPHEADER, curl.curl_slist_append(None, header))
		    os.write(1, b"%d\n" % curl.curl_easy_perform(handle))
	END
	assert_authorised python3 "$PWD/ctypes_easy.py" "$@"
}

@test "Python: ctypes and OpenSSL's libcurl" {
	python_ctypes libcurl.so.4 "$ONE" "$TWO"
}

@test "Python: ctypes and GnuTLS's libcurl" {
	python_ctypes libcurl-gnutls.so.4 "$ONE" "$TWO"
}

# cmake: linked, OpenSSL, easy ----------------------------------------------------------------

@test "CMake: file(DOWNLOAD)" {
	needs_client cmake --version
	cat >download.cmake <<-'END'
		if(DEFINED ENV{TOKEN})
		  set(header HTTPHEADER "Authorization: Bearer $ENV{TOKEN}")
		endif()
		foreach(name one two long)
		  file(DOWNLOAD "$ENV{SYPHT_API_BASE_ENDPOINT}/files/${name}" "${name}" STATUS status
		    TLS_VERIFY ON TLS_CAINFO "$ENV{CURL_CA_BUNDLE}" ${header})
		  message("${status}")
		endforeach()
	END
	assert_authorised cmake -P "$PWD/download.cmake"
}
