/* uio.h - where the bytes of a read or write come from or go to: the guest's memory (one or many pieces) or the
 * sentry's.
 *
 * File systems see only this, so that they work the same for read(2), readv(2), sendfile(2), the loader and unit tests.
 */
#ifndef FS_UIO_H
#define FS_UIO_H

#include "platform/platform.h"

/* Whose memory: an address space, and the thread at whose stop we act (may be NULL). Small; passed by value. */
struct user {
	struct aspace *as;
	struct uthread *thread;
};

must_check static inline int user_read(struct user user, void *dst, struct uaddr src, size_t n)
{
	return aspace_read(user.as, user.thread, dst, src, n);
}

must_check static inline int user_write(struct user user, struct uaddr dst, const void *src, size_t n)
{
	return aspace_write(user.as, user.thread, dst, src, n);
}

struct uio_part {
	uint64_t base; /* guest address, or the sentry's own pointer */
	size_t size;
};

struct uio {
	struct user user;             /* as == NULL: parts are the sentry's own memory */
	const struct uio_part *parts; /* borrowed */
	unsigned count, at;           /* parts, and the one we are in */
	size_t done_in_part;
	size_t left; /* bytes still to move */
	struct uio_part single;
};

void uio_init_user(struct uio *uio, struct user user, struct uaddr base, size_t size);
void uio_init_user_parts(struct uio *uio, struct user user, const struct uio_part *parts, unsigned count);
void uio_init_kernel(struct uio *uio, void *base, size_t size);

/* Moves up to n bytes to (put) or from (take) the other side and goes on by as many. Returns how many, which is less
 * than n only at the end or at a bad address; -EFAULT when the first byte already failed. */
must_check ssize_t uio_put(struct uio *uio, const void *src, size_t n);
must_check ssize_t uio_take(struct uio *uio, void *dst, size_t n);
must_check ssize_t uio_put_zeros(struct uio *uio, size_t n);
/* Goes back by n bytes that were moved (a short write further down). */
void uio_rewind(struct uio *uio, size_t n);

#endif
