/* facts.h - what a guest is told about the machine it seems to run on: uname(2), sysinfo(2), /proc, /sys and the
 * auxiliary vector all answer from here, so that they agree.
 */
#ifndef FS_FACTS_H
#define FS_FACTS_H

#include "sentry/base/types.h"

/* The kernel that our system calls are those of: programs look at it to decide what they may use. */
#define FACTS_SYSNAME    "Linux"
#define FACTS_RELEASE    "6.12.0"
#define FACTS_VERSION    "#1 SMP usbx"
#define FACTS_MACHINE    "x86_64"
#define FACTS_NAME_BYTES 65 /* with the zero byte, as uname(2) */

#define CORE_PATTERN_BYTES 128 /* as CORENAME_MAX_SIZE */

struct facts {
	char hostname[FACTS_NAME_BYTES];
	char domainname[FACTS_NAME_BYTES];
	unsigned cpu_count;                    /* at least 1 */
	uint64_t memory_bytes;                 /* of the sandbox: its limit, or the machine's */
	bool memory_limited;                   /* it is a limit */
	char boot_id[37];                      /* as /proc/sys/kernel/random/boot_id */
	char core_pattern[CORE_PATTERN_BYTES]; /* of /proc/sys/kernel, which guests may change (core(5)) */
	bool core_uses_pid;
};

extern struct facts facts;

/* Set by boot before the first task. hostname is cut to what fits; limit_bytes 0: none; machine_bytes 0: not known. */
void facts_init(const char *hostname, unsigned cpu_count, uint64_t limit_bytes, uint64_t machine_bytes);

/* A random UUID (RFC 4122, version 4) with its zero byte. */
void facts_uuid(char out[37]);

#endif
