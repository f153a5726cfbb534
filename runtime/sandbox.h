/* sandbox.h - the sentry's process: from a fresh clone to the closed jail to the end. */
#ifndef RUNTIME_SANDBOX_H
#define RUNTIME_SANDBOX_H

#include "runtime/view.h"
#include "sentry/abi/termios.h"
#include "sentry/boot.h"

/* Descriptors of the child, put there by the command line before the clone. */
#define CONTROL_FD    3 /* reading end: a byte is a signal for the guest; its end of file is our parent's */
#define STRACE_FD     4 /* --strace=FILE; closed when there is none */
#define TRACE_FD      5 /* --trace FILE; the same */
#define SAVE_FD       6 /* --save FILE; the same */
#define AUDIT_FD      7 /* --audit FILE; the same */
#define CHANGE_FD     8 /* new rules, and answers (policy_control.h); the same */
#define UPLINK_FD     9 /* and the next ones: --net; the same */
#define FIRST_FREE_FD (UPLINK_FD + NETWORK_LINKS)

/* What the child tells its parent; lies in memory that only these two share. */
struct outcome {
	bool complete; /* status holds; else the child died on the way */
	struct boot_status status;
	bool report_failed; /* --diff or --save did not tell all */
};

struct sandbox {
	const struct options *options;
	const struct network *network;
	bool changeable; /* CHANGE_FD is there */
	struct view *view;
	bool stdio_open[3];
	uint64_t ignored_signals;
	struct outcome *outcome;
	unsigned console_fds; /* as in struct boot_config */
	int console_output;   /* 0, 1, 2; -1: none */
	bool has_settings;    /* standard input is a terminal, and these are its settings */
	struct abi_termios settings;
};

/* The child's whole life; argument is a struct sandbox. Does not return. */
void sandbox_main(void *argument);

#endif
