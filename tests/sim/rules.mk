# The simulated platform and host (design D10): the product's own objects but for the platform, the clock, and the command
# line, which tests/sim brings itself. The linker's --wrap lets the arena be full now and then.
SIM_SRCS := $(wildcard tests/sim/*.c)
SIM_OBJS := $(SIM_SRCS:%.c=$(B)/%.o)
SIM_CORE  = $(filter-out $(B)/platform/% $(B)/runtime/% $(B)/sentry/timebase.o,$(OBJS)) \
	    $(B)/platform/hostio.o $(B)/platform/hostfile.o $(B)/runtime/start.o
, := ,
SIM_WRAP := $(patsubst %,-Wl$(,)--wrap=%,slab_new slab_free arena_alloc arena_alloc_dirty arena_alloc_bulk arena_free arena_realloc arena_string arena_string_free)
TEST_DEPS += $(B)/sim/sim $(if $(SAN),,$(B)/usbx-scan)

$(B)/sim/sim: $(SIM_OBJS) $(SIM_CORE)
	@mkdir -p $(@D)
	@echo "LINK $@"
	$(Q)$(CC) $(LDFLAGS_USBX) $(SIM_WRAP) -o $@ $^ $(LIBS)

-include $(SIM_OBJS:.o=.d)
