/* nodefs.h - file systems whose files are answers: /proc and /sys. What there is, is said by static descriptions
 * (struct node_desc); what is in it, by functions that other parts register.
 *
 * A description stands for one file, or for one in each instance of a dynamic directory (stat in every /proc/PID). An
 * inode keeps the description's number and up to NODE_ARGS numbers that name the instance, never a pointer (design D5).
 */
#ifndef FS_NODEFS_H
#define FS_NODEFS_H

#include "fs/inode.h"
#include "sentry/base/text.h"

#define NODE_ARGS                                                                                                      \
	4 /* the last one is for telling instances with the same name apart; it is not in the inode number             \
	   */

/* What an inode stands for. args are the choice of the dynamic directory that gave it (a pid, a descriptor). */
struct node_ref {
	uint32_t id; /* of the description, filled in by nodefs */
	uint32_t args[NODE_ARGS];
};

/* One file. The members that a type of file (mode) has no use for are NULL. All but refresh and next may park. */
struct node_desc {
	const char *name;
	uint32_t mode; /* type and permissions */

	/* Regular files. Made anew when somebody reads at position 0, kept for the reads that follow. text: what never
	 * changes. */
	const char *text;
	int (*show)(const struct node_ref *ref, struct text *out);
	/* A write(2) of at most NODE_WRITE_BYTES, zero-terminated. Returns what it took, or an error. Missing: -EIO. */
	ssize_t (*store)(const struct node_ref *ref, const char *bytes, size_t n);
	/* Instead of show and store: files that are not text (mem). */
	ssize_t (*read)(const struct node_ref *ref, struct uio *to, int64_t *pos);
	ssize_t (*write)(const struct node_ref *ref, struct uio *from, int64_t *pos);
	/* Missing: -ENOTTY. */
	long (*ioctl)(const struct node_ref *ref, struct user user, uint32_t command, uint64_t argument);
	/* May it be opened by cred with these flags? Missing: the mode decides alone. */
	int (*may_open)(const struct node_ref *ref, struct cred *cred, uint32_t flags);

	/* Symbolic links: the text as readlink(2) gives it, not zero-terminated; a magic link's place. */
	ssize_t (*link)(const struct node_ref *ref, char *target, size_t size);
	int (*follow)(const struct node_ref *ref, struct path *out);

	/* Directories: what is always in them, and what is in them now. lookup fills child's args; -ENOENT. next gives
	 * the first entry whose key is at least *key, with its name; false: none. Every dynamic entry is of the
	 * description entry. */
	const struct node_desc *children;
	unsigned child_count;
	const struct node_desc *entry;
	int (*lookup)(const struct node_ref *ref, const char *name, struct node_ref *child);
	bool (*next)(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child);

	/* Is what it stands for still there? May change the inode's owner and permissions. Missing: always there, and
	 * root's. Children of a dynamic entry inherit it. */
	bool (*refresh)(const struct node_ref *ref, struct inode *inode);
};

#define NODE_FILE(file_name, show_function)                                                                            \
	{                                                                                                              \
		.name = file_name, .mode = S_IFREG | 0444, .show = show_function                                       \
	}
#define NODE_TEXT(file_name, constant)                                                                                 \
	{                                                                                                              \
		.name = file_name, .mode = S_IFREG | 0444, .text = constant                                            \
	}
#define NODE_DIR(dir_name, array)                                                                                      \
	{                                                                                                              \
		.name = dir_name, .mode = S_IFDIR | 0555, .children = array, .child_count = COUNT(array)               \
	}

#define NODE_WRITE_BYTES 4096
#define NODE_ROOT        UINT32_MAX

/* Enters a description, which must be static, and everything below it; below the description parent (NODE_ROOT: it is a
 * file system's root). Returns its number. Only at start. */
uint32_t nodefs_register(uint32_t parent, const struct node_desc *desc);
/* The number of a static path below a root, such as "sys/kernel": for other parts that add to it. NODE_ROOT: none. */
uint32_t nodefs_find(uint32_t root, const char *path);

/* The operations of a kind of inode: INODE_PROC or INODE_SYS. size_bytes is what stat(2) shows for a file. */
void nodefs_kind_register(enum inode_kind kind, uint64_t magic, uint64_t size_bytes);
/* A file system with this root. */
must_check int nodefs_new(enum inode_kind kind, const char *type, uint32_t root, struct superblock **out);

/* What an inode of these file systems stands for: its description and, in *ref, which instance. NULL: another's inode.
 */
const struct node_desc *nodefs_desc(const struct inode *inode, struct node_ref *ref);

/* Reads a name like "12": decimal, no leading zeros, at most 2^31 - 1. */
must_check bool node_number(const char *name, uint32_t *out);

/* A place that leads to the file that an open file is of, also where it has no name (pipes, memfds). Gives. -ENOMEM. */
must_check int nodefs_place_of(const struct file *file, struct path *out);

#endif
