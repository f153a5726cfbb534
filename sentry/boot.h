/* boot.h - what the runtime hands to the sentry, and the sentry's whole life. */
#ifndef SENTRY_BOOT_H
#define SENTRY_BOOT_H

#include "fs/mount.h"
#include "sentry/cpulimit.h"
#include "sentry/task.h"

struct boot_config {
	const struct mount_spec *mounts;
	unsigned mount_count;
	char *const *argv; /* argv[0] is looked up in PATH of envp as a shell does, unless it has a slash */
	char *const *envp;
	const char *workdir; /* in the sandbox */
	const char *hostname;
	uint32_t uid, gid;
	uint64_t ignored_signals; /* SIGNAL_BIT of each that the caller ignores, as nohup(1) lets it: inherited */
	int nice;                 /* the caller's, inherited */
	uint32_t stdio[3];        /* host file indices for 0, 1, 2; HOSTFILE_NONE: closed */
	uint32_t stdio_flags[3];  /* O_RDONLY, O_WRONLY, O_RDWR and O_APPEND as F_GETFL said */
	/* The descriptors (a bit each) that are to be a terminal of the sandbox's own instead, whose far end is
	 * stdio[0] and console_output. 0: none is made. Settings NULL: stdio[0] is no terminal. */
	unsigned console_fds;
	uint32_t console_output;
	const struct abi_termios *console_settings;
	uint64_t memory_limit_bytes; /* of the whole sandbox; 0: none */
	uint64_t machine_bytes; /* of memory on the host: what the guest is told when there is no limit; 0: not known */
	unsigned cpu_count;     /* what the guest is told */
	struct cpulimit_config cpu;
	unsigned task_limit;         /* 0: TASK_LIMIT */
	uint64_t disk_limit_bytes;   /* of all files that live in the sandbox's memory; 0: each file system its own */
	uint64_t output_limit_bytes; /* to standard output and error together; 0: none */
	struct rlimit64_pair limits[RLIMIT_COUNT]; /* of the first program, where limits_set has the bit */
	uint32_t limits_set;
	bool crash_report; /* tell the person about each process that dies of a fault */
	/* What the command-line process asks while we run: SIGINT and the like for the guest. Polled host file, or
	 * HOSTFILE_NONE. Each byte read is a signal number for the foreground process group; end of file: end the
	 * sandbox. */
	uint32_t control_file;
	/* PARKS. Called once after the last guest has gone, while the file systems are still there; NULL: nothing. */
	void (*finish)(void);
};

enum boot_result { BOOT_EXITED, BOOT_LIMIT, BOOT_FAILED };

struct boot_status {
	enum boot_result result;
	int wait_status;    /* EXITED: of the first program, as wait(2) */
	int exec_error;     /* FAILED to start argv[0]: errno (ENOENT -> 127, else 126); 0 when something else failed */
	char message[1024]; /* LIMIT: which one ended the sandbox. FAILED: a line that names the thing and the remedy */
};

/* Runs the sandbox from its first process to the last; called in the jail. The loop is in sentry/loop.c. */
void sentry_boot(const struct boot_config *config, struct boot_status *status);

/* Called by the exit of the first program, when nobody else is left to run: ends the loop with this wait
 * status. */
void boot_main_exited(int wait_status);

/* The sandbox has used up what it was given and is to end: its status says so, with this line. */
printf_like(1, 2) void boot_limit_reached(const char *format, ...);

/* Before the jail closes: arena, tables. Called once. -errno. */
must_check int sentry_init(void);

#endif
