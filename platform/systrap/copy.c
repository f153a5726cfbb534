/* copy.c - guest memory by value.
 *
 * Theory. process_vm_readv and _writev on the agent, whose address space the guest's is and which lives as long as the
 * platform wants it. They respect the guest's page protections. Before a copy, changes of that range that are
 * under way are waited for.
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
	if (!as->agent_pid)
		return -EFAULT;
	return host_process_vm_writev(as->agent_pid, &local, 1, &remote, 1) == (ssize_t)n ? 0 : -EFAULT;
}

ssize_t aspace_read_string(struct aspace *as, struct uthread *thread, char *dst, struct uaddr src, size_t size)
{
	size_t got = 0;

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
