# Our TCP against the kernel's, over a bad wire (interop.c).
TEST_DEPS += $(B)/interop/interop

INTEROP_OBJS := $(patsubst %,$(B)/tests/interop/%.o,interop ours theirs plan)
$(B)/interop/interop: $(INTEROP_OBJS) $(B)/libusbx.a
	@mkdir -p $(@D)
	@echo "LINK $@"
	$(Q)$(CC) $(LDFLAGS_USBX) -o $@ $^ $(LIBS)

-include $(INTEROP_OBJS:.o=.d)
