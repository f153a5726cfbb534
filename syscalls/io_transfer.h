/* io_transfer.h - moving data on somebody else's word than a system call's arguments: io_uring(7) and io_submit(2). */
#ifndef SYSCALLS_IO_TRANSFER_H
#define SYSCALLS_IO_TRANSFER_H

#include "sentry/task.h"

/* Pieces of guest memory as readv(2) takes them: cuts the sum to IO_LIMIT_BYTES. -EINVAL, -EFAULT. */
must_check int io_parts_check(struct uio_part *parts, unsigned count);
/* Copies an array of struct iovec: into *out, from arena_alloc (NULL for none). -EINVAL, -ENOMEM, -EFAULT. */
must_check int io_parts_read(struct task *task, struct uaddr iov, uint64_t count, struct uio_part **out);

struct io_move {
	struct file *file;
	const struct uio_part *parts; /* checked */
	unsigned count;
	int64_t offset; /* -1: the file's position */
	bool write;
	int flags; /* RWF_* */
};
/* PARKS. As preadv2(2), pwritev2(2); of a file without a position the offset is not looked at. */
must_check long io_move(struct task *task, const struct io_move *move);

/* PARKS. splice(2) with offsets of our own; NULL: the files' positions. */
must_check long splice_files(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, uint64_t size,
			     uint32_t flags);

#endif
