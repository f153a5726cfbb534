/* Waiting at several words at once (futex_waitv), and futex_wake, futex_wait, futex_requeue as calls of their own. */
#include "futex.h"

#define WAITV     449
#define WAKE      454
#define WAIT      455
#define REQUEUE   456
#define U32       2u
#define PRIVATE   128u
#define WORDS     128
#define LONG_MASK 0xffffffffull

struct waitv {
	uint64_t value, address;
	uint32_t flags, reserved;
};

static uint32_t words[WORDS];
static struct waitv list[WORDS + 1];

static void fill(uint32_t flags)
{
	for (int i = 0; i < WORDS; i++) {
		words[i] = 0;
		list[i] = (struct waitv){0, (uintptr_t)&words[i], flags, 0};
	}
}

static struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec t;
	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static long wait_list(unsigned count)
{
	return syscall(WAITV, list, count, 0, NULL, 0);
}

static void *wait_all(void *unused)
{
	return (void *)wait_list(WORDS);
}

static void *wait_first(void *unused)
{
	return (void *)syscall(WAIT, &words[0], 0, LONG_MASK, U32 | PRIVATE, NULL, 0);
}

static long wake_until(void *word, unsigned flags)
{
	for (int i = 0; i < 500; i++) {
		long woken = MUST(syscall(WAKE, word, LONG_MASK, 1, flags));
		if (woken)
			return woken;
		nap_ms(10);
	}
	return 0;
}

static void refused(void)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20), bad = {0, -1};
	section("refused");
	SHOW(syscall(WAITV, list, 0, 0, NULL, 0));
	SHOW(syscall(WAITV, list, WORDS + 1, 0, NULL, 0));
	SHOW(syscall(WAITV, list, 1, 1, NULL, 0));
	SHOW(syscall(WAITV, NULL, 1, 0, NULL, 0));
	SHOW(syscall(WAITV, -4096l, 1, 0, NULL, 0));
	SHOW(syscall(WAITV, list, 1, 0, &t, CLOCK_BOOTTIME));
	SHOW(syscall(WAITV, list, 1, 0, &bad, CLOCK_MONOTONIC));
	SHOW(syscall(WAITV, list, 1, 0, (void *)-4096l, CLOCK_MONOTONIC));
	list[1].flags = PRIVATE;
	SHOW(wait_list(2));
	list[1].flags = U32 | PRIVATE | 64;
	SHOW(wait_list(2));
	fill(U32 | PRIVATE);
	list[1].reserved = 1;
	SHOW(wait_list(2));
	fill(U32 | PRIVATE);
	list[1].value = 1ull << 32;
	SHOW(wait_list(2));
	fill(U32 | PRIVATE);
	list[1].address++;
	SHOW(wait_list(2));
	fill(U32);
	list[1].address = 0;
	SHOW(wait_list(2));
	fill(U32 | PRIVATE);
	words[1] = 1;
	SHOW(wait_list(2));
	fill(U32 | PRIVATE);
	SHOW(syscall(WAITV, list, 3, 0, &t, CLOCK_MONOTONIC));
	t = in_ms(CLOCK_REALTIME, 20);
	SHOW(syscall(WAITV, list, 3, 0, &t, CLOCK_REALTIME));
}

static void woken(void)
{
	pthread_t thread;
	void *index;
	section("woken");
	fill(U32 | PRIVATE);
	MUST(pthread_create(&thread, NULL, wait_all, NULL) ? -1 : 0);
	CHECK(wake_until(&words[77], U32 | PRIVATE) == 1);
	pthread_join(thread, &index);
	SHOW(index);
	SHOW(syscall(WAKE, &words[3], LONG_MASK, 1, U32 | PRIVATE));
	MUST(pthread_create(&thread, NULL, wait_all, NULL) ? -1 : 0);
	CHECK(wake_until(&words[127], U32 | PRIVATE) == 1);
	pthread_join(thread, &index);
	SHOW(index);
}

static void shared(void)
{
	uint32_t *page = shared_page();
	section("shared");
	pid_t child = fork_child();
	if (!child) {
		struct waitv both[2] = {{0, (uintptr_t)page, U32, 0}, {0, (uintptr_t)(page + 1), U32, 0}};
		SHOW(syscall(WAITV, both, 2, 0, NULL, 0));
		_exit(0);
	}
	long woken = futex_wake_all(page + 1, 1);
	reap("child", child);
	SHOW(woken);
}

static void one_each(void)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20);
	pthread_t thread;
	section("one operation each");
	fill(U32 | PRIVATE);
	SHOW(syscall(WAIT, &words[0], 1, LONG_MASK, U32 | PRIVATE, NULL, 0));
	SHOW(syscall(WAIT, &words[0], 0, LONG_MASK, U32 | PRIVATE, &t, CLOCK_MONOTONIC));
	SHOW(syscall(WAIT, &words[0], 0, 0, U32 | PRIVATE, &t, CLOCK_MONOTONIC));
	SHOW(syscall(WAIT, &words[0], 1ull << 32, LONG_MASK, U32 | PRIVATE, &t, CLOCK_MONOTONIC));
	SHOW(syscall(WAIT, &words[0], 0, LONG_MASK, PRIVATE, &t, CLOCK_MONOTONIC));
	SHOW(syscall(WAIT, &words[0], 0, LONG_MASK, U32 | PRIVATE, &t, CLOCK_BOOTTIME));
	SHOW(syscall(WAKE, &words[0], 0, 1, U32 | PRIVATE));
	SHOW(syscall(WAKE, &words[0], 1ull << 32, 1, U32 | PRIVATE));
	SHOW(syscall(WAKE, &words[0], LONG_MASK, 1, 64));
	SHOW(syscall(WAKE, 1l, LONG_MASK, 0, U32 | PRIVATE));
	SHOW(syscall(REQUEUE, list, 1, 0, 1));
	SHOW(syscall(REQUEUE, NULL, 0, 0, 1));
	SHOW(syscall(REQUEUE, list, 0, -1, 1));
	SHOW(syscall(REQUEUE, list, 0, 0, 1));
	words[0] = 1;
	SHOW(syscall(REQUEUE, list, 0, 0, 1));
	words[0] = 0;
	MUST(pthread_create(&thread, NULL, wait_first, NULL) ? -1 : 0);
	long moved = 0;
	for (int i = 0; i < 500 && !moved; i++, nap_ms(10))
		moved = MUST(syscall(REQUEUE, list, 0, 0, 1));
	SHOW(moved);
	SHOW(syscall(WAKE, &words[0], LONG_MASK, 1, U32 | PRIVATE));
	SHOW(syscall(WAKE, &words[1], LONG_MASK, 0, U32 | PRIVATE));
	SHOW(syscall(WAKE, &words[1], LONG_MASK, 1, U32 | PRIVATE));
	void *result;
	pthread_join(thread, &result);
	SHOW(result);
}

int main(void)
{
	fill(U32 | PRIVATE);
	refused();
	woken();
	shared();
	one_each();
	return 0;
}
