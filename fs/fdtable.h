/* fdtable.h - descriptor tables (struct files_struct in Linux): numbers to files, with the close-on-exec bit. */
#ifndef FS_FDTABLE_H
#define FS_FDTABLE_H

#include "fs/file.h"

struct fdtable {
	struct ref ref;
	uint32_t size;        /* slots allocated */
	uint32_t lowest_free; /* no free number below */
	struct file **files;  /* arena_alloc */
	uint64_t *cloexec;    /* a bit a slot */
};

must_check struct fdtable *fdtable_new(void);                         /* NULL: no memory */
must_check struct fdtable *fdtable_copy(const struct fdtable *table); /* for fork: NULL: no memory */
void fdtable_get(struct fdtable *table);
void fdtable_put(struct fdtable *table); /* the last one closes everything */

/* A reference to the file, or -EBADF. */
must_check int fd_get(struct fdtable *table, int fd, struct file **out);

/* Installs at the lowest free number >= from and below limit (RLIMIT_NOFILE). Takes the reference on success only.
 * Returns the number, -EMFILE, -ENOMEM, or -EINVAL when from >= limit. */
must_check int fd_install(struct fdtable *table, struct file *file, bool cloexec, int from, uint64_t limit);
/* Is there a free number below limit? For calls that must not do anything when there is none. 0 or -EMFILE. */
must_check int fd_room(const struct fdtable *table, uint64_t limit);
/* PARKS. At exactly fd, closing what was there (file_close). Takes the reference on success. fd or -EBADF (fd >=
 * limit), -ENOMEM. */
must_check int fd_install_at(struct fdtable *table, int fd, struct file *file, bool cloexec, uint64_t limit);
must_check int fd_close(struct fdtable *table, int fd); /* PARKS (file_close). 0 or -EBADF */
void fdtable_close_on_exec(struct fdtable *table);
int fd_cloexec_get(struct fdtable *table, int fd); /* 0, 1 or -EBADF */
int fd_cloexec_set(struct fdtable *table, int fd, bool on);
/* The smallest open number >= from, or -1: for /proc/PID/fd and close_range. */
int fd_next(const struct fdtable *table, int from);

#endif
