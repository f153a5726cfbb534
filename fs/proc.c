/* proc.c - the proc file system (proc(5)) as fs/ sees it: a tree of nodefs whose root the sentry brings.
 *
 * Texts follow the formats of proc(5) and of the kernel's sources, because programs read them with scanf. Every value
 * is the sandbox's own (fs/facts.h): nothing of the host shows but what CPUID tells every program anyway.
 */
#include "fs/proc.h"
#include "fs/mount.h"
#include <errno.h>

#define PROC_SUPER_MAGIC 0x9fa0

static uint32_t root_id = NODE_ROOT;

static int make_proc(const struct mount_spec *spec, struct superblock **out)
{
	(void)spec;
	return root_id == NODE_ROOT ? -ENODEV : nodefs_new(INODE_PROC, "proc", root_id, out);
}

void proc_init(void)
{
	nodefs_kind_register(INODE_PROC, PROC_SUPER_MAGIC, 0);
	mount_type_register(MOUNT_PROC, make_proc);
}

void proc_root_set(const struct node_desc *root)
{
	assert(root_id == NODE_ROOT);
	root_id = nodefs_register(NODE_ROOT, root);
	for (unsigned i = 0; i < proc_machine_count; i++)
		nodefs_register(root_id, &proc_machine_files[i]);
	nodefs_register(root_id, &proc_sys_dir);
}

uint32_t proc_root(void)
{
	return root_id;
}
