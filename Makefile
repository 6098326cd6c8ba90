# sypht-credential and libsypht-preload. "make" builds everything into build/, usable from there.

VERSION := 0.1.0

BUILD  ?= build
PREFIX ?= /usr/local

# make splits names at blanks, and the dynamic linker splits LD_PRELOAD at blanks and colons.
COLON := :
$(foreach name,CURDIR BUILD PREFIX DESTDIR,$(if $(word 2,x$($(name))x)$(findstring $(COLON),$($(name))),\
	$(error $(name) is "$($(name))"$(COLON) neither make nor LD_PRELOAD can handle a blank or a colon in\
	a path; use a directory without them)))
# /usr/local/ is /usr/local
override PREFIX := $(patsubst %/,%,$(abspath $(patsubst ~/%,$(HOME)/%,$(PREFIX))))
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
DOCDIR ?= $(DATADIR)/doc/sypht-credential
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d
PARTS   = $(LIBDIR)/sypht
INSTALL ?= install

# The small programs are static if inih is there as an archive: with musl where its compiler is
# there, with glibc otherwise.
INIH := $(filter /%,$(shell $(CC) -print-file-name=libinih.a 2>/dev/null))
ifeq ($(origin STATIC_CC),undefined)
STATIC_CC := $(if $(INIH),$(if $(shell command -v musl-gcc),musl-gcc,$(CC)),$(CC))
endif
STATIC    ?= $(if $(filter /%,$(INIH)),-static)
ifeq ($(INIH),)
INIH := -linih
endif
CFLAGS    ?= -O2 -g
WARNINGS   = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wformat-nonliteral -Wcast-qual -Wwrite-strings -Wundef -Werror=implicit
HARDENING  = -fstack-protector-strong -fno-plt
FORTIFY    = -D_FORTIFY_SOURCE=2
SANITIZE  ?=
GUEST_SANITIZE ?=
# glibc and musl can both load a plugin that names no C library and uses what both export: on 64
# bits, where their types are alike, and without a tool's runtime, which is glibc's.
BITS      := $(shell echo __SIZEOF_POINTER__ | $(CC) -E -P - 2>/dev/null)
ANY_LIBC   = $(if $(filter 8,$(BITS)),$(if $(GUEST_SANITIZE)$(findstring coverage,$(CFLAGS)),,-nodefaultlibs -lgcc))
COMPILE    = -std=c11 -D_GNU_SOURCE -DSYPHT_VERSION='"$(VERSION)"' -Ihelper -Iplugin \
	$(WARNINGS) $(CFLAGS) -MMD -MP
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
STORE_FLAGS = $(if $(STORE),-DSYPHT_STORE) $(if $(STORE_TLS),-DSYPHT_STORE_TLS)
COMPILE   += $(if $(MULTIARCH),-DSYPHT_MULTIARCH='"$(MULTIARCH)"')
TRIM       = -ffunction-sections -fdata-sections
TRIM_LINK  = -Wl,--gc-sections -Wl,-z,noseparate-code # fewer pages to map

# Each step in a word; make V=1 shows the commands.
Q   = $(if $(V),,@)
SAY = $(if $(V),@:,@printf '  %-6s %s\n')

# A shared store needs hiredis and libsodium; TLS to it needs a hiredis that has TLS. Without these
# headers the rest is built, and refuses a configured store with the reason.
includes = $(shell $(CC) $(CFLAGS) $(1:%=-include %) -E -x c /dev/null >/dev/null 2>&1 && echo yes)
ifeq ($(origin STORE),undefined)
STORE     := $(call includes,hiredis/hiredis.h sodium.h)
endif
ifeq ($(origin STORE_TLS),undefined)
STORE_TLS := $(and $(STORE),$(call includes,hiredis/hiredis.h hiredis/hiredis_ssl.h))
endif

# A folder of the source is a room and becomes one archive. The linker reads archives in the order
# given here, so a call against the direction of the data does not link.
ROOMS      = core supply dialects mint fleet
SHARED     = process libexec
CREDENTIAL = credential.o cli.o dialects.a supply.a shared.a core.a
DIALECT    = dialect.o cli.o dialects.a supply.a json.o shared.a core.a
MINT       = mint.o mint.a json.o shared.a core.a
FLEET      = fleet.o fleet.a shared.a core.a
PLUGIN     = $(patsubst plugin/%.c,%.o,$(wildcard plugin/*.c))
RUN        = $(patsubst plugin/%.c,%.o,$(wildcard plugin/run/*.c)) elffile.o
ABSENT     = $(if $(STORE),,helper/fleet/%) $(if $(STORE_TLS),,helper/fleet/redistls.c)

PROGRAMS = $(addprefix $(BUILD)/,sypht-credential sypht-mint $(if $(STORE),sypht-fleet) sypht-dialect \
	sypht-run libsypht-preload.so)
# The names by which git and docker know sypht-credential.
LINKS = $(addprefix $(BUILD)/,git-credential-sypht docker-credential-sypht)

.PHONY: all install uninstall deb demo test test-clients test-fleet test-arch test-install test-libcurl8 lint sanitize coverage torture replay fuzz fuzz-calls clean
all: $(BUILD)/ready-host $(PROGRAMS) $(LINKS)

# Before anything is compiled, name all that is missing. The plugin alone needs less.
NEEDED      = ini.h curl/curl.h openssl/ssl.h cjson/cJSON.h
$(BUILD)/ready-host: WANTED = $(NEEDED)
$(BUILD)/ready-pic: WANTED = curl/curl.h
$(BUILD)/ready-%:
	@missing='$(strip $(if $(shell command -v $(firstword $(CC))),$(foreach header,$(WANTED),$(if \
		$(call includes,$(header)),,$(header))),$(firstword $(CC))))'; \
	[ -z "$$missing" ] || { \
		echo "make: not found: $$missing; install what the build needs: scripts/setup build" >&2; exit 2; }
	@mkdir -p $(@D) && touch $@

# Three ways to compile: static/ for the small programs, host/ for those with libraries, and pic/
# for the library that is loaded into other people's processes.
$(BUILD)/static/%.o: %.c | $(BUILD)/include/ini.h
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(STATIC_CC) $(COMPILE) $(SANITIZE) $(TRIM) -isystem $(BUILD)/include -c -o $@ $<
$(BUILD)/host/%.o: %.c | $(BUILD)/ready-host
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(COMPILE) $(SANITIZE) $(HARDENING) $(FORTIFY) -c -o $@ $<
$(BUILD)/pic/%.o: %.c | $(BUILD)/ready-pic $(BUILD)/include/ini.h
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(COMPILE) $(GUEST_SANITIZE) $(HARDENING) -isystem $(BUILD)/include -fPIC -fvisibility=hidden -c -o $@ $<

# objects WAY, SOURCES; archive WAY, ROOM, SOURCES
objects = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(filter-out $(ABSENT),$(2)))
define archive
$(BUILD)/$(1)/helper/$(2).a: $(call objects,$(1),$(3))
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
endef
archives = $(foreach room,$(ROOMS),$(eval $(call archive,$(1),$(room),$(wildcard helper/$(room)/*.c)))) \
	$(eval $(call archive,$(1),shared,$(SHARED:%=helper/%.c)))
$(foreach way,static host pic fuzz guarded,$(call archives,$(way)))

# It runs before a sanitizer has set itself up, as that asks dlsym() for its own functions.
$(BUILD)/pic/plugin/loader.o: override GUEST_SANITIZE =

# What knows of the store is compiled anew where there is one all of a sudden, or none any more.
STORE_OBJECTS = $(foreach way,static host pic,$(BUILD)/$(way)/helper/core/configvalue.o) \
	$(BUILD)/host/helper/fleet/redis.o
$(STORE_OBJECTS): COMPILE += $(STORE_FLAGS)
$(STORE_OBJECTS): $(BUILD)/store-flags
$(BUILD)/store-flags: FORCE
	@mkdir -p $(@D)
	@echo '$(STORE_FLAGS)' | cmp -s - $@ || echo '$(STORE_FLAGS)' >$@
.PHONY: FORCE

# musl's compiler does not look where Debian keeps inih's header.
$(BUILD)/include/ini.h: | $(BUILD)/ready-pic
	@mkdir -p $(@D)
	$(Q)ln -sf /usr/include/ini.h $@

$(BUILD)/sypht-credential: $(CREDENTIAL:%=$(BUILD)/static/helper/%)
	$(SAY) LINK $@
	$(Q)$(STATIC_CC) $(CFLAGS) $(SANITIZE) $(STATIC) $(TRIM_LINK) -o $@ $^ $(INIH) $(LDFLAGS)
$(BUILD)/sypht-run: $(RUN:%=$(BUILD)/static/plugin/%) $(BUILD)/static/helper/core.a
	$(SAY) LINK $@
	$(Q)$(STATIC_CC) $(CFLAGS) $(SANITIZE) $(STATIC) $(TRIM_LINK) -o $@ $^ $(LDFLAGS)
$(BUILD)/sypht-mint: $(MINT:%=$(BUILD)/host/helper/%)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -Wl,-z,relro,-z,now -o $@ $^ $(LDFLAGS) -lcurl -lcjson -lcrypto
$(BUILD)/sypht-fleet: $(FLEET:%=$(BUILD)/host/helper/%)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -Wl,-z,relro,-z,now -o $@ $^ $(LDFLAGS) -lhiredis -lsodium \
		$(if $(STORE_TLS),-lhiredis_ssl -lssl -lcrypto)
$(BUILD)/sypht-dialect: $(DIALECT:%=$(BUILD)/host/helper/%)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -Wl,-z,relro,-z,now -o $@ $^ $(INIH) $(LDFLAGS) -lcjson
$(LINKS): $(BUILD)/sypht-credential
	$(Q)ln -sf sypht-credential $@
$(BUILD)/libsypht-preload.so: $(PLUGIN:%=$(BUILD)/pic/plugin/%) $(BUILD)/pic/helper/core.a plugin/plugin.map
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(GUEST_SANITIZE) -shared -Wl,-z,relro,-z,now \
		-Wl,--version-script=plugin/plugin.map -Wl,--exclude-libs,ALL -Wl,--gc-sections \
		-o $@ $(filter %.o %.a,$^) $(INIH) $(LDFLAGS) $(ANY_LIBC)

demo:
	scripts/setup demo
	$(MAKE) --no-print-directory -j $(shell nproc) all
	scripts/demo

test:
	scripts/setup test
	$(MAKE) --no-print-directory -j $(shell nproc) all torture replay
	test/run
	$(if $(CI),test/libcurl8)

# The suites that need programs which Debian lacks or has too old; what is missing is left out.
# TEST_GIT names a newer git, CLIENTS_PATH where more programs are.
test-clients:
	scripts/setup clients
	$(MAKE) all
	test/clients/run

# The suites in which programs use libcurl, on the libcurl 8 of Debian's backports.
test-libcurl8:
	scripts/setup test
	$(MAKE) --no-print-directory -j $(shell nproc) all
	test/libcurl8

# Cross-built, and run under emulation.
test-arch:
	scripts/setup test arch
	$(MAKE) --no-print-directory -j $(shell nproc) all
	test/arch/run

# What "make bench" measures with. The launchers are small and static, as what they launch is
# charged with their memory until it executes.
BENCH = $(addprefix $(BUILD)/bench/,race herd calls serve throughput steady empty.so linked.so \
	glibc/sypht-credential)

$(BUILD)/bench/race $(BUILD)/bench/herd: $(BUILD)/bench/%: test/bench/%.c
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(STATIC_CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 $(STATIC) -o $@ $<
$(BUILD)/bench/%.so:
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)echo 'int nothing;' | $(CC) -shared -fPIC -x c -o $@ - $(if $(findstring linked,$@),-Xlinker --no-as-needed -lcurl)
$(BUILD)/bench/glibc/sypht-credential: $(BUILD)/sypht-credential
	$(Q)$(MAKE) --no-print-directory STATIC_CC=$(CC) BUILD=$(@D) $@
$(BUILD)/bench/%: test/bench/%.c
	@mkdir -p $(@D)
	$(SAY) LD $@
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -pthread -o $@ $< -lcurl

bench:
	scripts/setup bench
	$(MAKE) all $(BENCH)
	BUILD=$(BUILD) scripts/bench $(if $(QUICK),--quick)

# A hundred machines that share a token, in good times and in bad.
test-fleet:
	scripts/setup fleet
	$(MAKE) --no-print-directory -j $(shell nproc) all
	test/fleet/drill

lint:
	scripts/setup lint
	scripts/lint

# The programs with ASan and UBSan; the plugin, a guest in programs that have neither, as it is.
ASAN = BUILD=build/asan STATIC_CC=$(CC) STATIC= CFLAGS='-O1 -g' LDFLAGS=-static-libasan \
	SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
# The plugin with TSan, for hosts that are built with it.
TSAN = BUILD=build/tsan CFLAGS='-O1 -g' GUEST_SANITIZE=-fsanitize=thread

sanitize:
	scripts/setup test sanitize
	$(MAKE) --no-print-directory -j $(shell nproc) all
	$(MAKE) --no-print-directory -j $(shell nproc) $(ASAN) all torture replay
	$(MAKE) --no-print-directory -j $(shell nproc) $(TSAN) build/tsan/libsypht-preload.so
	scripts/sanitize

# Which lines of helper/ and plugin/ the suites execute, and which they do not; SUITES are all of
# them if none is named. musl cannot carry the counters.
COVERAGE = BUILD=build/coverage STATIC_CC=$(CC) STATIC= CFLAGS='-O0 -g --coverage'
FLUSH    = build/coverage/host/test/drivers/coverage.o

coverage:
	scripts/setup test
	$(MAKE) --no-print-directory $(COVERAGE) $(FLUSH)
	$(MAKE) --no-print-directory -j $(shell nproc) $(COVERAGE) \
		LDFLAGS='$(CURDIR)/$(FLUSH) -Wl,--wrap=_exit' all torture replay
	find build/coverage -name '*.gcda' -delete
	-TEST_BUILD=$(CURDIR)/build/coverage TEST_SANITIZED=1 test/run $(SUITES)
	scripts/coverage build/coverage

# Who goes where: install and uninstall go by these lists alone. git and docker find their helpers
# by name, so sypht-credential is there under those names too.
BINARIES  = $(addprefix $(BUILD)/,sypht-credential sypht-run)
BACKSTAGE = $(filter-out $(BINARIES),$(PROGRAMS))
MAN1      = helper/sypht-credential.1 plugin/run/sypht-run.1
MAN5      = helper/sypht-config.5
MAN7      = helper/sypht-tutorial.7 plugin/sypht-preload.7
NAMES     = sypht-credential sypht-run git-credential-sypht docker-credential-sypht
# sypht-fleet always: who uninstalls may no longer have what it was built with
INSTALLED = $(addprefix $(BINDIR)/,$(NAMES)) $(addprefix $(PARTS)/,$(notdir $(BACKSTAGE)) sypht-fleet) \
	$(NAMES:%=$(MANDIR)/man1/%.1) $(addprefix $(MANDIR)/man5/,$(notdir $(MAN5))) \
	$(addprefix $(MANDIR)/man7/,$(notdir $(MAN7))) \
	$(addprefix $(BASHDIR)/,$(notdir $(BINARIES))) \
	$(addprefix $(ZSHDIR)/_,$(notdir $(BINARIES))) \
	$(patsubst %,$(FISHDIR)/%.fish,$(notdir $(BINARIES))) \
	$(addprefix $(DOCDIR)/,README.md LICENSE)
PLACES    = $(sort $(patsubst %/,%,$(dir $(INSTALLED))))

# The programs look for each other here, seen from where they stand, and nowhere else.
REACHED   = ../lib/sypht ../lib64/sypht $(if $(MULTIARCH),../lib/$(MULTIARCH)/sypht)

install: all
	@reach=$$(realpath -m --relative-to=$(BINDIR) $(PARTS)); \
	case ' $(REACHED) ' in *" $$reach "*) ;; *) \
		echo "install: from BINDIR the parts would be in $$reach, not in one of: $(REACHED)" >&2; \
		exit 2 ;; esac
	$(INSTALL) -d $(addprefix $(DESTDIR),$(PLACES))
	$(INSTALL) -m 755 $(BINARIES) $(DESTDIR)$(BINDIR)
	for caller in git docker; do \
		ln -sf sypht-credential $(DESTDIR)$(BINDIR)/$$caller-credential-sypht; done
	$(INSTALL) -m 755 $(filter-out %.so,$(BACKSTAGE)) $(DESTDIR)$(PARTS)
	$(INSTALL) -m 644 $(filter %.so,$(BACKSTAGE)) $(DESTDIR)$(PARTS)
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	for caller in git docker; do \
		ln -sf sypht-credential.1 $(DESTDIR)$(MANDIR)/man1/$$caller-credential-sypht.1; done
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7
	for name in $(notdir $(BINARIES)); do \
		$(INSTALL) -m 644 scripts/completions/$$name.bash $(DESTDIR)$(BASHDIR)/$$name || exit; done
	$(INSTALL) -m 644 $(wildcard scripts/completions/_*) $(DESTDIR)$(ZSHDIR)
	$(INSTALL) -m 644 $(wildcard scripts/completions/*.fish) $(DESTDIR)$(FISHDIR)
	$(INSTALL) -m 644 README.md LICENSE $(DESTDIR)$(DOCDIR)

# A prefix that other software shares keeps its directories, except those with our name. Any other
# prefix is removed with what install made there, unless it holds something else.
SHARED_PREFIXES = /usr /usr/local /opt $(HOME) $(HOME)/.local
uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
ifeq ($(filter $(SHARED_PREFIXES),$(or $(PREFIX),/usr)),)
	@[ ! -d $(DESTDIR)$(PREFIX) ] || { (cd $(DESTDIR)$(PREFIX) && \
		for place in $(patsubst $(PREFIX)/%,%,$(filter $(PREFIX)/%,$(PLACES))); do \
			[ ! -d $$place ] || rmdir -p --ignore-fail-on-non-empty $$place; done) && \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX); }
endif
	@for place in $(addprefix $(DESTDIR),$(PARTS) $(DOCDIR)); do \
		[ ! -d $$place ] || rmdir --ignore-fail-on-non-empty $$place; done

deb:
	scripts/setup deb
	$(MAKE) --no-print-directory -j $(shell nproc) all
	scripts/deb $(VERSION) $(BUILD)

# Installs, uses and removes what make install and make deb make, in a fresh Debian; as root.
test-install:
	scripts/setup install
	$(MAKE) --no-print-directory deb
	test/run test/install/*.bats

# ---- for tests alone ----

# Programs whose allocations fail on order: test/drivers/torture-alloc.c
COMMA    = ,
WRAPPED  = malloc calloc realloc strdup strndup asprintf
WRAP     = $(addprefix -Wl$(COMMA)--wrap=,$(WRAPPED))
TORTURED = $(addprefix $(BUILD)/torture/,sypht-credential sypht-dialect sypht-mint)

torture: $(TORTURED)
$(BUILD)/torture/sypht-credential: $(CREDENTIAL:%=$(BUILD)/static/helper/%) $(BUILD)/static/test/drivers/torture-alloc.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(STATIC_CC) $(CFLAGS) $(SANITIZE) $(STATIC) $(WRAP) -o $@ $^ $(INIH) $(LDFLAGS)
$(BUILD)/torture/sypht-dialect: $(DIALECT:%=$(BUILD)/host/helper/%) $(BUILD)/host/test/drivers/torture-alloc.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(WRAP) -o $@ $^ $(INIH) $(LDFLAGS) -lcjson
$(BUILD)/torture/sypht-mint: $(MINT:%=$(BUILD)/host/helper/%) $(BUILD)/host/test/drivers/torture-alloc.o
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(WRAP) -o $@ $^ $(LDFLAGS) -lcurl -lcjson -lcrypto

# Fuzzers, one for each reader of what others wrote: make fuzz looks for news with libFuzzer,
# make replay goes through the corpus without it.
FUZZERS      = attributes cache calls challenge config origin response storeurl
FUZZED       = dialects.a mint.a json.o shared.a core.a
FUZZ_CC     ?= clang
FUZZ_FLAGS   = -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SECONDS ?= 60

$(BUILD)/fuzz/%.o: %.c | $(BUILD)/ready-host
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(FUZZ_CC) $(COMPILE) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(BUILD)/fuzz/run/%: $(BUILD)/fuzz/test/fuzz/%.o $(FUZZED:%=$(BUILD)/fuzz/helper/%)
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(INIH) -lcurl -lcjson
$(BUILD)/replay/%: $(BUILD)/host/test/fuzz/%.o $(BUILD)/host/test/fuzz/replay.o $(FUZZED:%=$(BUILD)/host/helper/%)
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(INIH) -lcurl -lcjson

# The plugin as a guest: calls of a libcurl that has no network, in any order. What finds a libcurl
# and what supplies tokens is replaced; of the rest what is needed is linked.
# Under ASan always, as its findings are of that kind.
CALLS   = $(basename $(filter-out %/random.c,$(wildcard test/fuzz/calls.c test/fuzz/calls/*.c)))
GUEST   = $(patsubst %,plugin/%,$(filter-out exports.o loader.o resolve.o scope.o supplier.o,$(PLUGIN))) \
	$(patsubst %.c,%.o,$(wildcard helper/core/*.c))

$(BUILD)/guarded/%.o: %.c | $(BUILD)/ready-host
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(COMPILE) $(FUZZ_FLAGS) -c -o $@ $<
$(BUILD)/guarded/guest.a: $(GUEST:%=$(BUILD)/guarded/%)
$(BUILD)/fuzz/guest.a: $(GUEST:%=$(BUILD)/fuzz/%)
$(BUILD)/%/guest.a:
	$(Q)$(AR) rcs $@ $^
$(BUILD)/replay/calls: $(BUILD)/guarded/test/fuzz/replay.o
$(BUILD)/replay/calls-random: $(BUILD)/guarded/test/fuzz/calls/random.o
$(BUILD)/replay/calls $(BUILD)/replay/calls-random: $(CALLS:%=$(BUILD)/guarded/%.o) $(BUILD)/guarded/guest.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(FUZZ_FLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(INIH) -lcurl
# The plugin's own allocations fail on order there: test/fuzz/calls/memory.h
$(BUILD)/guarded/tortured.a: $(BUILD)/guarded/guest.a
	$(Q)objcopy $(foreach name,malloc calloc realloc strdup,--redefine-sym $(name)=memory_$(name)) $< $@
$(BUILD)/replay/calls-torture: $(CALLS:%=$(BUILD)/guarded/%.o) $(BUILD)/guarded/test/fuzz/calls/random.o \
		$(BUILD)/guarded/tortured.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(CC) $(CFLAGS) $(FUZZ_FLAGS) -o $@ $^ $(INIH) -lcurl
$(BUILD)/fuzz/run/calls: $(CALLS:%=$(BUILD)/fuzz/%.o) $(BUILD)/fuzz/guest.a
	@mkdir -p $(@D)
	$(SAY) LINK $@
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(INIH) -lcurl

# 10,000,000 steps of programs made at random.
FUZZ_STEPS ?= 10000000
fuzz-calls:
	$(MAKE) --no-print-directory -j $(shell nproc) $(BUILD)/replay/calls-random
	CALLS_FOUND=$(BUILD)/replay/found $(BUILD)/replay/calls-random $(FUZZ_STEPS) $(FUZZ_SEED)

replay: $(FUZZERS:%=$(BUILD)/replay/%) $(addprefix $(BUILD)/replay/,calls-random calls-torture)

fuzz:
	scripts/setup fuzz
	$(MAKE) --no-print-directory -j $(shell nproc) $(FUZZERS:%=$(BUILD)/fuzz/run/%)
	test/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS) $(FUZZERS)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
