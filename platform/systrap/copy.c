/* copy.c - guest memory by value.
 *
 * Theory. process_vm_readv and _writev on the agent, whose address space the guest's is and which lives as long as the
 * platform wants it. They respect the guest's page protections. Before a copy, changes of that range that are
 * under way are waited for.
 *
 * Windows. A call from a patched site may come with copies of what it surely reads, and with notes of what the gate
 * has found writable (gate.c, bring). Reads are served from these; small writes to noted ranges are queued in the out
 * window, and the gate makes them on its way back to the guest. Both are the guest's word like its memory itself. The
 * queue is written at once (copy_flush) when somebody could miss it: before the thread's maps change, before it forks,
 * makes a thread or dies, before this thread's call reads, or writes otherwise, what is queued. The in window is
 * dropped at the first write, so that a call never reads back what it has overwritten.
 *
 * cmpxchg is made by the thread's own host thread in the gate, so that it is atomic for the guest; without a thread it
 * is read, compare, write.
 */
#include "platform/systrap/systrap.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "platform/host.h"

/* Whether [addr, addr + n) is the guest's to name. */
static bool range_ok(uint64_t addr, size_t n)
{
	return addr >= PLATFORM_MIN_ADDR && addr < PLATFORM_MAX_ADDR && n <= PLATFORM_MAX_ADDR - addr;
}

/* ------------------------------------------------------------------------------------------------ windows */

static uint32_t padded(uint64_t bytes)
{
	return (uint32_t)((bytes + 7) & ~7ull);
}

/* The record of this kind that starts at or before addr and holds at least n bytes from there; the window's offset of
 * the byte for addr, and how many there are. Every word is read once and checked. */
static const char *window_find(const struct uthread *thread, uint64_t addr, uint64_t n, bool writable, uint64_t *bytes)
{
	const char *window = (const char *)thread->ch + BLOCK_IN;
	uint32_t used = MIN(READ_ONCE(thread->ch->in_bytes), (uint32_t)BLOCK_IN_BYTES);

	for (uint32_t off = 0; off + sizeof(struct window_record) <= used;) {
		const struct window_record *shared = (const struct window_record *)(window + off);
		struct window_record record = {READ_ONCE(shared->addr), READ_ONCE(shared->bytes)};
		bool is_writable = record.bytes & WINDOW_WRITABLE;
		uint64_t length = record.bytes & ~WINDOW_WRITABLE;

		off += sizeof record;
		if (!is_writable && length > used - off)
			return NULL;
		if (is_writable == writable && addr >= record.addr && addr - record.addr <= length &&
		    n <= length - (addr - record.addr)) {
			*bytes = length - (addr - record.addr);
			return is_writable ? window : window + off + (addr - record.addr);
		}
		off += is_writable ? 0 : padded(length);
	}
	return NULL;
}

static struct window_record *out_record(const struct uthread *thread, uint32_t off)
{
	return (struct window_record *)((char *)thread->ch + BLOCK_OUT + off);
}

/* Guests can write the window: the lengths are checked again. */
void copy_flush(struct uthread *thread)
{
	uint32_t used = thread->out_bytes;

	thread->out_bytes = 0;
	for (uint32_t off = 0; off + sizeof(struct window_record) <= used;) {
		struct window_record record = *(volatile struct window_record *)out_record(thread, off);
		struct iovec local = {out_record(thread, off) + 1, record.bytes},
			     remote = {(void *)record.addr, record.bytes};

		off += sizeof record;
		if (record.bytes > used - off || !range_ok(record.addr, record.bytes) || !thread->as->agent_pid)
			return;
		(void)!host_process_vm_writev(thread->as->agent_pid, &local, 1, &remote, 1);
		off += padded(record.bytes);
	}
}

/* true: the write is queued. */
static bool write_queue(struct uthread *thread, uint64_t addr, const void *src, size_t n)
{
	uint64_t room;

	if (!thread->window || n > WINDOW_ONE_BYTES || thread->state != UTHREAD_AT_STOP ||
	    thread->out_bytes + sizeof(struct window_record) + padded(n) > BLOCK_OUT_BYTES ||
	    !window_find(thread, addr, n, true, &room))
		return false;
	struct window_record *record = out_record(thread, thread->out_bytes);
	*record = (struct window_record){addr, n};
	memcpy(record + 1, src, n);
	thread->out_bytes += sizeof *record + padded(n);
	return true;
}

static void settle(struct aspace *as, struct uthread *thread, uint64_t addr, size_t n)
{
	if (likely(list_empty(&as->pending)))
		return;
	mem_flush_own(thread, addr, addr + n);
	mem_settle_range(as, addr, addr + n, thread);
}

int aspace_read(struct aspace *as, struct uthread *thread, void *dst, struct uaddr src, size_t n)
{
	struct iovec local = {dst, n}, remote = {(void *)src.v, n};

	if (!n)
		return 0;
	if (!range_ok(src.v, n))
		return -EFAULT;
	if (thread && thread->window && !thread->wrote) {
		uint64_t bytes;
		const char *found = window_find(thread, src.v, n, false, &bytes);
		if (found) {
			memcpy(dst, found, n);
			return 0;
		}
	}
	if (thread && thread->out_bytes)
		copy_flush(thread);
	settle(as, thread, src.v, n);
	if (!as->agent_pid)
		return -EFAULT;
	return host_process_vm_readv(as->agent_pid, &local, 1, &remote, 1) == (ssize_t)n ? 0 : -EFAULT;
}

int aspace_write(struct aspace *as, struct uthread *thread, struct uaddr dst, const void *src, size_t n)
{
	struct iovec local = {(void *)src, n}, remote = {(void *)dst.v, n};

	if (!n)
		return 0;
	if (!range_ok(dst.v, n))
		return -EFAULT;
	settle(as, thread, dst.v, n);
	if (thread) {
		thread->wrote = true;
		if (write_queue(thread, dst.v, src, n))
			return 0;
		copy_flush(thread);
	}
	if (!as->agent_pid)
		return -EFAULT;
	return host_process_vm_writev(as->agent_pid, &local, 1, &remote, 1) == (ssize_t)n ? 0 : -EFAULT;
}

ssize_t aspace_read_string(struct aspace *as, struct uthread *thread, char *dst, struct uaddr src, size_t size)
{
	size_t got = 0;

	if (thread && thread->window && !thread->wrote && size && range_ok(src.v, 1)) {
		uint64_t bytes;
		const char *found = window_find(thread, src.v, 1, false, &bytes);
		char *end = found ? memccpy(dst, found, 0, MIN(bytes, size)) : NULL;
		if (end) {
			end[-1] = 0; /* memccpy may look twice, and the guest may have changed what it looked at */
			return end - dst - 1;
		}
	}
	while (got < size) {
		uint64_t at = src.v + got;
		size_t n = MIN(size - got, PAGE_SIZE - at % PAGE_SIZE);
		int error = aspace_read(as, thread, dst + got, UADDR(at), n);
		char *zero;

		if (error)
			return error;
		zero = memchr(dst + got, 0, n);
		if (zero)
			return zero - dst;
		got += n;
	}
	return -ENAMETOOLONG;
}

static int cmpxchg_by_value(struct aspace *as, struct uaddr word, uint32_t expected, uint32_t desired, uint32_t *found)
{
	uint32_t now;
	int error = aspace_read(as, NULL, &now, word, sizeof now);

	if (!error && now == expected)
		error = aspace_write(as, NULL, word, &desired, sizeof desired);
	if (!error)
		*found = now;
	return error;
}

int aspace_cmpxchg32(struct aspace *as, struct uthread *thread, struct uaddr word, uint32_t expected, uint32_t desired,
		     uint32_t *found)
{
	uint32_t answer;
	int64_t result, ret;

	if (!range_ok(word.v, sizeof expected))
		return -EFAULT;
	if (!thread || thread->fresh || thread->killed || thread->state != UTHREAD_AT_STOP)
		return cmpxchg_by_value(as, word, expected, desired, found);
	copy_flush(thread);
	settle(as, thread, word.v, sizeof expected);
	answer = thread->answer;
	ret = thread->ret;
	WRITE_ONCE(thread->ch->arg[0], word.v);
	WRITE_ONCE(thread->ch->arg[1], expected);
	WRITE_ONCE(thread->ch->arg[2], desired);
	if (!uthread_round_trip(thread, ANSWER_CMPXCHG))
		return -EFAULT;
	thread->answer = answer;
	thread->ret = ret;
	result = (int64_t)READ_ONCE(thread->ch->nr);
	if (result < 0 || result > UINT32_MAX)
		return -EFAULT;
	*found = (uint32_t)result;
	return 0;
}
