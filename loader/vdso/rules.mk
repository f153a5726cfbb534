# The vDSO: an ELF image of its own, freestanding and position independent, linked into usbx as bytes (image.S).
VDSO        := $(B)/loader/vdso
VDSO_CFLAGS := -O2 -Wall -Wextra -Werror -std=gnu11 -ffreestanding -mgeneral-regs-only -fPIC -fvisibility=hidden \
	       -fno-stack-protector -fcf-protection=none -fasynchronous-unwind-tables -fno-builtin -I.

$(VDSO)/vdso.so: loader/vdso/vdso.c loader/vdso/note.S loader/vdso/vdso.lds sentry/vvar.h loader/vdso/rules.mk
	@mkdir -p $(@D)
	@echo "LINK $@"
	$(Q)$(CC) $(VDSO_CFLAGS) -shared -nostdlib -nostartfiles -o $@ loader/vdso/vdso.c loader/vdso/note.S \
		-Wl,-T,loader/vdso/vdso.lds,-soname=linux-vdso.so.1,-Bsymbolic,--hash-style=both,--build-id=none,--eh-frame-hdr \
		-Wl,-z,max-page-size=4096,-z,noexecstack,--no-undefined

$(VDSO)/image.o: loader/vdso/image.S $(VDSO)/vdso.so
	@echo "CC $<"
	$(Q)$(CC) -DVDSO_SO='"$(VDSO)/vdso.so"' -c -o $@ $<

OBJS += $(VDSO)/image.o
