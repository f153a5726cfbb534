# libFuzzer targets: `make fuzz` runs each for FUZZ_SECONDS. Found inputs stay in build/fuzz/NAME.
FUZZ_SECONDS ?= 600
FUZZ_CFLAGS  := -std=gnu11 -D_GNU_SOURCE -I. -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZERS      := $(B)/fuzz/elf.bin $(B)/fuzz/tar.bin $(B)/fuzz/config.bin $(B)/fuzz/frame.bin $(B)/fuzz/dns.bin \
		$(B)/fuzz/sniff.bin $(B)/fuzz/policy.bin $(B)/fuzz/netlink.bin

$(B)/fuzz/elf.bin: tests/fuzz/elf.c loader/elf.c loader/elf.h
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ tests/fuzz/elf.c loader/elf.c -lelf -lz

TAR_SOURCES := runtime/tar_read.c runtime/change_text.c sentry/base/json.c sentry/base/text.c sentry/base/utf8.c
$(B)/fuzz/tar.bin: tests/fuzz/tar.c tests/fuzz/no_arena.c $(TAR_SOURCES)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ $^

$(B)/fuzz/config.bin: tests/fuzz/config.c runtime/config.c runtime/yaml_reader.c runtime/option_table.c runtime/options.def
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^) -l:libyaml.a

# The stack is instrumented, what lies below it is as in usbx.
FRAME_SOURCES := tests/fuzz/frame.c tests/wire/mirror.c $(wildcard netstack/*.c)
$(B)/fuzz/frame.bin: $(FRAME_SOURCES) $(wildcard netstack/*.h) $(B)/libusbx.a
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -I$(B)/generated -pthread -Wl,--wrap=hostdep_monotonic_ns -o $@ $(FRAME_SOURCES) $(B)/libusbx.a $(LIBS)

RULE_SOURCES := netstack/policy_rule.c sentry/base/text.c tests/fuzz/no_arena.c
$(B)/fuzz/dns.bin: tests/fuzz/dns.c netstack/dns_message.c $(RULE_SOURCES)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ $^

$(B)/fuzz/sniff.bin: tests/fuzz/sniff.c netstack/policy_sniff.c netstack/sniff_tls.c netstack/sniff_http.c $(RULE_SOURCES)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ $^

$(B)/fuzz/policy.bin: tests/fuzz/policy.c runtime/policy_parse.c runtime/yaml_reader.c $(RULE_SOURCES)
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ $^ -l:libyaml.a

# The parser with coverage and sanitizers; of the rest of the stack, which it asks, only the archive.
NETLINK_SOURCES := netstack/netlink.c netstack/netlink_route.c netstack/netlink_change.c netstack/netlink_diag.c
$(B)/fuzz/netlink.bin: tests/fuzz/netlink.c $(NETLINK_SOURCES) $(B)/libusbx.a
	@mkdir -p $(@D)
	clang $(FUZZ_CFLAGS) -o $@ $^ $(LIBS)

.PHONY: fuzz-setup
fuzz-setup:
	scripts/setup --fuzz

# Real programs to begin with: the header and the program headers of some of the host's.
fuzz: fuzz-setup $(FUZZERS)
	@mkdir -p $(B)/fuzz/elf
	for file in /bin/true /bin/bash /usr/bin/python3 /sbin/ldconfig /lib64/ld-linux-x86-64.so.2; do \
		head -c 2048 $$file > $(B)/fuzz/elf/$$(basename $$file); done
	$(B)/fuzz/elf.bin -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ -max_len=4096 -print_final_stats=1 $(B)/fuzz/elf
	@mkdir -p $(B)/fuzz/tar
	python3 tests/fuzz/tar_seeds.py $(B)/fuzz/tar
	$(B)/fuzz/tar.bin -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ -max_len=8192 -print_final_stats=1 $(B)/fuzz/tar
	@mkdir -p $(B)/fuzz/config
	sed -n 's/^    //p' docs/config.md >$(B)/fuzz/config/example
	printf '{tty: true, "mount": [a:/b, "c"], strace: false, memory: |\n 2G\n}' >$(B)/fuzz/config/shapes
	$(B)/fuzz/config.bin -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ -max_len=2048 -print_final_stats=1 $(B)/fuzz/config
	@mkdir -p $(B)/fuzz/frame
	python3 tests/fuzz/frame_seeds.py $(B)/fuzz/frame
	$(B)/fuzz/frame.bin -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ -max_len=4096 -print_final_stats=1 $(B)/fuzz/frame
	@mkdir -p $(B)/fuzz/dns $(B)/fuzz/sniff $(B)/fuzz/policy
	python3 tests/fuzz/policy_seeds.py $(B)/fuzz
	for name in dns sniff policy; do \
		$(B)/fuzz/$$name.bin -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ -max_len=2048 -print_final_stats=1 $(B)/fuzz/$$name || exit 1; \
	done
	@mkdir -p $(B)/fuzz/netlink
	python3 tests/fuzz/netlink_seeds.py $(B)/fuzz/netlink
	$(B)/fuzz/netlink.bin -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ -max_len=512 -print_final_stats=1 $(B)/fuzz/netlink
