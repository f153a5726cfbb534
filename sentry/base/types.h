/* types.h - the words that every file of usbx uses: sizes, the guest's addresses, what the compiler must check.
 *
 * Limits: x86-64 only; pages are 4 KiB.
 */
#ifndef SENTRY_BASE_TYPES_H
#define SENTRY_BASE_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#define PAGE_MASK  (~(PAGE_SIZE - 1))

/* An address of the guest. A type of its own, so that dereferencing one does not compile (rule W2). */
struct uaddr {
	uint64_t v;
};

#define UADDR(value) ((struct uaddr){(uint64_t)(value)})
#define UADDR_NULL   ((struct uaddr){0})

static inline struct uaddr uaddr_add(struct uaddr a, uint64_t bytes)
{
	return (struct uaddr){a.v + bytes};
}

static inline uint64_t page_down(uint64_t value)
{
	return value & PAGE_MASK;
}

/* Wraps to 0 for values above the last page: callers that take a guest's number check first. */
static inline uint64_t page_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & PAGE_MASK;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b)                                                                                                      \
	({                                                                                                             \
		__typeof__(a) min_a_ = (a);                                                                            \
		__typeof__(b) min_b_ = (b);                                                                            \
		min_a_ < min_b_ ? min_a_ : min_b_;                                                                     \
	})
#define MAX(a, b)                                                                                                      \
	({                                                                                                             \
		__typeof__(a) max_a_ = (a);                                                                            \
		__typeof__(b) max_b_ = (b);                                                                            \
		max_a_ > max_b_ ? max_a_ : max_b_;                                                                     \
	})
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define must_check        __attribute__((warn_unused_result))
#define no_return         __attribute__((noreturn))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define likely(x)         __builtin_expect(!!(x), 1)
#define unlikely(x)       __builtin_expect(!!(x), 0)

/* One read of a word that a guest may change at any moment (rule W2). */
#define READ_ONCE(word)         __atomic_load_n(&(word), __ATOMIC_RELAXED)
#define WRITE_ONCE(word, value) __atomic_store_n(&(word), (value), __ATOMIC_RELAXED)

/* Restart codes: what an interrupted call returns inside the sentry. They never reach a guest; sentry/signal.c turns
 * them into a restart or EINTR. Numbers as in Linux, include/linux/errno.h. */
#define ERESTARTSYS           512 /* restart if the handler has SA_RESTART, else EINTR */
#define ERESTARTNOINTR        513 /* always restart */
#define ERESTARTNOHAND        514 /* restart if no handler ran, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* restart by restart_syscall(2), else EINTR */

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull

/* "Never" as a deadline in nanoseconds of CLOCK_MONOTONIC. */
#define DEADLINE_NONE UINT64_MAX

#endif
