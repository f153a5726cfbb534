/* tmpfs_options.c - what mount(2) may say of a tmpfs: tmpfs(5).
 *
 * Limits: no quotas, no case folding; huge pages and memory policies are read and have no effect.
 */
#include "fs/facts.h"
#include "fs/tmpfs.h"
#include "sentry/base/limits.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OPTION_LIMIT 64 /* bytes of one option with its value */

struct options {
	bool has_size, has_inodes, has_mode, has_uid, has_gid;
	uint64_t size_bytes, inodes; /* 0: no limit */
	uint32_t mode, uid, gid;
};

/* A number in this base, which must be all there is. */
static int read_number(const char *text, int base, uint32_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, base);

	if (*text < '0' || *text > '9' || *end || value > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)value;
	return 0;
}

/* memparse of Linux: "10", "10k", "0x10M", and "50%" of the memory if there is something that it is a part of. */
static int read_size(const char *text, uint64_t whole, uint64_t *out)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);
	static const char units[] = "kmgtpe";
	const char *unit = *end ? strchr(units, *end | 0x20) : NULL;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	if (unit) {
		value <<= 10 * (unsigned)(unit - units + 1);
		end++;
	} else if (*end == '%' && whole) {
		value = whole / 100 * MIN(value, 100ull);
		end++;
	}
	*out = value;
	return *end ? -EINVAL : 0;
}

static int read_option(const char *name, const char *value, struct options *options)
{
	static const char *const without_effect[] = {"huge", "mpol", "noswap", "inode32", "inode64"};
	uint64_t blocks;
	int error;

	for (unsigned i = 0; i < COUNT(without_effect); i++)
		if (!strcmp(name, without_effect[i]))
			return 0;
	if (!value)
		return -EINVAL;
	if (!strcmp(name, "size")) {
		options->has_size = true;
		return read_size(value, facts.memory_bytes, &options->size_bytes);
	}
	if (!strcmp(name, "nr_blocks")) {
		options->has_size = true;
		error = read_size(value, 0, &blocks);
		options->size_bytes = blocks > UINT64_MAX / PAGE_SIZE ? 0 : blocks * PAGE_SIZE;
		return error;
	}
	if (!strcmp(name, "nr_inodes")) {
		options->has_inodes = true;
		return read_size(value, 0, &options->inodes);
	}
	if (!strcmp(name, "mode")) {
		options->has_mode = true;
		return read_number(value, 8, &options->mode);
	}
	if (!strcmp(name, "uid")) {
		options->has_uid = true;
		return read_number(value, 10, &options->uid);
	}
	options->has_gid = true;
	return strcmp(name, "gid") ? -EINVAL : read_number(value, 10, &options->gid);
}

static int read_options(const char *text, struct options *options)
{
	char part[OPTION_LIMIT];

	*options = (struct options){.mode = 01777};
	while (text && *text) {
		size_t length = strcspn(text, ",");
		if (length >= sizeof part)
			return -EINVAL;
		memcpy(part, text, length);
		part[length] = 0;
		text += length + (text[length] == ',');
		char *value = strchr(part, '=');
		if (value)
			*value++ = 0;
		int error = *part ? read_option(part, value, options) : 0;
		if (error)
			return error;
	}
	return 0;
}

/* A file system may be as large as the memory, whatever it was told. */
static void apply_limits(struct mem_fs *fs, const struct options *options)
{
	if (options->has_size)
		fs->budget.limit_bytes = options->size_bytes && options->size_bytes < facts.memory_bytes
						 ? (options->size_bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1)
						 : facts.memory_bytes;
	if (options->has_inodes)
		fs->inode_limit = MIN(fs->inode_limit, options->inodes ? options->inodes : UINT64_MAX);
}

int tmpfs_mount_new(const char *text, const struct cred *cred, struct superblock **out)
{
	struct options options;
	int error = read_options(text, &options);

	if (!error)
		error = tmpfs_new(options.mode, 0, out);
	if (error)
		return error;
	struct inode *root = (*out)->root;
	apply_limits((*out)->data, &options);
	root->uid = options.has_uid ? options.uid : cred->fsuid;
	root->gid = options.has_gid ? options.gid : cred->fsgid;
	return 0;
}

int tmpfs_remount(struct superblock *sb, const char *text)
{
	struct mem_fs *fs = sb->data;
	struct options options;
	int error = read_options(text, &options);

	if (error)
		return error;
	if (options.has_size && options.size_bytes && options.size_bytes < fs->budget.used_bytes)
		return -EINVAL;
	if (options.has_inodes && options.inodes && options.inodes < fs->inodes)
		return -EINVAL;
	apply_limits(fs, &options);
	return 0;
}
