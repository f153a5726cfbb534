/* futex.h - the futex call by itself, which the C library does not offer. */
#ifndef FUTEX_H
#define FUTEX_H

#include "guest.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>

static inline long futex(void *word, int op, unsigned value, const void *timeout_or_count, void *second,
			 unsigned value3)
{
	return syscall(SYS_futex, word, op, value, timeout_or_count, second, value3);
}

static inline long futex_wake(void *word, int count)
{
	return futex(word, FUTEX_WAKE, count, NULL, NULL, 0);
}

/* Wakes until that many have been woken: they may not all sleep yet. */
static inline long futex_wake_all(void *word, int wanted)
{
	long woken = 0;
	for (int i = 0; i < 300 && woken < wanted; i++) {
		long count = MUST(futex_wake(word, wanted));
		woken += count;
		if (!count)
			nap_ms(10);
	}
	return woken;
}

static inline void *shared_page(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(page == MAP_FAILED ? -1 : 0);
	return page;
}

#endif
