#!/usr/bin/env bats
# Where the machine allows a program little: in bubblewrap, under filters of system calls, and with
# what systemd's hardening takes away. A request carries a token, or fails with one line that says
# why; it does not crash, and does not wait for long.

load ../lib/suite

setup_file() {
	start_sandbox
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -o "$BATS_FILE_TMPDIR/confine" "$ROOT/test/hosts/confine.c"
}

teardown_file() {
	stop_sandbox
}

setup() {
	seal
	sypht_env
	reset_sandbox
	PLUGIN=$BUILD/libsypht-preload.so
}

confine() {
	"$BATS_FILE_TMPDIR/confine" "$@"
}

# bubble [OPTION…] -- COMMAND…: with the system's programs and ours, at /sypht, and nothing else.
bubble() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
		--ro-bind "$BUILD" /sypht --ro-bind "$SANDBOX_CA" /ca.pem --setenv SYPHT_CAINFO /ca.pem \
		--setenv CURL_CA_BUNDLE /ca.pem --unshare-pid --unshare-ipc --cap-drop ALL --new-session \
		--die-with-parent "${options[@]}" "$@"
}

needs_bubblewrap() {
	PLUGIN=/sypht/libsypht-preload.so
	bubble -- true || skip_allowed 'bubblewrap cannot make namespaces here'
}

# authorised WHERE…: what is run behind these words has a token, from the endpoint.
authorised() {
	reset_sandbox
	try "$@" env LD_PRELOAD="$PLUGIN" curl -sSI "$SANDBOX_API/echo"
	assert_status 0
	assert_empty "$stderr"
	assert_equal "$(token_requests) $(requests 'select(.server == "api") | .token != null')" '1 true'
}

# refused REASON WHERE…: the request is not sent, and one line gives that reason.
refused() {
	local reason=$1
	shift

	reset_sandbox
	try "$@" env LD_PRELOAD="$PLUGIN" curl -sS -o /dev/null "$SANDBOX_API/echo"
	assert_status 67
	assert_contains "$stderr" "curl: (67) sypht: $reason"
	assert_equal "$(wc -l <<<"$stderr") $(api_requests)" '1 0'
}

# System calls -----------------------------------------------------------------------------------

# What containers and hardened services often refuse.
UNUSUAL=(clone3 copy_file_range io_uring_setup kcmp membarrier memfd_create mlock openat2 personality
	pidfd_open pidfd_send_signal ptrace renameat2 statx userfaultfd)

@test "filters: no unusual system call is needed, whether it fails or ends the process" {
	not_under_sanitizers 'LeakSanitizer needs ptrace and more'
	authorised confine "${UNUSUAL[@]}" --
	rm -r "$XDG_CACHE_HOME/sypht"
	authorised confine kill "${UNUSUAL[@]}" --
}

@test "filters: a token is had without what only protects or tidies up" {
	not_under_sanitizers 'LeakSanitizer needs ptrace and more'
	authorised confine close_range faccessat2 fchmod flock fsync madvise prctl prlimit64 setpgid \
		setpriority setsid utimensat --
}

@test "filters: where no helper can be started, the reason says so" {
	refused 'no descriptors to run ' confine socketpair --
	refused 'no descriptors to run ' confine pipe2 --
	refused 'no process to run ' confine clone --
}

# systemd's hardening ----------------------------------------------------------------------------

@test "systemd: MemoryDenyWriteExecute and NoNewPrivileges" {
	authorised confine no-new-code --
}

@test "systemd: ProtectSystem=strict, ProtectHome and PrivateTmp, with a CacheDirectory and without" {
	needs_bubblewrap
	mkdir -m 700 cache
	authorised bubble --proc /proc --dev /dev --ro-bind /etc /etc --tmpfs /home --chmod 000 /home \
		--tmpfs /root --tmpfs /tmp --bind "$PWD/cache" /var/cache/sypht \
		--setenv SYPHT_CACHE_DIR /var/cache/sypht --setenv HOME /home/nobody --unsetenv XDG_CACHE_HOME --
	[ -n "$(compgen -G 'cache/*.token')" ] || fail 'nothing was cached'
	authorised bubble --proc /proc --dev /dev --ro-bind /etc /etc --tmpfs /home --chmod 000 /home \
		--setenv HOME /home/nobody --unsetenv XDG_CACHE_HOME --
}

@test "systemd: LimitNOFILE, and LimitFSIZE at nothing" {
	authorised prlimit --nofile=24 --
	rm -r "$XDG_CACHE_HOME/sypht"
	authorised prlimit --fsize=0 --
	refused 'no descriptors to run ' prlimit --nofile=6 --
}

# bubblewrap -------------------------------------------------------------------------------------

@test "bubblewrap: /usr, the programs and /proc are enough" {
	needs_bubblewrap
	authorised bubble --proc /proc --
	authorised bubble --proc /proc --unsetenv HOME --unsetenv XDG_CACHE_HOME --
}

@test "bubblewrap: sypht-run finds its library there" {
	needs_bubblewrap
	try bubble --proc /proc --dev /dev -- /sypht/sypht-run curl -sS -w '%{http_code}' -o /dev/null "$SANDBOX_API/echo"
	assert_output 200
}

@test "bubblewrap: without the helper, its mint or a network, the reason says so" {
	needs_bubblewrap
	PLUGIN=/alone/libsypht-preload.so
	refused 'sypht-credential is not where it was installed' \
		bubble --proc /proc --ro-bind "$BUILD/libsypht-preload.so" /alone/libsypht-preload.so --
	refused 'sypht-mint is missing beside this program and in ../lib/sypht' \
		bubble --proc /proc --ro-bind "$BUILD/libsypht-preload.so" /alone/libsypht-preload.so \
		--ro-bind "$BUILD/sypht-credential" /alone/sypht-credential --
	PLUGIN=/sypht/libsypht-preload.so
	refused "$SANDBOX_TOKEN_URL: Failed to connect" bubble --proc /proc --dev /dev --unshare-net --
}

@test "bubblewrap: without /proc, the reason says so" {
	needs_bubblewrap
	refused 'cannot find sypht-mint: /proc/self/exe' bubble --
}

@test "bubblewrap: a token in the cache is enough, without /proc and helper" {
	needs_bubblewrap
	sypht-credential token >/dev/null
	reset_sandbox
	try bubble --bind "$XDG_CACHE_HOME/sypht" /cache --setenv SYPHT_CACHE_DIR /cache \
		--ro-bind "$BUILD/libsypht-preload.so" /alone/libsypht-preload.so -- \
		env LD_PRELOAD=/alone/libsypht-preload.so curl -sS -o /dev/null -w '%{http_code}' "$SANDBOX_API/echo"
	assert_output 200
	assert_equal "$(token_requests)" 0
}
