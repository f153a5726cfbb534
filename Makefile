# usbx: `make run` sets up, builds and runs the example in a sandbox; `make test` runs every test. See README.md.
#
# A folder with parts that are compiled in a way of their own (the gate, the vDSO, the simulated platform) says how in its
# rules.mk: it may add to OBJS (linked into usbx), to TEST_DEPS (built before the tests) and define its own rules below $(B).
#
# SAN=address,undefined builds with sanitizers, apart, into build/san. V=1 shows the whole commands. make test PLATFORM=ptrace
# runs everything on that platform (--platform).

SAN     ?=
Q       := $(if $(V),,@)
B       := build$(if $(SAN),/san)
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1

ifeq ($(origin CC),default)
CC      := gcc
endif
HARDEN  := -fstack-protector-strong -fcf-protection -fstack-clash-protection
OPT     := $(if $(SAN),-O1 -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer,-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(HARDEN))
CFLAGS  ?= -g
# Strict about what others will read: every warning is an error.
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DUSBX_VERSION='"$(VERSION)"' -I. -I$(B)/generated -fPIE -pthread $(OPT) \
	     -Wall -Wextra -Werror -MMD -MP $(CFLAGS)
# One static binary; a sanitizer's run-time library wants a dynamic one.
LDFLAGS_USBX = $(if $(SAN),-pie,-static-pie) $(OPT) -pthread -Wl,-z,relro,-z,now,-z,noexecstack
LIBS    = -lseccomp -l:liburing.a -lelf -lz -l:libyaml.a

SRCS := $(wildcard sentry/base/*.c platform/*.c platform/systrap/*.c platform/ptrace/*.c fs/*.c fs/*/*.c netstack/*.c sentry/*.c \
		   loader/*.c syscalls/*.c runtime/*.c)
OBJS := $(SRCS:%.c=$(B)/%.o)
TEST_DEPS :=

.PHONY: all run test check bench install clean fuzz
# Sanitized parts are tested by themselves: the jail forbids the host calls of a sanitizer's run-time library.
all: $(if $(SAN),$(B)/libusbx.a,$(B)/usbx)

-include platform/systrap/rules.mk
-include loader/vdso/rules.mk
-include syscalls/rules.mk
-include tests/sim/rules.mk
-include tests/wire/rules.mk
-include tests/interop/rules.mk
-include tests/attack/rules.mk
-include tests/fuzz/rules.mk

$(B)/usbx: $(OBJS)
	@echo "LINK $@"
	$(Q)$(CC) $(LDFLAGS_USBX) -o $@ $^ $(LIBS)

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "CC $<"
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Unit tests: each file of tests/unit is one Criterion program on top of everything but the command line's main.
# Guests in the shape of functions (systrap_*) cannot carry a sanitizer's instrumentation.
UNIT_SRCS := $(filter-out $(if $(SAN),tests/unit/systrap_%.c),$(wildcard tests/unit/*.c))
UNIT_BINS := $(UNIT_SRCS:tests/unit/%.c=$(B)/unit/%)
LIB_OBJS   = $(filter-out $(B)/runtime/main.o,$(OBJS))

# As an archive, so that a test may bring its own version of a part.
$(B)/libusbx.a: $(LIB_OBJS)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/unit/%: tests/unit/%.c $(B)/libusbx.a Makefile
	@mkdir -p $(@D)
	@echo "CC $<"
	$(Q)$(CC) $(filter-out -Wextra,$(ALL_CFLAGS)) -pie -MF $@.d -o $@ $< $(B)/libusbx.a -lcriterion $(LIBS)

.PHONY: unit-tests
unit-tests: $(UNIT_BINS)

# The same binary, but one that tries a forbidden host call right after the jail has closed (tests/attack).
$(B)/usbx-forbidden: $(OBJS) runtime/probe.c
	@echo "LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -DUSBX_JAIL_TEST -MF $@.d $(LDFLAGS_USBX) -o $@ runtime/probe.c \
		$(filter-out $(B)/runtime/probe.o,$(OBJS)) $(LIBS)

# And one that scans the arena for pointers into code all the time (design D5; tests/sim/run).
$(B)/usbx-scan: $(OBJS) sentry/loop.c
	$(CC) $(ALL_CFLAGS) -DUSBX_ARENA_SCAN -MF $@.d $(LDFLAGS_USBX) -o $@ sentry/loop.c \
		$(filter-out $(B)/sentry/loop.o,$(OBJS)) $(LIBS)

$(B)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "CC $<"
	$(Q)$(CC) -O2 -pthread -o $@ $<

# On all CPUs, unless the person said -j.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

run:
	scripts/setup
	$(MAKE) $(PARALLEL) all
	cd examples && ../build/usbx run -- python3 agent.py

test:
	scripts/setup --tests
	$(MAKE) $(PARALLEL) all unit-tests $(if $(SAN),,$(B)/usbx-forbidden) $(TEST_DEPS)
	B=$(B) $(if $(PLATFORM),USBX_PLATFORM=$(PLATFORM)) scripts/test-all

check:
	scripts/tidy

bench: $(B)/usbx $(B)/bench/calls $(B)/bench/net
	scripts/bench

install: $(B)/usbx
	install -D -m 755 $(B)/usbx $(DESTDIR)$(PREFIX)/bin/usbx
	install -D -m 644 docs/usbx.1 $(DESTDIR)$(PREFIX)/share/man/man1/usbx.1
	install -D -m 644 runtime/completion/usbx.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/usbx
	install -D -m 644 runtime/completion/_usbx $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_usbx

clean:
	rm -rf build

-include $(OBJS:.o=.d) $(UNIT_BINS:%=%.d)
