/* stat.h - what stat(2), statx(2), statfs(2) and getdents64(2) give, as Linux x86-64 lays it out
 * (asm/stat.h, linux/stat.h, asm-generic/statfs.h, linux/dirent.h).
 */
#ifndef SENTRY_ABI_STAT_H
#define SENTRY_ABI_STAT_H

#include "sentry/abi/time.h"

/* utimensat(2), utimes(2), utime(2): access time first. */
struct abi_timespec_pair {
	struct abi_timespec v[2];
};
struct abi_timeval_pair {
	struct abi_timeval v[2];
};
struct abi_utimbuf {
	int64_t actime, modtime;
};

struct abi_stat {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad0;
	uint64_t rdev;
	int64_t size, blksize, blocks; /* blocks of 512 bytes */
	struct abi_timespec atime, mtime, ctime;
	int64_t unused[3];
};
_Static_assert(sizeof(struct abi_stat) == 144, "struct stat");

struct abi_statx_timestamp {
	int64_t s;
	uint32_t ns;
	int32_t reserved;
};

struct abi_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct abi_statx_timestamp atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t spare[12];
};
_Static_assert(sizeof(struct abi_statx) == 256, "struct statx");

#define ABI_STATX_BASIC_STATS     0x7ffu
#define ABI_STATX_BTIME           0x800u
#define ABI_STATX_MNT_ID          0x1000u
#define ABI_STATX_RESERVED        0x80000000u
#define ABI_STATX_ATTR_MOUNT_ROOT 0x2000ull

struct abi_statfs {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags;
	int64_t spare[4];
};
_Static_assert(sizeof(struct abi_statfs) == 120, "struct statfs");

#define ABI_ST_RDONLY      1
#define ABI_ST_VALID       0x20
#define ABI_ST_RELATIME    0x1000
#define ABI_ST_NOSYMFOLLOW 0x2000

/* Followed by the name with its zero byte; the whole is padded to 8 bytes. */
struct abi_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
} __attribute__((packed));

/* The old one: the type is the last byte of the record. */
struct abi_dirent {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	char name[];
} __attribute__((packed));

#endif
