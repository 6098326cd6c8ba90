# sypht-credential and libsypht-preload. "make" builds everything into build/, usable from there.

VERSION := 0.1.0

BUILD  ?= build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
PARTS   = $(LIBDIR)/sypht

# The small programs are static: with musl where its compiler is there, with glibc otherwise.
STATIC_CC ?= $(if $(shell command -v musl-gcc),musl-gcc,$(CC))
STATIC    ?= -static
CFLAGS    ?= -O2 -g
WARNINGS   = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wformat=2 -Wformat-nonliteral -Wcast-qual -Wwrite-strings -Wundef -Werror=implicit
HARDENING  = -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fno-plt
SANITIZE  ?=
GUEST_SANITIZE ?=
COMPILE    = -std=c11 -D_GNU_SOURCE -DSYPHT_VERSION='"$(VERSION)"' -Ihelper \
	$(WARNINGS) $(CFLAGS) -MMD -MP
TRIM       = -ffunction-sections -fdata-sections

INIH := $(shell $(CC) -print-file-name=libinih.a)

# Which files each program is made of, in the order data flows.
LEAVES     = attributes origin settings profile key config cache directory token trace spawn buffer status
SUPPLY     = supply minter secret secretfile outsider vault challenge process $(LEAVES)
CREDENTIAL = credential command $(addprefix dialects/,call change account git shell go keyring \
	tokenfile login status) terminal $(SUPPLY)
DIALECT    = dialect command $(addprefix dialects/,call change account bazel cargo docker \
	kubernetes statusjson) json $(SUPPLY)
MINT       = mint discovery endpoint assertion response transfer json process attributes origin token buffer status
PLUGIN     = $(basename $(notdir $(filter-out plugin/run.c plugin/program.c,$(wildcard plugin/*.c))))
RUN        = run program

PROGRAMS = $(addprefix $(BUILD)/,sypht-credential sypht-mint sypht-dialect sypht-run libsypht-preload.so)
# The names by which git and docker know sypht-credential.
LINKS = $(addprefix $(BUILD)/,git-credential-sypht docker-credential-sypht)

.PHONY: all demo test lint sanitize clean
all: $(PROGRAMS) $(LINKS)

# Three ways to compile: static/ for the small programs, host/ for those with libraries, and pic/
# for the guest in other people's processes.
$(BUILD)/static/%.o: %.c | $(BUILD)/include/ini.h
	@mkdir -p $(@D)
	$(STATIC_CC) $(COMPILE) $(SANITIZE) $(TRIM) -isystem $(BUILD)/include -c -o $@ $<
$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMPILE) $(SANITIZE) $(HARDENING) -c -o $@ $<
$(BUILD)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMPILE) $(GUEST_SANITIZE) $(HARDENING) -fPIC -fvisibility=hidden -c -o $@ $<

# musl's compiler does not look where Debian keeps inih's header.
$(BUILD)/include/ini.h:
	@mkdir -p $(@D)
	ln -sf /usr/include/ini.h $@

$(BUILD)/sypht-credential: $(CREDENTIAL:%=$(BUILD)/static/helper/%.o)
	$(STATIC_CC) $(CFLAGS) $(SANITIZE) $(STATIC) -Wl,--gc-sections -o $@ $^ $(INIH) $(LDFLAGS)
$(BUILD)/sypht-run: $(RUN:%=$(BUILD)/static/plugin/%.o)
	$(STATIC_CC) $(CFLAGS) $(SANITIZE) $(STATIC) -Wl,--gc-sections -o $@ $^ $(LDFLAGS)
$(BUILD)/sypht-mint: $(MINT:%=$(BUILD)/host/helper/%.o)
	$(CC) $(CFLAGS) $(SANITIZE) -Wl,-z,relro,-z,now -o $@ $^ $(LDFLAGS) -lcurl -lcjson -lcrypto
$(BUILD)/sypht-dialect: $(DIALECT:%=$(BUILD)/host/helper/%.o)
	$(CC) $(CFLAGS) $(SANITIZE) -Wl,-z,relro,-z,now -o $@ $^ $(INIH) $(LDFLAGS) -lcjson
$(LINKS): $(BUILD)/sypht-credential
	ln -sf sypht-credential $@
$(BUILD)/libsypht-preload.so: $(PLUGIN:%=$(BUILD)/pic/plugin/%.o) $(LEAVES:%=$(BUILD)/pic/helper/%.o) plugin/plugin.map
	$(CC) $(CFLAGS) $(GUEST_SANITIZE) -shared -Wl,-z,relro,-z,now,-z,defs \
		-Wl,--version-script=plugin/plugin.map -Wl,--exclude-libs,ALL -Wl,--gc-sections \
		-o $@ $(filter %.o,$^) $(INIH) $(LDFLAGS)

demo:
	scripts/setup demo
	$(MAKE) all
	scripts/demo

test:
	scripts/setup test
	$(MAKE) all
	test/run

lint:
	scripts/setup lint
	scripts/lint

# The programs with ASan and UBSan; the plugin, a guest in programs that have neither, as it is.
ASAN = BUILD=build/asan STATIC_CC=$(CC) STATIC= CFLAGS='-O1 -g' \
	SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
# The plugin with TSan, for hosts that are built with it.
TSAN = BUILD=build/tsan CFLAGS='-O1 -g' GUEST_SANITIZE=-fsanitize=thread

sanitize:
	scripts/setup test sanitize
	$(MAKE) all
	$(MAKE) $(ASAN) all
	$(MAKE) $(TSAN) build/tsan/libsypht-preload.so
	scripts/sanitize

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
