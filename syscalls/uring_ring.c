/* uring_ring.c - the memory that a ring shares with the guest, and what goes through it.
 *
 * One memory file of the host, which the guest maps by the ring's descriptor and we map once: counters, completions,
 * indices of submissions, and, from a page on, the submissions. The sentry never trusts what it finds there: its own
 * positions are in struct uring, a guest's counter is read once and taken modulo the size, a submission is copied
 * before anybody looks at it. What a guest writes into our counters misleads only itself.
 *
 * A completion that finds the queue full is kept (struct uring_overflow) and handed out when the guest enters the
 * kernel again.
 *
 * Limits: URING_LIMIT rings, URING_TOTAL_BYTES of their memory; URING_OVERFLOW_LIMIT completions are kept, the next are
 * lost and counted (cq_overflow).
 */
#include "fs/eventfd.h"
#include "platform/host.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "syscalls/uring.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

struct uring_overflow {
	struct list node;
	struct io_uring_cqe cqe;
};

static struct slab uring_slab = SLAB(uring), overflow_slab = SLAB(uring_overflow);
static uint32_t ring_total, overflow_total;
static uint64_t ring_bytes;

/* ------------------------------------------------------------------------------------------------ making and ending */

static int memory_new(struct uring *ring)
{
	if (ring_total >= URING_LIMIT || ring_bytes + ring->bytes > URING_TOTAL_BYTES)
		return -ENOMEM;
	int error = hostfile_memory("io_uring", ring->bytes, &ring->host_file);
	if (error)
		return error;
	ring->memory = host_mmap(NULL, ring->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, hostfile_fd(ring->host_file), 0,
				 &error);
	if (!ring->memory) {
		hostfile_put(ring->host_file);
		return error ? error : -ENOMEM;
	}
	ring_total++;
	ring_bytes += ring->bytes;
	return 0;
}

int uring_new(uint32_t sq_entries, uint32_t cq_entries, uint32_t flags, struct uring **out)
{
	struct uring *ring = slab_new(&uring_slab);

	if (!ring)
		return -ENOMEM;
	ring->refs = 1;
	ring->flags = flags;
	ring->disabled = flags & IORING_SETUP_R_DISABLED;
	ring->sq_entries = sq_entries;
	ring->cq_entries = cq_entries;
	ring->array_at = sizeof(struct uring_words) + cq_entries * sizeof(struct io_uring_cqe);
	ring->sqes_at = page_up(ring->array_at + sq_entries * sizeof(uint32_t));
	ring->bytes = ring->sqes_at + page_up(sq_entries * sizeof(struct io_uring_sqe));
	list_init(&ring->overflow);
	list_init(&ring->requests);
	list_init(&ring->held);
	list_init(&ring->counted);
	waitq_init(&ring->wait);
	RB_INIT(&ring->by_data);
	int error = memory_new(ring);
	if (error) {
		slab_free(&uring_slab, ring);
		return error;
	}
	struct uring_words *words = uring_words(ring);
	words->sq_mask = sq_entries - 1;
	words->cq_mask = cq_entries - 1;
	words->sq_entries = sq_entries;
	words->cq_entries = cq_entries;
	*out = ring;
	return 0;
}

void uring_put(struct uring *ring)
{
	assert(ring->refs > 0);
	if (--ring->refs)
		return;
	assert(list_empty(&ring->requests) && list_empty(&ring->counted) && list_empty(&ring->held));
	while (!list_empty(&ring->overflow)) {
		struct uring_overflow *kept = list_first(&ring->overflow, struct uring_overflow, node);
		list_remove(&kept->node);
		slab_free(&overflow_slab, kept);
		overflow_total--;
	}
	host_munmap(ring->memory, ring->bytes);
	hostfile_put(ring->host_file);
	ring_total--;
	ring_bytes -= ring->bytes;
	slab_free(&uring_slab, ring);
}

/* ------------------------------------------------------------------------------------------------ submissions */

uint32_t uring_submissions(const struct uring *ring)
{
	uint32_t tail = __atomic_load_n(&uring_words(ring)->sq_tail, __ATOMIC_ACQUIRE);

	return MIN(tail - ring->sq_head, ring->sq_entries);
}

bool uring_take(struct uring *ring, struct io_uring_sqe *out)
{
	struct uring_words *words = uring_words(ring);
	const uint32_t *array = (const uint32_t *)(ring->memory + ring->array_at);
	uint32_t index = __atomic_load_n(&array[ring->sq_head & (ring->sq_entries - 1)], __ATOMIC_RELAXED);
	bool good = index < ring->sq_entries;

	if (good)
		memcpy(out, ring->memory + ring->sqes_at + index * sizeof *out, sizeof *out);
	else
		__atomic_store_n(&words->sq_dropped, ++ring->dropped, __ATOMIC_RELAXED);
	__asm__ volatile("" ::: "memory"); /* what was copied is not looked up again */
	__atomic_store_n(&words->sq_head, ++ring->sq_head, __ATOMIC_RELEASE);
	return good;
}

/* ------------------------------------------------------------------------------------------------ completions */

uint32_t uring_completions(const struct uring *ring)
{
	uint32_t head = __atomic_load_n(&uring_words(ring)->cq_head, __ATOMIC_ACQUIRE);

	return MIN(ring->cq_tail - head, ring->cq_entries);
}

bool uring_full(const struct uring *ring)
{
	return !list_empty(&ring->overflow) || uring_completions(ring) == ring->cq_entries;
}

static void queue_put(struct uring *ring, const struct io_uring_cqe *cqe)
{
	struct uring_words *words = uring_words(ring);

	memcpy(&words->cqes[ring->cq_tail & (ring->cq_entries - 1)], cqe, sizeof *cqe);
	__atomic_store_n(&words->cq_tail, ++ring->cq_tail, __ATOMIC_RELEASE);
}

static void overflow_flag(struct uring *ring, bool on)
{
	__atomic_store_n(&uring_words(ring)->sq_flags, on ? IORING_SQ_CQ_OVERFLOW : 0, __ATOMIC_RELAXED);
}

static void overflow_put(struct uring *ring, const struct io_uring_cqe *cqe)
{
	struct uring_overflow *kept = overflow_total < URING_OVERFLOW_LIMIT ? slab_new(&overflow_slab) : NULL;

	if (!kept) {
		__atomic_store_n(&uring_words(ring)->cq_overflow, ++ring->lost, __ATOMIC_RELAXED);
		return;
	}
	overflow_total++;
	kept->cqe = *cqe;
	list_push_back(&ring->overflow, &kept->node);
	overflow_flag(ring, true);
}

void uring_flush(struct uring *ring)
{
	if (list_empty(&ring->overflow))
		return;
	while (!list_empty(&ring->overflow) && uring_completions(ring) < ring->cq_entries) {
		struct uring_overflow *kept = list_first(&ring->overflow, struct uring_overflow, node);
		queue_put(ring, &kept->cqe);
		list_remove(&kept->node);
		slab_free(&overflow_slab, kept);
		overflow_total--;
	}
	overflow_flag(ring, !list_empty(&ring->overflow));
}

static bool event_wanted(const struct uring *ring, bool at_once)
{
	uint32_t flags = __atomic_load_n(&uring_words(ring)->cq_flags, __ATOMIC_RELAXED);

	return ring->event && !(flags & IORING_CQ_EVENTFD_DISABLED) && !(ring->event_async && at_once);
}

void uring_post(struct uring *ring, uint64_t user_data, long result, uint32_t flags, bool at_once)
{
	struct io_uring_cqe cqe = {.user_data = user_data, .res = (int32_t)result, .flags = flags};

	if (ring->closed)
		return;
	if (uring_full(ring))
		overflow_put(ring, &cqe);
	else
		queue_put(ring, &cqe);
	waitq_wake(&ring->wait, POLLIN | POLLRDNORM);
	if (event_wanted(ring, at_once))
		eventfd_signal(ring->event);
}

/* ------------------------------------------------------------------------------------------------ the ring as a file
 */

struct uring *uring_of(const struct file *file)
{
	return file->kind == FILE_URING ? file->data : NULL;
}

static uint32_t uring_poll(struct file *file, struct poll_wait *wait)
{
	struct uring *ring = uring_of(file);
	uint32_t events = 0;

	poll_listen(wait, &ring->wait);
	if (uring_submissions(ring) < ring->sq_entries)
		events |= POLLOUT | POLLWRNORM;
	if (uring_completions(ring) || !list_empty(&ring->overflow))
		events |= POLLIN | POLLRDNORM;
	return events;
}

/* io_uring_mmap in Linux: an offset names a part, and a mapping may be no larger than it. */
static int uring_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		     struct file_map *out)
{
	struct uring *ring = uring_of(file);
	bool sqes = offset == IORING_OFF_SQES;

	(void)prot, (void)flags;
	if (!sqes && offset != IORING_OFF_SQ_RING && offset != IORING_OFF_CQ_RING)
		return -EINVAL;
	if (size > (sqes ? ring->bytes - ring->sqes_at : ring->sqes_at))
		return -EINVAL;
	hostfile_get(ring->host_file);
	*out = (struct file_map){.host_file = ring->host_file, .offset = sqes ? ring->sqes_at : 0};
	return 0;
}

static void uring_release(struct file *file)
{
	struct uring *ring = uring_of(file);

	if (!ring)
		return;
	ring->closed = true;
	ring->refs++;
	uring_cancel_all(ring);
	uring_unregister_all(ring);
	uring_put(ring);
	uring_put(ring);
}

static const struct file_ops uring_ops = {.poll = uring_poll, .map = uring_map, .release = uring_release};

void uring_ring_init(void)
{
	file_kind_register(FILE_URING, &uring_ops);
}

int uring_file_new(struct uring *ring, struct cred *cred, struct file **out)
{
	int error = file_new_anonymous(FILE_URING, O_RDWR, 0600, "io_uring", cred, out);

	if (error)
		uring_put(ring);
	else
		(*out)->data = ring;
	return error;
}
