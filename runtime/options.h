/* options.h - what the person asked for. */
#ifndef RUNTIME_OPTIONS_H
#define RUNTIME_OPTIONS_H

#include "netstack/policy.h"
#include "platform/platform.h"
#include "runtime/network.h"
#include "sentry/task.h"

#define MOUNT_OPTION_LIMIT 128
#define ENV_OPTION_LIMIT   1024

enum share_mode { SHARE_RO, SHARE_RW, SHARE_COW };

struct mount_option {
	const char *option; /* how it was said, for messages */
	const char *source; /* as given */
	const char *target; /* absolute path in the sandbox, in its shortest writing */
	enum share_mode mode;
};

struct options {
	const char *config_path; /* NULL: none */
	const char *rootfs;      /* NULL: the host's own programs */
	struct mount_option mounts[MOUNT_OPTION_LIMIT];
	unsigned mount_count;
	char *env[ENV_OPTION_LIMIT]; /* NAME=VALUE, ended by NULL */
	unsigned env_count;
	const char *workdir; /* NULL: the caller's */
	const char *hostname;
	const char *user; /* as given; NULL: the caller */
	uint32_t uid, gid;
	uint64_t timeout_ns;   /* 0: none */
	uint64_t memory_bytes; /* 0: no limit */
	uint64_t cpu_milli;    /* thousandths of a CPU; 0: no limit */
	uint64_t cpu_time_ns;  /* 0: no limit */
	unsigned pids;         /* 0: TASK_LIMIT */
	uint64_t disk_bytes;   /* 0: no limit besides those of each file system */
	uint64_t output_bytes; /* 0: no limit */
	struct rlimit64_pair ulimits[RLIMIT_COUNT];
	uint32_t ulimits_set; /* a bit for each that was given */
	enum tty_wish { TTY_AUTO, TTY_FORCE, TTY_NEVER } tty;
	bool strace;
	const char *strace_path; /* NULL: standard error */
	const char *trace_path;  /* NULL: no trace */
	bool crash_report;
	enum diff_form { DIFF_NONE, DIFF_TEXT, DIFF_JSON } diff;
	const char *save_path; /* NULL: changes are not saved */
	enum stats_form { STATS_NONE, STATS_TEXT, STATS_JSON } stats;
	struct {
		bool log, no_patch, no_spin, epoll, uring;
	} debug;
	enum platform_kind platform;
	struct network_options network;
	struct policy_config policy;
	const char *name;        /* for usbx policy; NULL: none */
	const char *policy_path; /* NULL: none */
	const char *audit_path;  /* NULL: no audit */
	char **argv;             /* the command */
};

/* Reads the arguments of `usbx run` (argv[0] is "run"). Does not return when they make no sense: exits with 125 after
 * one line; nor for --help. Pointers into argv are kept. */
void options_parse(struct options *out, int argc, char **argv);

#endif
