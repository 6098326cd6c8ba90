#!/usr/bin/env bats
# Programs that fetch from a registry, each with the helper it knows to ask, against the sandbox.
# Those that are not installed are left out.

load ../lib/suite
load ../lib/helper

setup() {
	seal
	reset_sandbox
	sypht_env
	HOST=${SANDBOX_API#https://}
}

# The program, if the machine has it, or test/clients/run has unpacked it.
need() {
	PATH=${CALLERS:+$CALLERS/go/usr/lib/go-1.24/bin:$CALLERS/kubectl/usr/bin:$CALLERS/pnpm/node_modules/.bin:}$PATH:${CLIENTS_PATH:-}
	command -v "$1" >/dev/null || skip_allowed "$1 is not installed"
}

successes() {
	requests "select(.server == \"api\" and .status == 200 and (.path | startswith(\"$1\"))).path" | wc -l
}

# refused_until_erased COMMAND…: it keeps a revoked token, as it cannot report it, until that is
# dropped by hand.
refused_until_erased() {
	revoke_tokens
	try "$@"
	refute [ "$status" = 0 ]
	sypht-credential erase "${SYPHT_API_BASE_ENDPOINT}"
	try "$@"
	assert_status 0
	assert_equal "$(token_requests)" 2
}

# An image of nothing, in the sandbox's registry; once is enough for the file.
put_image() {
	local config layer digest
	mkdir -p "$SANDBOX_REGISTRY/blobs" "$SANDBOX_REGISTRY/manifests"
	config='{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}'
	digest=$(printf %s "$config" | sha256sum | cut -d ' ' -f 1)
	printf %s "$config" >"$SANDBOX_REGISTRY/blobs/sha256:$digest"
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":%d,"digest":"sha256:%s"},"layers":[]}' \
		${#config} "$digest" >"$SANDBOX_REGISTRY/manifests/latest"
	layer=$(sha256sum <"$SANDBOX_REGISTRY/manifests/latest" | cut -d ' ' -f 1)
	cp "$SANDBOX_REGISTRY/manifests/latest" "$SANDBOX_REGISTRY/manifests/sha256:$layer"
}

@test "docker's CLI asks docker-credential-sypht by credHelpers" {
	need docker
	put_image
	mkdir -p "$HOME/.docker"
	printf '{"credHelpers": {"%s": "sypht"}}' "${SANDBOX_API_HTTP#http://}" >"$HOME/.docker/config.json"
	export SYPHT_API_BASE_ENDPOINT=$SANDBOX_API_HTTP
	try docker manifest inspect --insecure "${SANDBOX_API_HTTP#http://}/nothing:latest"
	assert_status 0
	assert_contains "$output" application/vnd.oci.image.config.v1+json
	assert_equal "$(token_requests)" 1
}

@test "docker logout is taken in all its spellings, and drops the token" {
	need docker
	mkdir -p "$HOME/.docker"
	printf '{"credHelpers": {"%s": "sypht"}}' "$HOST" >"$HOME/.docker/config.json"
	sypht-credential token
	try docker logout "$HOST"
	assert_status 0
	sypht-credential token
	assert_equal "$(token_requests)" 2
}

@test "skopeo asks docker-credential-sypht by credHelpers" {
	need skopeo
	put_image
	printf '{"credHelpers": {"%s": "sypht"}}' "$HOST" >auth.json
	mkdir -p certs && cp "$SANDBOX_CA" certs/ca.crt
	try skopeo --registries.d "$PWD" inspect --no-tags --authfile auth.json --cert-dir certs "docker://$HOST/nothing:latest"
	assert_status 0
	assert_equal "$(jq -r .Architecture <<<"$output")" amd64
	assert_equal "$(token_requests)" 1
	refused_until_erased skopeo --registries.d "$PWD" inspect --no-tags --authfile auth.json \
		--cert-dir certs "docker://$HOST/nothing:latest"
}

# kubectl_config VERSION: of the ExecCredential.
kubectl_config() {
	cat >config <<-EOF
		apiVersion: v1
		kind: Config
		current-context: sandbox
		contexts: [{name: sandbox, context: {cluster: sandbox, user: sandbox}}]
		clusters: [{name: sandbox, cluster: {server: "$SANDBOX_API", certificate-authority: "$SANDBOX_CA"}}]
		users:
		- name: sandbox
		  user:
		    exec:
		      apiVersion: client.authentication.k8s.io/$1
		      command: $BUILD/sypht-credential
		      args: [kubernetes]
		      interactiveMode: Never
		      provideClusterInfo: true
	EOF
}

@test "kubectl runs sypht-credential kubernetes, and its token opens the API" {
	CALLERS='' need kubectl
	kubectl_config v1
	try kubectl --kubeconfig config get --raw /echo
	assert_status 0
	assert_contains "$output" '"path":"/echo"'
	assert_equal "$(token_requests)" 1
	sed -i 's,k8s.io/v1$,k8s.io/v1beta1,' config
	try kubectl --kubeconfig config get --raw /echo
	assert_status 0
	assert_equal "$(token_requests)" 1
	refused_until_erased kubectl --kubeconfig config get --raw /echo
}

# Debian's, of 1.20, knows no other version.
@test "Debian's kubectl asks by v1beta1" {
	[ -x "${CALLERS:-}/kubectl/usr/bin/kubectl" ] || skip_allowed 'test/clients/run unpacks it'
	need kubectl
	kubectl_config v1beta1
	try kubectl --kubeconfig config get --raw /echo
	assert_status 0
	assert_contains "$output" '"path":"/echo"'
	assert_equal "$(token_requests)" 1
	refused_until_erased kubectl --kubeconfig config get --raw /echo
}

@test "cargo fetches a crate from a private sparse registry" {
	need_cargo
	make_crate
	mkdir -p user/src user/.cargo
	echo 'fn main() {}' >user/src/main.rs
	cat >user/Cargo.toml <<-EOF
		[package]
		name = "user"
		version = "0.1.0"
		edition = "2021"
		[dependencies]
		nothing = { version = "0.1.0", registry = "sandbox" }
	EOF
	cat >user/.cargo/config.toml <<-EOF
		[registries.sandbox]
		index = "sparse+$SANDBOX_API/files/index/"
		credential-provider = ["$BUILD/sypht-credential"]
		[http]
		cainfo = "$SANDBOX_CA"
	EOF
	cd user
	try cargo fetch
	assert_status 0
	assert_equal "$(successes /files/crates/)" 1
	assert_equal "$(token_requests)" 1
	assert_exists Cargo.lock
	rm -r "$CARGO_HOME/registry"
	revoke_tokens
	try cargo fetch
	sypht-credential erase "$SANDBOX_API"
	try cargo fetch
	assert_status 0
}

# rustup's proxies want to know where it is; a cargo of 1.74 or newer speaks the protocol.
need_cargo() {
	local own minor
	if [ -n "${CALLERS:-}" ]; then
		PATH=$CALLERS/cargo/usr/bin:$PATH
		LD_LIBRARY_PATH=$(compgen -G "$CALLERS/cargo/usr/lib/*-linux-gnu")
		export LD_LIBRARY_PATH
	fi
	own=$(getent passwd "$EUID" | cut -d : -f 6)
	PATH=$PATH:$own/.cargo/bin
	export RUSTUP_HOME=${RUSTUP_HOME:-$own/.rustup} CARGO_HOME=$HOME/.cargo
	need cargo
	minor=$(cargo --version | cut -d . -f 2)
	((minor >= 74)) || skip_allowed "this cargo is of 1.$minor, and 1.74 speaks to providers"
}

make_crate() {
	local crate=$SANDBOX_FILES/crates/nothing-0.1.0.crate sum
	mkdir -p nothing-0.1.0/src "$SANDBOX_FILES/crates" "$SANDBOX_FILES/index/no/th"
	printf '[package]\nname = "nothing"\nversion = "0.1.0"\nedition = "2021"\n' >nothing-0.1.0/Cargo.toml
	: >nothing-0.1.0/src/lib.rs
	tar -czf "$crate" nothing-0.1.0
	sum=$(sha256sum <"$crate" | cut -d ' ' -f 1)
	printf '{"dl":"%s/files/crates/{crate}-{version}.crate","auth-required":true}' "$SANDBOX_API" \
		>"$SANDBOX_FILES/index/config.json"
	printf '{"name":"nothing","vers":"0.1.0","deps":[],"cksum":"%s","features":{},"yanked":false}\n' "$sum" \
		>"$SANDBOX_FILES/index/no/th/nothing"
}

@test "pip runs keyring, which is us, and shows the token as password" {
	need_pip
	mkdir -p bin
	ln -s "$BUILD/sypht-credential" bin/keyring
	PATH=$PWD/bin:$PATH
	try env -u REQUESTS_CA_BUNDLE -u PIP_CERT "$PYTHON" -m pip download --isolated --no-cache-dir --disable-pip-version-check \
		--use-deprecated=legacy-certs --keyring-provider subprocess \
		--cert "$SANDBOX_CA" --index-url "https://oauth2@$HOST/basic/echo" nothing
	assert_equal "$(successes /basic/echo/)" 1
	assert_equal "$(token_requests)" 1
}

# CLIENTS_PATH: where the machine keeps programs beyond the usual places.
need_pip() {
	PYTHON=/usr/bin/python3
	if [ -d "${CALLERS:-}/pip" ]; then
		export PYTHONPATH=$CALLERS/pip/usr/lib/python3/dist-packages
		return
	fi
	for PYTHON in $(PATH=${CLIENTS_PATH:-$PATH} type -ap python3); do
		if "$PYTHON" -m pip download --help 2>/dev/null | grep -q keyring-provider; then return; fi
	done
	skip_allowed 'no pip that knows --keyring-provider'
}

@test "pnpm runs a program of one word, which is us under the name pnpm-credential-sypht" {
	need pnpm
	ln -s "$BUILD/sypht-credential" "$HOME/pnpm-credential-sypht"
	printf '%s\n' "registry=$SANDBOX_API/files/npm/" "cafile=$SANDBOX_CA" \
		"//$HOST/files/npm/:tokenHelper=$HOME/pnpm-credential-sypht" fetch-retries=0 >"$HOME/.npmrc"
	mkdir -p "$SANDBOX_FILES/npm" package
	printf '{"name":"nothing","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"nothing","version":"1.0.0","dist":{"tarball":"%s/files/npm/nothing.tgz"}}}}' \
		"$SANDBOX_API" >"$SANDBOX_FILES/npm/nothing"
	printf '{"name":"nothing","version":"1.0.0"}' >package/package.json
	tar -czf "$SANDBOX_FILES/npm/nothing.tgz" package
	mkdir user && cd user
	echo '{"name":"user"}' >package.json
	try pnpm add nothing
	assert_status 0
	refute [ "$(successes /files/npm/nothing.tgz)" = 0 ]
	assert_equal "$(token_requests)" 1
}

# A module in the sandbox's files, behind its API.
put_module() {
	local place=$SANDBOX_FILES/go/example.com/nothing/@v
	mkdir -p "$place"
	echo v1.0.0 >"$place/list"
	echo '{"Version":"v1.0.0"}' >"$place/v1.0.0.info"
	echo 'module example.com/nothing' >"$place/v1.0.0.mod"
	python3 -c 'import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
	archive.writestr("example.com/nothing@v1.0.0/go.mod", "module example.com/nothing\n")' "$place/v1.0.0.zip"
}

need_go() {
	need go
	if ! [[ $(go version) =~ go1\.([0-9]+) ]] || ((BASH_REMATCH[1] < 24)); then
		skip_allowed 'this go does not know GOAUTH'
	fi
}

# download: the module, as on a machine that never had it.
download() {
	rm -rf "$HOME/go"
	SSL_CERT_FILE=$SANDBOX_CA GOTOOLCHAIN=local GOFLAGS=-modcacherw GOSUMDB=off GOPROXY=$SANDBOX_API/files/go \
		GOAUTH="$BUILD/sypht-credential --protocol=goauth" try go mod download example.com/nothing@v1.0.0
	assert_status 0
	assert_exists "$HOME/go/pkg/mod/example.com/nothing@v1.0.0"
}

@test "go downloads a module with a fresh, a cached and a revoked token" {
	need_go
	put_module
	mkdir module && cd module
	echo 'module user' >go.mod
	download
	download
	assert_equal "$(token_requests)" 1
	revoke_tokens
	download
	assert_equal "$(token_requests)" 2
}

@test "edbrowse names a user itself, and --check says that this wins" {
	need edbrowse
	try sypht-run --check edbrowse
	assert_status 0
	assert_line 'where it names a user and password, its own authentication wins'
}

@test "cargo and Go programs, which carry their own HTTP, do not work by --check" {
	need skopeo
	need_cargo
	try sypht-run --check skopeo
	assert_status 1
	assert_output --partial 'it is written in Go'
	export -n LD_LIBRARY_PATH
	try sypht-run --check "$(command -v cargo)"
	refute_line --partial 'loads libcurl later'
}
