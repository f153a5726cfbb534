/* dev.h - character devices: who opens which number, the memory devices (null(4), random(4)), and what /dev starts
 * with.
 */
#ifndef FS_DEV_H
#define FS_DEV_H

#include "fs/inode.h"

/* Device numbers in the encoding of stat(2) on x86-64 (gnu_dev_makedev of glibc). */
#define DEV_MAKE(major, minor)                                                                                         \
	(((uint64_t)(major) >> 12 << 44) | ((uint64_t)((major)&0xfff) << 8) | ((uint64_t)(minor) >> 8 << 20) |         \
	 ((minor)&0xff))

typedef int dev_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
		     struct file **out);

/* Who opens a character device, wherever its node is; registered once at start. Devices that nobody registered: -ENXIO.
 */
void dev_register(uint64_t rdev, dev_open *open);

/* Once by fs_init: the memory devices, and the file system that MOUNT_DEV gets. */
void dev_init(void);

#endif
