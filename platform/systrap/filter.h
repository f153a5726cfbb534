/* filter.h - the seccomp programs of a sandbox's guest-side processes (designs W1, D3).
 *
 * Three programs, stacked; the kernel runs all of them and takes the strictest verdict:
 *
 *   agent   what a stub's agent may do at all; installed first; no secret in it. Verdict: EPERM.
 *   signed  knows the key of its address space; concerns the five memory calls made at one instruction (a *slot* of
 *           the gate) and lets everything else pass. Installed by the agent while no guest thread exists in its address
 *           space, so that no guest can read the program; every guest thread inherits it by clone. Verdict: KILL.
 *   guest   what a guest thread may do; no secret in it; installed by each new guest thread itself from a read-only
 *           page as the last thing it does under the agent's rights. Verdict: TRAP.
 *
 * Why three: see docs/decisions/0001-signed-calls.md.
 */
#ifndef PLATFORM_SYSTRAP_FILTER_H
#define PLATFORM_SYSTRAP_FILTER_H

#include <linux/filter.h>

#include "platform/systrap/sign.h"
#include "sentry/base/types.h"

#define FILTER_INSN_LIMIT  1024
#define FILTER_REMAP_LIMIT 8

struct filter {
	unsigned short len; /* instructions in use */
	struct sock_filter insn[FILTER_INSN_LIMIT];
};

/* A mapping above the guest's range that an agent may make (a forked child's own command page and blocks): exactly
 * these addresses and this protection, MAP_SHARED|MAP_FIXED, of exactly this descriptor, at any offset. */
struct filter_remap {
	uint64_t addr;
	uint32_t bytes;
	uint32_t prot;
	int fd;
};

/* What the programs must know of the gate. Addresses are those of the guest's address space. "Code" ranges are compared
 * with the address behind the syscall instruction, as seccomp reports it: start < address <= end. */
struct filter_layout {
	/* Code of the gate that runs with the guest's rights: the only place of the free calls and of the slots. Must
	 * not contain a syscall instruction of the agent's: a guest thread's calls from elsewhere all trap. */
	uint64_t guest_code, guest_code_end;

	/* The slots: slot i is a syscall instruction (0f 05) at slot_base + i * SIGN_SLOT_BYTES. */
	uint64_t slot_base;

	/* Code that runs with the agent's rights: the only place of what an agent alone may do. */
	uint64_t agent_code, agent_code_end;

	/* Read-only pages from which programs may be installed (prog structs, not instructions, are checked). */
	uint64_t program_start, program_end;

	/* Descriptors below this one are the platform's own: an agent maps them only as remap[] says. */
	int first_file_fd;

	/* Whether guest threads need the host's arch_prctl for FS and GS: no, where the CPU's FSGSBASE may be used. */
	bool arch_prctl;

	unsigned remaps;
	struct filter_remap remap[FILTER_REMAP_LIMIT];
};

/* What an agent may clone: CLONE_VM | CLONE_FILES | CLONE_PARENT | SIGCHLD, and the same without CLONE_VM. */
#define FILTER_CLONE_THREAD 0x8511
#define FILTER_CLONE_FORK   0x8411

/* The address that seccomp reports for a call at this slot. */
uint64_t filter_slot_ip(const struct filter_layout *layout, unsigned slot);

/* The guest's program for an address space whose signed calls are made at this slot (< SIGN_SLOTS). */
void filter_guest(struct filter *out, const struct filter_layout *layout, unsigned slot);

/* The program that checks signatures under this key at this slot. The result holds the key: explicit_bzero it after
 * use. */
void filter_signed(struct filter *out, const struct filter_layout *layout, const struct sign_key *key, unsigned slot);

/* The agent's program. */
void filter_agent(struct filter *out, const struct filter_layout *layout);

/* Can filter_verdict run this program? Only instructions that it knows, every jump and load in bounds, a RET at the
 * end. */
must_check bool filter_runnable(const struct filter *filter);

/* What a program decides, by interpreting it: for platform/ptrace, and for tests. It must be runnable.
 * data: struct seccomp_data. Returns the SECCOMP_RET_* value; steps (may be NULL): instructions executed. */
struct seccomp_data;
uint32_t filter_verdict(const struct filter *filter, const struct seccomp_data *data, unsigned *steps);

#endif
