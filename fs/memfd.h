/* memfd.h - anonymous files in memory (memfd_create(2)), seals (fcntl(2), File Sealing). */
#ifndef FS_MEMFD_H
#define FS_MEMFD_H

#include "fs/file.h"

/* Called once by fs_init. */
void memfd_init(void);

/* name without "memfd:", at most 249 bytes; flags MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL, MFD_EXEC. Gives. */
must_check int memfd_new(const char *name, uint32_t flags, struct cred *cred, struct file **out);

/* The file behind a segment of shared memory (FILE_SHM) of size bytes, shown as "/NAME (deleted)". Gives. */
must_check int memfd_new_shm(const char *name, int64_t size, struct cred *cred, struct file **out);
/* Called with such a file when its last reference goes; registered once (sentry/sysv_shm.c). Must not park. */
void memfd_shm_register(void (*gone)(struct file *file));

/* F_ADD_SEALS and F_GET_SEALS. -EINVAL for files that are not in memory, -EPERM. */
must_check long memfd_add_seals(struct file *file, uint32_t seals);
must_check long memfd_get_seals(const struct file *file);

#endif
