#!/usr/bin/env bats
# Programs that fetch from a registry, each with the helper it knows to ask, against the sandbox.
# Those that are not installed are left out.

load ../suite

setup_file() {
	start_sandbox
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	reset_sandbox
	sypht_env
	HOST=${SANDBOX_API#https://}
}

need() {
	PATH=$PATH:${CLIENTS_PATH:-}
	command -v "$1" >/dev/null || skip_allowed "$1 is not installed"
}

successes() {
	requests "select(.server == \"api\" and .status == 200 and (.path | startswith(\"$1\"))).path" | wc -l
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
}

@test "kubectl runs sypht-credential kubernetes, and its token opens the API" {
	need kubectl
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
		      apiVersion: client.authentication.k8s.io/v1
		      command: $BUILD/sypht-credential
		      args: [kubernetes]
		      interactiveMode: Never
		      provideClusterInfo: true
	EOF
	try kubectl --kubeconfig config get --raw /echo
	assert_status 0
	assert_contains "$output" '"path":"/echo"'
	assert_equal "$(token_requests)" 1
	sed -i 's,k8s.io/v1,k8s.io/v1beta1,' config
	try kubectl --kubeconfig config get --raw /echo
	assert_status 0
	assert_equal "$(token_requests)" 1
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
}

# rustup's proxies want to know where it is; a cargo of 1.74 or newer speaks the protocol.
need_cargo() {
	local own minor
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
	try env -u REQUESTS_CA_BUNDLE -u PIP_CERT "$PYTHON" -m pip download --isolated --no-cache-dir --disable-pip-version-check --keyring-provider subprocess \
		--cert "$SANDBOX_CA" --index-url "https://oauth2@$HOST/basic/echo" nothing
	assert_equal "$(successes /basic/echo/)" 1
	assert_equal "$(token_requests)" 1
}

# CLIENTS_PATH: where the machine keeps programs beyond the usual places.
need_pip() {
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

@test "a Go of 1.24 or newer runs GOAUTH" {
	need go
	if ! [[ $(go version) =~ go1\.([0-9]+) ]] || ((BASH_REMATCH[1] < 24)); then
		skip_allowed 'this go does not know GOAUTH'
	fi
	mkdir -p "$SANDBOX_FILES/go/example.com/nothing/@v" module
	echo v1.0.0 >"$SANDBOX_FILES/go/example.com/nothing/@v/list"
	cd module
	SSL_CERT_FILE=$SANDBOX_CA GOFLAGS=-mod=mod GONOSUMDB='*' GOPROXY=$SANDBOX_API/files/go \
		GOAUTH="$BUILD/sypht-credential --protocol=goauth" try go list -m -versions example.com/nothing
	assert_contains "$output" v1.0.0
}
