/* world.c - one seed's world from its beginning to its end: the host's tree, the sandbox's mounts, boot, judgement. */
#include "platform/hostfile.h"
#include "platform/hostio.h"
#include "runtime/start.h"
#include "sentry/base/log.h"
#include "sentry/boot.h"
#include "sentry/keys.h"
#include "tests/sim/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define MACHINE_BYTES (4ull << 30)

static uint32_t add_file(int fd)
{
	uint32_t file;

	if (fd < 0 || hostfile_add(fd, &file))
		abort();
	return file;
}

static void print_log(enum log_level level, const char *line)
{
	if (sim.verbose)
		printf("             log%s: %s\n", level == LOG_ERROR ? " ERROR" : "", line);
}

static void build_host(int *ro, int *rw, int *cow)
{
	uint8_t elf[PAGE_SIZE] = {0};
	uint64_t bytes;
	size_t size = guest_elf(elf, sizeof elf, &bytes);
	char text[64];

	sim_host_start();
	*ro = sim_host_dir(0, "ro");
	*rw = sim_host_dir(0, "rw");
	*cow = sim_host_dir(0, "cow");
	int program = sim_host_file(*ro, "prog", elf, size);
	sim_host_write_end(program, bytes);
	sim_host_file(*ro, "script", "#!/ro/prog 0\n", 13);
	sim_host_link(*ro, "link", "prog");
	int lower = sim_host_dir(*cow, "d0");
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "f%d", i);
		sim_host_file(*cow, text, text, strlen(text));
		sim_host_file(lower, text, text, strlen(text));
	}
}

static void judge(const struct boot_status *status)
{
	if (sim.failures)
		return;
	if (status->result != BOOT_EXITED)
		sim_fail("the sandbox did not end by itself: %s", status->message);
	else if (status->wait_status)
		sim_fail("pid 1 ended with status %x", status->wait_status);
}

unsigned sim_world_run(void)
{
	static char *const argv[] = {"/ro/prog", NULL}, *const envp[] = {"PATH=/ro", NULL};
	struct boot_status status;
	int ro, rw, cow;

	list_init(&sim.threads);
	sim.now_ns = NS_PER_S + sim_random(NS_PER_S);
	log_init(sim.verbose ? LOG_DEBUG : LOG_ERROR, print_log);
	build_host(&ro, &rw, &cow);
	if (hostio_start(HOSTIO_AUTO) || sentry_init() || start_upper_parts()) {
		sim_fail("the sentry does not start");
		return sim.failures;
	}
	const struct mount_spec mounts[] = {
		{.type = MOUNT_HOST_RO, .target = "/ro", .host_dir = add_file(sim_host_open_dir(ro))},
		{.type = MOUNT_HOST_RW, .target = "/rw", .host_dir = add_file(sim_host_open_dir(rw))},
		{.type = MOUNT_OVERLAY, .target = "/cow", .host_dir = add_file(sim_host_open_dir(cow))},
		{.type = MOUNT_TMPFS,
		 .target = "/tmp",
		 .host_dir = HOSTFILE_NONE,
		 .mode = 01777,
		 .size_bytes = 1 << 20},
		{.type = MOUNT_PROC, .target = "/proc", .host_dir = HOSTFILE_NONE},
		{.type = MOUNT_SYS, .target = "/sys", .host_dir = HOSTFILE_NONE},
		{.type = MOUNT_DEV, .target = "/dev", .host_dir = HOSTFILE_NONE},
		{.type = MOUNT_DEVPTS, .target = "/dev/pts", .host_dir = HOSTFILE_NONE},
		{.type = MOUNT_TMPFS, .target = "/dev/shm", .host_dir = HOSTFILE_NONE, .mode = 01777},
	};
	struct boot_config config = {.mounts = mounts,
				     .mount_count = COUNT(mounts),
				     .argv = argv,
				     .envp = envp,
				     .workdir = "/tmp",
				     .hostname = "sim",
				     .stdio = {add_file(sim_host_pipe(O_RDONLY)), add_file(sim_host_pipe(O_WRONLY)),
					       add_file(sim_host_pipe(O_WRONLY))},
				     .stdio_flags = {O_RDONLY, O_WRONLY, O_WRONLY},
				     .machine_bytes = MACHINE_BYTES,
				     .cpu_count = 2,
				     .control_file = add_file(sim_host_pipe(O_RDWR))};
	/* Persistent keyrings are over within the second that the world rests before it is looked at. */
	key_tuning.persistent_s = 1;
	key_tuning.gc_delay_s = 0;
	sentry_boot(&config, &status);
	sim.quiet = true;
	judge(&status);
	if (sim.plant)
		sim_plant();
	sim_scan_code();
	return sim.failures;
}
