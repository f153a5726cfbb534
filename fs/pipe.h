/* pipe.h - pipes and FIFOs (pipe(7), fifo(7)), and the parts of splice(2), tee(2), vmsplice(2) that know pipes. */
#ifndef FS_PIPE_H
#define FS_PIPE_H

#include "fs/inode.h"

/* Registers the kinds; called once by fs_init. */
void pipe_init(void);

/* pipe2(2): flags O_NONBLOCK, O_DIRECT (packets), which both ends get; O_CLOEXEC is the caller's. Gives both.
 * -ENFILE beyond PIPE_TOTAL_BYTES, -ENOMEM. */
must_check int pipe_new(uint32_t flags, struct cred *cred, struct file **read_end, struct file **write_end);

/* PARKS. open(2) of a FIFO's inode, or of an anonymous pipe again through /proc/PID/fd. path may be NULL. Gives.
 * -ENXIO (O_WRONLY | O_NONBLOCK without a reader), -ERESTARTSYS, -ENOMEM. */
must_check int fifo_open(struct inode *inode, const struct path *path, uint32_t flags, struct cred *cred,
			 struct file **out);

bool file_is_pipe(const struct file *file);

/* F_GETPIPE_SZ and F_SETPIPE_SZ: the capacity in bytes. -EBADF: not a pipe; -EINVAL, -EPERM, -EBUSY as fcntl(2). PARKS.
 */
must_check long pipe_size_get(struct file *file);
must_check long pipe_size_set(struct file *file, uint64_t bytes);

/* All PARK. The pipe side of splice: with nonblock an empty (a full) pipe is -EAGAIN. n bytes at most are moved from
 * the pipe into out at *pos (NULL: out's own position), or from in to the pipe. Results as splice(2). */
must_check ssize_t pipe_splice_out(struct file *pipe, struct file *out, int64_t *pos, size_t n, bool nonblock);
must_check ssize_t pipe_splice_in(struct file *in, int64_t *pos, struct file *pipe, size_t n, bool nonblock);
must_check ssize_t pipe_splice_pipe(struct file *from, struct file *to, size_t n, bool nonblock);
must_check ssize_t pipe_tee(struct file *from, struct file *to, size_t n, bool nonblock);
/* vmsplice(2) copies: the guest may change its pages afterwards without changing the pipe. */
must_check ssize_t pipe_vmsplice(struct file *pipe, struct uio *uio, bool nonblock);

#endif
