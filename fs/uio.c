/* uio.c - moves bytes between the sentry's buffers and the places of a read or write.
 *
 * A uio is a cursor over its parts. Guest memory is reached only through user_read and user_write; a failure after some
 * bytes is a short count, as in Linux, and -EFAULT only when nothing moved. Large pieces go in steps of COPY_STEP, so
 * that the count stays right when a later page is bad: a step that fails is retried page by page.
 */
#include "fs/uio.h"
#include <errno.h>
#include <string.h>

#define COPY_STEP (256 * 1024ul)

void uio_init_user(struct uio *uio, struct user user, struct uaddr base, size_t size)
{
	*uio = (struct uio){.user = user, .count = 1, .left = size, .single = {base.v, size}};
	uio->parts = &uio->single;
}

void uio_init_user_parts(struct uio *uio, struct user user, const struct uio_part *parts, unsigned count)
{
	*uio = (struct uio){.user = user, .parts = parts, .count = count};
	for (unsigned i = 0; i < count; i++)
		uio->left += parts[i].size;
}

void uio_init_kernel(struct uio *uio, void *base, size_t size)
{
	uio_init_user(uio, (struct user){0}, UADDR((uintptr_t)base), size);
}

enum direction { PUT, TAKE, ZERO };

static int move_once(struct user user, enum direction direction, uint64_t there, char *here, size_t n)
{
	static const char zeros[PAGE_SIZE];

	if (!user.as) {
		if (direction == TAKE)
			memcpy(here, (void *)(uintptr_t)there, n);
		else if (direction == PUT)
			memcpy((void *)(uintptr_t)there, here, n);
		else
			memset((void *)(uintptr_t)there, 0, n);
		return 0;
	}
	if (direction == TAKE)
		return user_read(user, here, UADDR(there), n);
	if (direction == PUT)
		return user_write(user, UADDR(there), here, n);
	for (size_t done = 0, step; done < n; done += step) {
		step = MIN(n - done, sizeof zeros);
		int error = user_write(user, UADDR(there + done), zeros, step);
		if (error)
			return error;
	}
	return 0;
}

/* Moves as much of n as can be moved. */
static size_t move_piece(struct user user, enum direction direction, uint64_t there, char *here, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t step = MIN(n - done, COPY_STEP);
		if (!move_once(user, direction, there + done, here ? here + done : NULL, step)) {
			done += step;
			continue;
		}
		for (size_t end = done + step; done < end; done += step) {
			step = MIN(end - done, PAGE_SIZE - ((there + done) & (PAGE_SIZE - 1)));
			if (move_once(user, direction, there + done, here ? here + done : NULL, step))
				return done;
		}
	}
	return done;
}

static void advance(struct uio *uio, size_t n)
{
	assert(n <= uio->left);
	uio->left -= n;
	while (uio->at < uio->count) {
		size_t rest = uio->parts[uio->at].size - uio->done_in_part;
		if (n < rest) {
			uio->done_in_part += n;
			return;
		}
		n -= rest;
		uio->at++;
		uio->done_in_part = 0;
	}
}

static ssize_t move(struct uio *uio, enum direction direction, char *here, size_t n)
{
	size_t done = 0;

	n = MIN(n, uio->left);
	while (done < n && uio->at < uio->count) {
		const struct uio_part *part = &uio->parts[uio->at];
		size_t step = MIN(part->size - uio->done_in_part, n - done);
		size_t moved = move_piece(uio->user, direction, part->base + uio->done_in_part,
					  here ? here + done : NULL, step);
		advance(uio, moved);
		done += moved;
		if (moved < step)
			return done ? (ssize_t)done : -EFAULT;
	}
	return done;
}

ssize_t uio_put(struct uio *uio, const void *src, size_t n)
{
	return move(uio, PUT, (char *)(uintptr_t)src, n);
}

ssize_t uio_take(struct uio *uio, void *dst, size_t n)
{
	return move(uio, TAKE, dst, n);
}

ssize_t uio_put_zeros(struct uio *uio, size_t n)
{
	return move(uio, ZERO, NULL, n);
}

void uio_rewind(struct uio *uio, size_t n)
{
	uio->left += n;
	if (n && uio->at == uio->count) {
		assert(uio->count > 0);
		uio->at--;
		uio->done_in_part = uio->parts[uio->at].size;
	}
	while (n > uio->done_in_part) {
		n -= uio->done_in_part;
		assert(uio->at > 0);
		uio->at--;
		uio->done_in_part = uio->parts[uio->at].size;
	}
	uio->done_in_part -= n;
}
