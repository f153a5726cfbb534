# The gate: a freestanding blob at a fixed address, embedded into the sentry (start.c), and a header of its symbols.
# General registers only: the guest's vector registers are live in it.
GATE_CFLAGS := -O2 -Wall -Wextra -Werror -std=gnu11 -ffreestanding -mgeneral-regs-only -mfsgsbase -fno-stack-protector \
	       -fcf-protection=none -fno-pic -fno-pie -mcmodel=large -fno-asynchronous-unwind-tables -fno-jump-tables \
	       -fno-tree-loop-distribute-patterns -fno-builtin -I.
GATE        := $(B)/platform/systrap/gate
SYSTRAP_SRCS := $(wildcard platform/systrap/*.c)

$(GATE)/gate.elf: platform/systrap/gate/gate.S platform/systrap/gate/gate.c platform/systrap/gate/gate.ld \
		platform/systrap/gate/gate.h platform/systrap/abi.h syscalls/prefetch.h syscalls/pairs.h syscalls/kinds.def syscalls/syscalls.def
	@mkdir -p $(@D)
	@echo "LINK $@"
	$(Q)$(CC) $(GATE_CFLAGS) -static -nostdlib -no-pie -Wl,-T,platform/systrap/gate/gate.ld,--build-id=none -o $@ \
		platform/systrap/gate/gate.S platform/systrap/gate/gate.c

$(GATE)/gate.bin: $(GATE)/gate.elf
	$(Q)objcopy -O binary -j .text -j .agent $< $@

$(GATE)/gate_symbols.h: $(GATE)/gate.elf
	$(Q)nm $< | awk '$$2 ~ /T/ && $$3 ~ /^(gate_|stub_)/ { print "#define GATE_SYM_" $$3 " 0x" $$1 "ul" }' > $@

$(SYSTRAP_SRCS:%.c=$(B)/%.o): ALL_CFLAGS += -I$(GATE) -DGATE_BIN='"$(GATE)/gate.bin"'
$(SYSTRAP_SRCS:%.c=$(B)/%.o): $(GATE)/gate.bin $(GATE)/gate_symbols.h
