/* procmachine.c - files of /proc that tell of the machine: version, cpuinfo, filesystems and the like.
 *
 * cpuinfo is made from CPUID, which any guest can execute: names of features and their bits are those of Linux,
 * arch/x86/include/asm/cpufeatures.h, as far as programs look for them.
 *
 * Limits: there are no interrupts, no disks.
 */
#include "fs/facts.h"
#include "fs/mount.h"
#include "fs/proc.h"
#include <cpuid.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------ cpuinfo */

enum { REG_EAX, REG_EBX, REG_ECX, REG_EDX };

/* Where a group of features is reported, and the names of its 32 bits ("": Linux does not show it). */
struct feature_word {
	uint32_t leaf, subleaf, reg;
	const char *names[32];
};

static const struct feature_word features[] = {
	{1, 0, REG_EDX, {"fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", "",
			 "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", "",     "dts",
			 "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe"}},
	{0x80000001,
	 0,
	 REG_EDX,
	 {[11] = "syscall",
	  [19] = "mp",
	  [20] = "nx",
	  [22] = "mmxext",
	  [25] = "fxsr_opt",
	  [26] = "pdpe1gb",
	  [27] = "rdtscp",
	  [29] = "lm"}},
	{1, 0, REG_ECX, {"pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
			 "",       "smx",       "est",    "tm2",     "ssse3",
			 "cid",    "sdbg",      "fma",    "cx16",    "xtpr",
			 "pdcm",   "",          "pcid",   "dca",     "sse4_1",
			 "sse4_2", "x2apic",    "movbe",  "popcnt",  "tsc_deadline_timer",
			 "aes",    "xsave",     "",       "avx",     "f16c",
			 "rdrand", "hypervisor"}},
	{0x80000001,
	 0,
	 REG_ECX,
	 {"lahf_lm", "cmp_legacy", "", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse", "3dnowprefetch", "osvw",
	  "", "xop", [15] = "lwp", [16] = "fma4", [21] = "tbm", [22] = "topoext"}},
	{7, 0, REG_EBX, {"fsgsbase", "tsc_adjust", "",        "bmi1", "hle",  "avx2",       "",         "smep",
			 "bmi2",     "erms",       "invpcid", "rtm",  "",     "",           "",         "",
			 "avx512f",  "avx512dq",   "rdseed",  "adx",  "smap", "avx512ifma", "",         "clflushopt",
			 "clwb",     "",           "",        "",     "",     "sha_ni",     "avx512bw", "avx512vl"}},
	{0xd, 1, REG_EAX, {"xsaveopt", "xsavec", "xgetbv1", "xsaves"}},
	{7, 1, REG_EAX, {[4] = "avx_vnni", [5] = "avx512_bf16"}},
	{7,
	 0,
	 REG_ECX,
	 {"",
	  "avx512vbmi",
	  "umip",
	  "pku",
	  "ospke",
	  "waitpkg",
	  "avx512_vbmi2",
	  "",
	  "gfni",
	  "vaes",
	  "vpclmulqdq",
	  "avx512_vnni",
	  "avx512_bitalg",
	  "",
	  "avx512_vpopcntdq",
	  "",
	  "la57",
	  [22] = "rdpid",
	  [25] = "cldemote",
	  [27] = "movdiri",
	  [28] = "movdir64b"}},
	{7,
	 0,
	 REG_EDX,
	 {[4] = "fsrm",
	  [8] = "avx512_vp2intersect",
	  [14] = "serialize",
	  [22] = "amx_bf16",
	  [23] = "avx512_fp16",
	  [24] = "amx_tile",
	  [25] = "amx_int8"}},
};

static bool cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	return __get_cpuid_count(leaf, subleaf, &out[REG_EAX], &out[REG_EBX], &out[REG_ECX], &out[REG_EDX]);
}

static void add_features(struct text *out)
{
	uint32_t regs[4];

	text_add_string(out, "flags\t\t:");
	for (unsigned i = 0; i < COUNT(features); i++) {
		if (!cpuid(features[i].leaf, features[i].subleaf, regs))
			continue;
		for (unsigned bit = 0; bit < 32; bit++) {
			const char *name = features[i].names[bit];
			if (name && *name && regs[features[i].reg] & 1u << bit)
				text_printf(out, " %s", name);
		}
	}
	text_add_char(out, '\n');
}

struct cpu_identity {
	char vendor[13], name[49];
	uint32_t family, model, stepping, mhz, clflush, physical_bits, virtual_bits, level;
};

static void cpu_identify(struct cpu_identity *cpu)
{
	uint32_t regs[4];

	memset(cpu, 0, sizeof *cpu);
	if (cpuid(0, 0, regs)) {
		cpu->level = regs[REG_EAX];
		memcpy(cpu->vendor, &regs[REG_EBX], 4);
		memcpy(cpu->vendor + 4, &regs[REG_EDX], 4);
		memcpy(cpu->vendor + 8, &regs[REG_ECX], 4);
	}
	if (cpuid(1, 0, regs)) {
		uint32_t family = regs[REG_EAX] >> 8 & 15, model = regs[REG_EAX] >> 4 & 15;
		cpu->family = family == 15 ? family + (regs[REG_EAX] >> 20 & 255) : family;
		cpu->model = family == 6 || family == 15 ? model + (regs[REG_EAX] >> 16 & 15) * 16 : model;
		cpu->stepping = regs[REG_EAX] & 15;
		cpu->clflush = (regs[REG_EBX] >> 8 & 255) * 8;
	}
	for (uint32_t i = 0; i < 3 && cpuid(0x80000002 + i, 0, regs); i++)
		memcpy(cpu->name + i * sizeof regs, regs, sizeof regs);
	cpu->mhz = cpuid(0x16, 0, regs) && regs[REG_EAX] & 0xffff ? regs[REG_EAX] & 0xffff : 2000;
	cpu->physical_bits = cpu->virtual_bits = 48;
	if (cpuid(0x80000008, 0, regs)) {
		cpu->physical_bits = regs[REG_EAX] & 255;
		cpu->virtual_bits = regs[REG_EAX] >> 8 & 255;
	}
}

static int show_cpuinfo(const struct node_ref *ref, struct text *out)
{
	struct cpu_identity cpu;
	const char *name;

	(void)ref;
	cpu_identify(&cpu);
	name = cpu.name + strspn(cpu.name, " ");
	for (unsigned i = 0; i < facts.cpu_count; i++) {
		text_printf(out, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n", i, cpu.vendor,
			    cpu.family, cpu.model);
		text_printf(out, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %u.000\n", *name ? name : "unknown",
			    cpu.stepping, cpu.mhz);
		text_printf(out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\n",
			    facts.cpu_count, i, facts.cpu_count, i);
		text_printf(
			out,
			"initial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n", i,
			cpu.level);
		add_features(out);
		text_printf(out,
			    "bugs\t\t:\nbogomips\t: %u.00\nclflush size\t: %u\ncache_alignment\t: %u\n"
			    "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
			    cpu.mhz * 2, cpu.clflush, cpu.clflush, cpu.physical_bits, cpu.virtual_bits);
	}
	return 0;
}

/* ------------------------------------------------------------------ the rest */

/* Nobody measures how long tasks wait for processors, memory or disks. */
#define PRESSURE_NONE(who) who " avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"

static const struct node_desc pressure_files[] = {
	NODE_TEXT("cpu", PRESSURE_NONE("some") PRESSURE_NONE("full")),
	NODE_TEXT("io", PRESSURE_NONE("some") PRESSURE_NONE("full")),
	NODE_TEXT("memory", PRESSURE_NONE("some") PRESSURE_NONE("full")),
};

/* ps(1) looks here for the names of terminals. */
static const struct node_desc tty_files[] = {
	NODE_TEXT("drivers", "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
			     "/dev/console         /dev/console    5       1 system:console\n"
			     "/dev/ptmx            /dev/ptmx       5       2 system\n"
			     "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
			     "pty_master           /dev/ptm      128 0-1048575 pty:master\n"),
};

static int show_filesystems(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	for (unsigned i = 0; mount_file_systems[i]; i++)
		text_printf(out, "nodev\t%s\n", mount_file_systems[i]);
	return 0;
}

const struct node_desc proc_machine_files[] = {
	NODE_FILE("cpuinfo", show_cpuinfo),
	NODE_TEXT("version", FACTS_SYSNAME " version " FACTS_RELEASE " (usbx) (gcc) " FACTS_VERSION "\n"),
	NODE_FILE("filesystems", show_filesystems),
	NODE_TEXT("cmdline", "quiet\n"),
	NODE_TEXT("partitions", "major minor  #blocks  name\n\n"),
	NODE_TEXT("diskstats", ""),
	NODE_TEXT("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
	NODE_TEXT("devices", "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n"),
	NODE_TEXT("interrupts", ""),
	NODE_TEXT("modules", ""),
	NODE_TEXT("misc", ""),
	NODE_TEXT("consoles", ""),
	NODE_TEXT("softirqs", ""),
	NODE_TEXT("crypto", ""),
	NODE_TEXT("locks", ""),
	NODE_TEXT("execdomains", "0-0\tLinux           \t[kernel]\n"),
	NODE_TEXT("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t0\t1\t1\ncpu\t0\t1\t1\n"
			     "memory\t0\t1\t1\npids\t0\t1\t1\n"),
	NODE_DIR("pressure", pressure_files),
	NODE_DIR("tty", tty_files),
};
const unsigned proc_machine_count = COUNT(proc_machine_files);
