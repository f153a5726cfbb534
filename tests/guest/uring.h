/* uring.h - a small io_uring of our own for the cases about it: no library is needed to build them. */
#ifndef URING_H
#define URING_H

#include "guest.h"
#include <linux/io_uring.h>
#include <sys/mman.h>

struct ring {
	int fd;
	struct io_uring_params params;
	char *rings, *sqes_at;
	unsigned *sq_head, *sq_tail, *sq_mask, *sq_array, *sq_flags, *sq_dropped;
	unsigned *cq_head, *cq_tail, *cq_mask, *cq_overflow;
	struct io_uring_cqe *cqes;
	struct io_uring_sqe *sqes;
	unsigned filled; /* submissions that are prepared and not told yet */
};

static inline int ring_setup(unsigned entries, struct io_uring_params *params)
{
	return (int)syscall(SYS_io_uring_setup, entries, params);
}

static inline int ring_register(const struct ring *ring, unsigned opcode, const void *at, unsigned count)
{
	return (int)syscall(SYS_io_uring_register, ring->fd, opcode, at, count);
}

static inline int ring_enter(const struct ring *ring, unsigned submit, unsigned wait, unsigned flags)
{
	return (int)syscall(SYS_io_uring_enter, ring->fd, submit, wait, flags, NULL, 0);
}

/* flags: IORING_SETUP_*. Natively without io_uring the case is skipped. */
static inline void ring_open(struct ring *ring, unsigned entries, unsigned flags, unsigned cq_entries)
{
	memset(ring, 0, sizeof *ring);
	ring->params.flags = flags;
	ring->params.cq_entries = cq_entries;
	ring->fd = ring_setup(entries, &ring->params);
	if (ring->fd < 0 && (errno == ENOSYS || errno == EPERM))
		skip("no io_uring");
	MUST(ring->fd);
	const struct io_sqring_offsets *sq = &ring->params.sq_off;
	const struct io_cqring_offsets *cq = &ring->params.cq_off;
	size_t sq_bytes = sq->array + ring->params.sq_entries * sizeof(unsigned);
	size_t cq_bytes = cq->cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
	size_t bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
	ring->rings =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes_at = mmap(NULL, ring->params.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	if (ring->rings == MAP_FAILED || ring->sqes_at == MAP_FAILED)
		give_up("mmap of the ring", errno);
	ring->sq_head = (unsigned *)(ring->rings + sq->head);
	ring->sq_tail = (unsigned *)(ring->rings + sq->tail);
	ring->sq_mask = (unsigned *)(ring->rings + sq->ring_mask);
	ring->sq_array = (unsigned *)(ring->rings + sq->array);
	ring->sq_flags = (unsigned *)(ring->rings + sq->flags);
	ring->sq_dropped = (unsigned *)(ring->rings + sq->dropped);
	ring->cq_head = (unsigned *)(ring->rings + cq->head);
	ring->cq_tail = (unsigned *)(ring->rings + cq->tail);
	ring->cq_mask = (unsigned *)(ring->rings + cq->ring_mask);
	ring->cq_overflow = (unsigned *)(ring->rings + cq->overflow);
	ring->cqes = (struct io_uring_cqe *)(ring->rings + cq->cqes);
	ring->sqes = (struct io_uring_sqe *)ring->sqes_at;
}

/* The next submission, with these fields; the caller adds more. */
static inline struct io_uring_sqe *prepare(struct ring *ring, int op, int fd, const void *addr, unsigned len,
					   uint64_t off, uint64_t data)
{
	unsigned index = (*ring->sq_tail + ring->filled++) & *ring->sq_mask;
	struct io_uring_sqe *sqe = &ring->sqes[index];

	memset(sqe, 0, sizeof *sqe);
	ring->sq_array[index] = index;
	sqe->opcode = (uint8_t)op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->off = off;
	sqe->user_data = data;
	return sqe;
}

/* Tells the kernel, and waits for so many completions. */
static inline int submit(struct ring *ring, unsigned wait)
{
	unsigned count = ring->filled;

	ring->filled = 0;
	__atomic_store_n(ring->sq_tail, *ring->sq_tail + count, __ATOMIC_RELEASE);
	return ring_enter(ring, count, wait, wait ? IORING_ENTER_GETEVENTS : 0);
}

static inline unsigned ready(const struct ring *ring)
{
	return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - *ring->cq_head;
}

static inline bool reap_one(struct ring *ring, struct io_uring_cqe *out)
{
	if (!ready(ring))
		return false;
	*out = ring->cqes[*ring->cq_head & *ring->cq_mask];
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	return true;
}

static inline void show_completion(const struct io_uring_cqe *cqe)
{
	if (cqe->res < 0)
		say("  %llu: %s flags %x\n", (unsigned long long)cqe->user_data, error_name(-cqe->res), cqe->flags);
	else
		say("  %llu: %d flags %x\n", (unsigned long long)cqe->user_data, cqe->res, cqe->flags);
}

/* Waits for count completions and shows them in the order of their numbers, since theirs may differ. */
static inline void show_completions(struct ring *ring, unsigned count)
{
	struct io_uring_cqe cqes[256];
	unsigned have = 0;

	while (have < count && have < COUNT(cqes)) {
		if (reap_one(ring, &cqes[have]))
			have++;
		else if (ring_enter(ring, 0, 1, IORING_ENTER_GETEVENTS) < 0 && errno != EINTR)
			give_up("io_uring_enter", errno);
	}
	for (unsigned i = 1; i < have; i++)
		for (unsigned j = i; j && cqes[j].user_data < cqes[j - 1].user_data; j--) {
			struct io_uring_cqe swap = cqes[j];
			cqes[j] = cqes[j - 1];
			cqes[j - 1] = swap;
		}
	for (unsigned i = 0; i < have; i++)
		show_completion(&cqes[i]);
	if (ready(ring))
		say("  %u more than expected\n", ready(ring));
}

/* Submits what is prepared, waits for as many completions as said and shows them. */
static inline void run(struct ring *ring, const char *what, unsigned completions)
{
	unsigned count = ring->filled;
	int done = submit(ring, completions);

	if (done == (int)count)
		say("%s:\n", what);
	else
		say("%s: submitted %d %s\n", what, done, done < 0 ? error_name(errno) : "");
	show_completions(ring, completions);
}

static inline void ring_close(struct ring *ring)
{
	munmap(ring->rings, 4096);
	close(ring->fd);
}

#endif
