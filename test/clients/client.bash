# shellcheck shell=bash disable=SC2034
# What the suites of make test-clients share:  load ../suite;  load ../client;  load client
#
# The titles of their tests begin with the name of a program and a colon. Each ends in a row of
# the table that test/clients/run prints: program, flavour and linkage as the dynamic linker tells
# them, result.

setup() {
	seal
	sypht_env
	URL=$SANDBOX_API/files
	SCRUB='' VARYING=()
	mkdir loads
}

teardown() {
	local program=${BATS_TEST_DESCRIPTION%%:*} result='not authorised'
	program+=${CLIENT_LIBRARIES:+" (libcurl 8)"}

	[ -z "${BATS_TEST_COMPLETED:-}" ] || result=authorised
	[ -z "${CLIENTS_TABLE:-}" ] ||
		printf '%s|%s|%s\n' "$program" "$(linkage)" "$result" >>"$CLIENTS_TABLE"
	# systemd-pull makes what it pulled immutable.
	chattr -R -f -i . || true
}

# For programs that cannot be told which authority to trust: they see the sandbox's in the
# system's file, and nobody else does.
trust_the_sandbox() {
	local bundle=/etc/ssl/certs/ca-certificates.crt unshare=(unshare --mount)

	[ "$(id -u)" = 0 ] || unshare+=(--map-root-user)
	cat "$bundle" "$SANDBOX_CA" >trusted.crt
	# shellcheck disable=SC2016
	AROUND=("${AROUND[@]}" "${unshare[@]}" sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' trusting
		"$PWD/trusted.crt" "$bundle")
}

# assert_client COMMAND…: under the plugin it does what it does where nobody asks for a token. A
# suite masks by $SCRUB, a sed script, what varies in its output, and by $VARYING, patterns of
# names, which of its files do.
assert_client() {
	session watched "$@"
	session preloaded "$@"
	sed -Ei "$SCRUB" {watched,preloaded}/{stdout,stderr,requests}
	for each in "${VARYING[@]}"; do
		find {watched,preloaded}/files -depth -path "*/files/$each" -exec rm -r '{}' +
	done
	assert_same_sessions watched
	assert_one_token_request
}

# A program nobody asks for a token, while the dynamic linker tells what it loads.
watched() {
	ungated env LD_DEBUG=files LD_DEBUG_OUTPUT="$TMPDIR/loads/of" "$@"
}

# flavour|linkage of each libcurl that was loaded by the process with a libcurl that was seen last.
linkage() {
	local tale
	tale=$(grep -lE 'file=[^ ]*libcurl[^ ]*\.so' loads/of.* 2>/dev/null | tail -n 1)
	[ -n "$tale" ] || { printf '?|?' && return; }
	awk '
		function name(path) { sub(/.*\//, "", path); return path }
		match($0, /file=[^ ]+ \[0\];  (needed|dynamically loaded) by [^ ]+/) {
			split(substr($0, RSTART + 5, RLENGTH - 5), word, / +\[0\]; +| by /)
			file = name(word[1])
			if (file in by) next
			by[file] = name(word[3])
			opened[file] = word[2] != "needed"
			if (file ~ /^libcurl(-gnutls|-nss)?\.so/) libcurls[++count] = file
		}
		END {
			for (i = 1; i <= count; i++) {
				file = libcurls[i]
				flavours = flavours (i > 1 ? " + " : "") (file ~ /gnutls/ ? "GnuTLS" : "OpenSSL")
				if (opened[file]) how = "dlopen and dlsym"
				else {
					needer = by[file]
					for (at = needer; at in by && !opened[at]; at = by[at]) ;
					how = opened[at] ? "NEEDED by dlopened " at : needer in by ? "NEEDED by " needer : "NEEDED"
				}
				linkages = linkages (i > 1 && how != last ? " + " : "") (how != last ? how : "")
				last = how
			}
			printf "%s|%s", flavours, linkages
		}' "$tale"
}
