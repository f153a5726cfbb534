/* sys.c - sysfs(5): processors, memory nodes, huge pages, the control group as seen from inside it.
 *
 * A container sees its own control group as the root of /sys/fs/cgroup; so does a guest. The limits shown are the
 * sandbox's (fs/facts.h). Files about what tasks use are added by sentry/procfs.c.
 *
 * Limits: no devices but those of the network (netstack/sysnet.c), no buses, nothing to write. /sys/fs/cgroup is not a
 * mount of its own: fstatfs(2) there says sysfs.
 */
#include "fs/sys.h"
#include "fs/facts.h"
#include "fs/mount.h"
#include <cpuid.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SYSFS_MAGIC      0x62656572
#define SYSFS_FILE_BYTES 4096 /* what stat(2) shows for every file there */

static uint32_t root_id = NODE_ROOT;

/* ------------------------------------------------------------------ devices/system/cpu */

static int show_cpu_list(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	if (facts.cpu_count > 1)
		text_printf(out, "0-%u\n", facts.cpu_count - 1);
	else
		text_add_string(out, "0\n");
	return 0;
}

/* A set of processors as hexadecimal words of 32, the highest first (bitmap_print_to_pagebuf). */
static void add_mask(struct text *out, unsigned first, unsigned count)
{
	unsigned words = (facts.cpu_count + 31) / 32;

	for (unsigned word = words; word-- > 0;) {
		uint32_t bits = 0;
		for (unsigned bit = 0; bit < 32; bit++)
			if (word * 32 + bit >= first && word * 32 + bit < first + count)
				bits |= 1u << bit;
		text_printf(out, words > 1 ? "%08x%s" : "%x%s", bits, word ? "," : "\n");
	}
}

static int show_all_mask(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	add_mask(out, 0, facts.cpu_count);
	return 0;
}

static int show_own_mask(const struct node_ref *ref, struct text *out)
{
	add_mask(out, ref->args[0], 1);
	return 0;
}

static int show_own_number(const struct node_ref *ref, struct text *out)
{
	text_printf(out, "%u\n", ref->args[0]);
	return 0;
}

static int lookup_cpu(const struct node_ref *ref, const char *name, struct node_ref *child)
{
	(void)ref;
	if (strncmp(name, "cpu", 3) || !node_number(name + 3, &child->args[0]) || child->args[0] >= facts.cpu_count)
		return -ENOENT;
	return 0;
}

static bool next_cpu(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child)
{
	(void)ref;
	if (*key >= facts.cpu_count)
		return false;
	child->args[0] = (uint32_t)*key;
	snprintf(name, 32, "cpu%" PRIu64, *key);
	return true;
}

static const struct node_desc topology_files[] = {
	NODE_FILE("core_id", show_own_number),
	NODE_TEXT("physical_package_id", "0\n"),
	NODE_TEXT("die_id", "0\n"),
	NODE_FILE("thread_siblings", show_own_mask),
	NODE_FILE("thread_siblings_list", show_own_number),
	NODE_FILE("core_cpus", show_own_mask),
	NODE_FILE("core_cpus_list", show_own_number),
	NODE_FILE("core_siblings", show_all_mask),
	NODE_FILE("core_siblings_list", show_cpu_list),
	NODE_FILE("package_cpus", show_all_mask),
	NODE_FILE("package_cpus_list", show_cpu_list),
};

/* ------------------------------------------------------------------ cache: what CPUID tells every program anyway */

enum { REG_EAX, REG_EBX, REG_ECX, REG_EDX };
enum { CACHE_CPU, CACHE_INDEX };

#define LEAF_INTEL  4u
#define LEAF_AMD    0x8000001du
#define CACHE_LIMIT 8u
#define KIB         1024u

/* The processor's index-th cache: the same words of leaf 4 (Intel) and 0x8000001d (AMD). */
static bool cache_words(uint32_t index, uint32_t regs[4])
{
	static const uint32_t leaves[] = {LEAF_INTEL, LEAF_AMD};

	for (unsigned i = 0; i < COUNT(leaves) && index < CACHE_LIMIT; i++)
		if (__get_cpuid_count(leaves[i], index, &regs[REG_EAX], &regs[REG_EBX], &regs[REG_ECX],
				      &regs[REG_EDX]) &&
		    regs[REG_EAX] & 31)
			return true;
	return false;
}

static uint32_t cache_line_bytes(const uint32_t regs[4])
{
	return (regs[REG_EBX] & 0xfff) + 1;
}

static uint32_t cache_ways(const uint32_t regs[4])
{
	return (regs[REG_EBX] >> 22) + 1;
}

#define CACHE_FILE(name, format, value)                                                                                \
	static int show_cache_##name(const struct node_ref *ref, struct text *out)                                     \
	{                                                                                                              \
		uint32_t regs[4];                                                                                      \
		if (!cache_words(ref->args[CACHE_INDEX], regs))                                                        \
			return -ENOENT;                                                                                \
		text_printf(out, format "\n", value);                                                                  \
		return 0;                                                                                              \
	}
CACHE_FILE(level, "%u", regs[REG_EAX] >> 5 & 7)
CACHE_FILE(line, "%u", cache_line_bytes(regs))
CACHE_FILE(sets, "%u", regs[REG_ECX] + 1)
CACHE_FILE(ways, "%u", cache_ways(regs))
CACHE_FILE(partitions, "%u", (regs[REG_EBX] >> 12 & 0x3ff) + 1)
CACHE_FILE(size, "%uK",
	   (uint32_t)((uint64_t)cache_line_bytes(regs) * cache_ways(regs) * ((regs[REG_EBX] >> 12 & 0x3ff) + 1) *
		      ((uint64_t)regs[REG_ECX] + 1) / KIB))
CACHE_FILE(type, "%s", (regs[REG_EAX] & 31) == 1 ? "Data" : (regs[REG_EAX] & 31) == 2 ? "Instruction" : "Unified")

/* Caches of the first two levels are a core's own, and each of our processors is a core; the others are everybody's. */
static bool cache_is_shared(const struct node_ref *ref)
{
	uint32_t regs[4];

	return cache_words(ref->args[CACHE_INDEX], regs) && (regs[REG_EAX] >> 5 & 7) > 2;
}

static int show_cache_map(const struct node_ref *ref, struct text *out)
{
	return cache_is_shared(ref) ? show_all_mask(ref, out) : show_own_mask(ref, out);
}

static int show_cache_list(const struct node_ref *ref, struct text *out)
{
	return cache_is_shared(ref) ? show_cpu_list(ref, out) : show_own_number(ref, out);
}

static int lookup_cache(const struct node_ref *ref, const char *name, struct node_ref *child)
{
	uint32_t regs[4];

	if (strncmp(name, "index", 5) || !node_number(name + 5, &child->args[CACHE_INDEX]) ||
	    !cache_words(child->args[CACHE_INDEX], regs))
		return -ENOENT;
	child->args[CACHE_CPU] = ref->args[CACHE_CPU];
	return 0;
}

static bool next_cache(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child)
{
	uint32_t regs[4];

	if (*key >= CACHE_LIMIT || !cache_words((uint32_t)*key, regs))
		return false;
	child->args[CACHE_CPU] = ref->args[CACHE_CPU];
	child->args[CACHE_INDEX] = (uint32_t)*key;
	snprintf(name, 32, "index%" PRIu64, *key);
	return true;
}

static const struct node_desc cache_files[] = {
	NODE_FILE("level", show_cache_level),
	NODE_FILE("type", show_cache_type),
	NODE_FILE("size", show_cache_size),
	NODE_FILE("coherency_line_size", show_cache_line),
	NODE_FILE("number_of_sets", show_cache_sets),
	NODE_FILE("ways_of_associativity", show_cache_ways),
	NODE_FILE("physical_line_partition", show_cache_partitions),
	NODE_FILE("shared_cpu_map", show_cache_map),
	NODE_FILE("shared_cpu_list", show_cache_list),
};
static const struct node_desc cache_entry = NODE_DIR("", cache_files);

static const struct node_desc cpu_files[] = {
	NODE_DIR("topology", topology_files),
	{.name = "cache", .mode = S_IFDIR | 0555, .entry = &cache_entry, .lookup = lookup_cache, .next = next_cache},
};
static const struct node_desc cpu_entry = NODE_DIR("cpu", cpu_files);
static const struct node_desc smt_files[] = {NODE_TEXT("active", "0\n"), NODE_TEXT("control", "notsupported\n")};

static const struct node_desc cpus_files[] = {
	NODE_FILE("online", show_cpu_list), NODE_FILE("possible", show_cpu_list), NODE_FILE("present", show_cpu_list),
	NODE_TEXT("offline", "\n"),         NODE_TEXT("isolated", "\n"),          NODE_TEXT("kernel_max", "8191\n"),
	NODE_DIR("smt", smt_files),
};

/* ------------------------------------------------------------------ devices/system/node: all memory is in one */

static int show_node_meminfo(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	text_printf(out, "Node 0 MemTotal:       %8" PRIu64 " kB\nNode 0 MemFree:        %8" PRIu64 " kB\n",
		    facts.memory_bytes / 1024, facts.memory_bytes / 1024);
	text_add_string(out, "Node 0 MemUsed:               0 kB\n");
	return 0;
}

static const struct node_desc node0_files[] = {
	NODE_FILE("cpulist", show_cpu_list),
	NODE_FILE("cpumap", show_all_mask),
	NODE_TEXT("distance", "10\n"),
	NODE_FILE("meminfo", show_node_meminfo),
};

static const struct node_desc node_files[] = {
	NODE_TEXT("online", "0\n"),     NODE_TEXT("possible", "0\n"),          NODE_TEXT("has_cpu", "0\n"),
	NODE_TEXT("has_memory", "0\n"), NODE_TEXT("has_normal_memory", "0\n"), NODE_DIR("node0", node0_files),
};

static const struct node_desc system_dirs[] = {
	{.name = "cpu",
	 .mode = S_IFDIR | 0555,
	 .children = cpus_files,
	 .child_count = COUNT(cpus_files),
	 .entry = &cpu_entry,
	 .lookup = lookup_cpu,
	 .next = next_cpu},
	NODE_DIR("node", node_files),
};

static const struct node_desc empty_dir[0];
static const struct node_desc devices_dirs[] = {NODE_DIR("system", system_dirs), NODE_DIR("virtual", empty_dir)};

/* ------------------------------------------------------------------ kernel */

static const struct node_desc thp_files[] = {
	NODE_TEXT("enabled", "always [madvise] never\n"),
	NODE_TEXT("defrag", "always defer defer+madvise [madvise] never\n"),
	NODE_TEXT("shmem_enabled", "always within_size advise [never] deny force\n"),
	NODE_TEXT("hpage_pmd_size", "2097152\n"),
	NODE_TEXT("use_zero_page", "1\n"),
};

static const struct node_desc kernel_mm_dirs[] = {
	NODE_DIR("transparent_hugepage", thp_files),
	NODE_DIR("hugepages", empty_dir),
};

static const struct node_desc kernel_files[] = {
	NODE_DIR("mm", kernel_mm_dirs),
	NODE_TEXT("uevent_seqnum", "0\n"),
};

/* ------------------------------------------------------------------ fs/cgroup: the group that the sandbox is */

static int show_memory_max(const struct node_ref *ref, struct text *out)
{
	(void)ref;
	if (facts.memory_limited)
		text_printf(out, "%" PRIu64 "\n", facts.memory_bytes & PAGE_MASK);
	else
		text_add_string(out, "max\n");
	return 0;
}

static const struct node_desc cgroup_files[] = {
	NODE_TEXT("cgroup.controllers", "cpuset cpu memory pids\n"),
	NODE_TEXT("cgroup.subtree_control", "\n"),
	NODE_TEXT("cgroup.type", "domain\n"),
	NODE_TEXT("cgroup.max.depth", "0\n"),
	NODE_TEXT("cgroup.max.descendants", "0\n"),
	NODE_TEXT("cpu.weight", "100\n"),
	NODE_FILE("cpuset.cpus.effective", show_cpu_list),
	NODE_TEXT("cpuset.mems.effective", "0\n"),
	NODE_FILE("memory.max", show_memory_max),
	NODE_TEXT("memory.high", "max\n"),
	NODE_TEXT("memory.low", "0\n"),
	NODE_TEXT("memory.min", "0\n"),
	NODE_TEXT("memory.swap.max", "0\n"),
	NODE_TEXT("memory.swap.current", "0\n"),
};

static const struct node_desc fs_dirs[] = {NODE_DIR("cgroup", cgroup_files)};

/* ------------------------------------------------------------------ the root */

static const struct node_desc class_dirs[] = {
	NODE_DIR("block", empty_dir),
	NODE_DIR("power_supply", empty_dir),
	NODE_DIR("tty", empty_dir),
};

static const struct node_desc dev_dirs[] = {NODE_DIR("block", empty_dir), NODE_DIR("char", empty_dir)};

static const struct node_desc root_dirs[] = {
	NODE_DIR("block", empty_dir), NODE_DIR("bus", empty_dir),        NODE_DIR("class", class_dirs),
	NODE_DIR("dev", dev_dirs),    NODE_DIR("devices", devices_dirs), NODE_DIR("firmware", empty_dir),
	NODE_DIR("fs", fs_dirs),      NODE_DIR("kernel", kernel_files),  NODE_DIR("module", empty_dir),
	NODE_DIR("power", empty_dir),
};

static const struct node_desc root = NODE_DIR("", root_dirs);

static int make_sys(const struct mount_spec *spec, struct superblock **out)
{
	(void)spec;
	return nodefs_new(INODE_SYS, "sysfs", root_id, out);
}

void sys_init(void)
{
	nodefs_kind_register(INODE_SYS, SYSFS_MAGIC, SYSFS_FILE_BYTES);
	root_id = nodefs_register(NODE_ROOT, &root);
	mount_type_register(MOUNT_SYS, make_sys);
}

uint32_t sys_root(void)
{
	return root_id;
}
