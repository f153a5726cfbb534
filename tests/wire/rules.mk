# The network stack over a bad wire: everything but the command line, with a clock and random numbers of the test's own.
TEST_DEPS += $(B)/wire/wire

$(B)/wire/wire: $(B)/tests/wire/wire.o $(B)/tests/wire/mirror.o $(B)/libusbx.a
	@mkdir -p $(@D)
	@echo "LINK $@"
	$(Q)$(CC) $(LDFLAGS_USBX) -Wl,--wrap=hostdep_monotonic_ns,--wrap=host_random -o $@ $^ $(LIBS)

-include $(B)/tests/wire/wire.d $(B)/tests/wire/mirror.d
