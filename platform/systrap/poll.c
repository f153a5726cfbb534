/* poll.c - the doorbell: how the sentry learns that threads have posted, and the one place where it sleeps.
 *
 * Theory. A gate that posts sets its bit in the bell and wakes the sentry if that sleeps, unless the sentry has said in
 * the channel that it is *watching*: the few threads that were answered last are looked at directly while the sentry
 * spins, so that a call of a busy thread moves one cache line each way. Lost wake-ups are excluded pairwise by locked
 * instructions: a gate posts, then looks at `watched` and `sleeping`; the sentry clears `watched` and sets `sleeping`,
 * then looks at channels and bits.
 *
 * Guests can write the bell and everybody's `watched` in their own address space, so bits may be missing or lie. A lie
 * costs a look. Against missing ones all running threads are looked at from time to time, however busy the others keep
 * us: each SLEEP_LIMIT_NS at least, more often for a while after that look has found something.
 *
 * Spinning is learned: a sleep that ends soon says that a longer spin would have paid, a long one that it would not;
 * with one CPU nobody spins. The longest spin of either side is longer than it takes to wake the other: were it
 * shorter, two sides that have once fallen asleep would miss each other for ever, each giving up just before the other
 * is awake. A thread whose call waits for something is told to sleep at once.
 *
 * Where more want to run than there are CPUs, spinning only uses up our share of them, and whoever sleeps is served
 * sooner. The host counts how long we wait for a CPU (schedstat): when that is long, nobody spins for a while, each
 * time for longer.
 */
#include "platform/systrap/systrap.h"

#include "platform/host.h"
#include "platform/hostio.h"
#include "sentry/base/fiber.h"

#include <fcntl.h>
#include <stdio.h>
#include <x86intrin.h>

#define HOT             4 /* watched threads */
#define TAKEN           8 /* threads whose calls have been taken since the last time that nothing was ready */
#define SPIN_NS         (80 * NS_PER_US) /* the longest spin of the sentry */
#define GATE_SPIN_NS    (60 * NS_PER_US) /* of a gate */
#define PAUSE_TRIES     4                /* to measure how long a pause takes */
#define PAUSES          50
#define PAUSE_NS_LEAST  4
#define SPIN_LEAST      100
#define EAGER           64  /* first rounds, without a pause */
#define HOSTIO_EVERY    128 /* rounds between looks at host completions */
#define HOSTIO_TURNS    16  /* busy turns of the loop between them */
#define LONG_WAIT_NS    (1 * NS_PER_MS)
#define PROBE_EVERY     16 /* times that nothing is ready after which the longest spin is tried */
#define BACKSTOP_MIN_NS (10 * NS_PER_MS)
#define BACKSTOP_TURNS  64 /* turns of the loop between looks at the clock */

/* Is there a CPU for us when we want one? */
#define CROWD_LOOK_NS   (4 * NS_PER_MS)   /* between looks */
#define CROWD_WAIT_NS   (100 * NS_PER_US) /* a wait for a CPU that long is no accident, */
#define CROWD_PART      10                /* when it is a tenth of the time */
#define CROWD_OFF_LEAST (16 * NS_PER_MS)  /* how long nobody spins then */
#define CROWD_OFF_MOST  (512 * NS_PER_MS)

static struct {
	int fd;                   /* our schedstat; -1: the host does not say */
	uint64_t looked_ns;       /* the last look */
	uint64_t waited_ns, runs; /* as they were then */
	uint64_t off_until_ns, off_ns;
} crowd = {.fd = -1};

static struct uthread *hot[HOT], *taken[TAKEN];
static unsigned hot_next, taken_count;
static uint32_t spin_budget, spin_max, spins;
static uint32_t spin_longest, gate_spin_longest; /* spin_max and the bell's when there is no crowd */
static uint64_t backstop_ns = SLEEP_LIMIT_NS, backstop_at_ns;

/* Nanoseconds of a pause: 10 to 50 by kind of CPU. */
static uint64_t pause_ns(void)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < PAUSE_TRIES; i++) {
		uint64_t start = host_monotonic_ns();
		for (int n = 0; n < PAUSES; n++)
			__builtin_ia32_pause();
		best = MIN(best, (host_monotonic_ns() - start) / PAUSES);
	}
	return MAX(best, (uint64_t)PAUSE_NS_LEAST);
}

/* Any guest may have written over it. */
static void bell_repair(void)
{
	WRITE_ONCE(systrap.bell->spin_max, spin_max ? gate_spin_longest : 0);
}

static void spin_set(bool on)
{
	spin_max = spin_budget = on ? spin_longest : 0;
	bell_repair();
}

void poll_start(void)
{
	uint64_t ns = pause_ns();

	spin_longest = systrap.no_spin ? 0 : (uint32_t)(SPIN_NS / ns);
	gate_spin_longest = systrap.no_spin ? 0 : (uint32_t)(GATE_SPIN_NS / ns);
	spin_set(true);
	company_start();
	crowd.fd = systrap.no_spin ? -1 : host_proc_open("self/schedstat", O_RDONLY);
	crowd.looked_ns = host_monotonic_ns();
	crowd.off_ns = CROWD_OFF_LEAST;
}

uint32_t poll_agent_spin(void)
{
	return spin_max;
}

/* How long we have waited for a CPU, and how often we got one, since the last look; false: unknown. */
static bool crowd_read(uint64_t *waited_ns, uint64_t *runs)
{
	char text[80];
	unsigned long ran, waited, count;
	ssize_t n = host_pread(crowd.fd, text, sizeof text - 1, 0);

	text[MAX(n, (ssize_t)0)] = 0;
	if (n <= 0 || sscanf(text, "%lu %lu %lu", &ran, &waited, &count) != 3)
		return false;
	*waited_ns = waited - crowd.waited_ns;
	*runs = count - crowd.runs;
	crowd.waited_ns = waited;
	crowd.runs = count;
	return true;
}

static void crowd_look(uint64_t now_ns)
{
	uint64_t waited_ns, runs, since_ns = now_ns - crowd.looked_ns;

	if (crowd.fd < 0 || since_ns < CROWD_LOOK_NS)
		return;
	crowd.looked_ns = now_ns;
	if (!crowd_read(&waited_ns, &runs))
		return;
	if (waited_ns > CROWD_WAIT_NS * (runs + 1) && waited_ns > since_ns / CROWD_PART) {
		if (spin_max)
			crowd.off_ns = MIN(2 * crowd.off_ns, CROWD_OFF_MOST);
		crowd.off_until_ns = now_ns + crowd.off_ns;
		spin_set(false);
	} else if (!spin_max && now_ns >= crowd.off_until_ns) {
		spin_set(true);
	} else if (spin_max && now_ns >= crowd.off_until_ns + crowd.off_ns) {
		crowd.off_ns = CROWD_OFF_LEAST;
	}
}

/* ------------------------------------------------------------------------------------------------ whom to look at */

/* A thread's post has been taken. */
void bell_taken(struct uthread *thread)
{
	if (taken_count < TAKEN)
		taken[taken_count++] = thread;
}

/* Nothing is ready: who has asked and has no answer yet will not have one soon. */
static void let_waiting_sleep(void)
{
	for (unsigned i = 0; i < taken_count; i++) {
		uint32_t state = CHANNEL_REQUEST;

		if (taken[i] && taken[i]->state == UTHREAD_AT_STOP)
			__atomic_compare_exchange_n(&taken[i]->ch->state, &state, CHANNEL_REQUEST_ASLEEP, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	taken_count = 0;
}

void bell_unwatch(struct uthread *thread)
{
	for (unsigned i = 0; thread->hot && i < HOT; i++)
		if (hot[i] == thread)
			hot[i] = NULL;
	for (unsigned i = 0; i < taken_count; i++)
		if (taken[i] == thread)
			taken[i] = NULL;
	thread->hot = false;
	__atomic_store_n(&thread->ch->watched, 0, __ATOMIC_SEQ_CST);
	uthread_check(thread);
}

/* Called before the word goes to the guest. */
void bell_watch(struct uthread *thread)
{
	if (thread->hot || !spin_budget)
		return;
	if (hot[hot_next])
		bell_unwatch(hot[hot_next]);
	hot[hot_next] = thread;
	hot_next = (hot_next + 1) % HOT;
	thread->hot = true;
	__atomic_store_n(&thread->ch->watched, 1, __ATOMIC_SEQ_CST);
}

static void unwatch_all(void)
{
	for (unsigned i = 0; i < HOT; i++)
		if (hot[i])
			bell_unwatch(hot[i]);
}

static void look_at_bits(void)
{
	uint64_t words;

	if (likely(!READ_ONCE(systrap.bell->summary)))
		return;
	words = __atomic_exchange_n(&systrap.bell->summary, 0, __ATOMIC_SEQ_CST);
	while (words) {
		unsigned word = (unsigned)__builtin_ctzll(words);
		uint64_t bits = __atomic_exchange_n(&systrap.bell->pending[word], 0, __ATOMIC_SEQ_CST);
		words &= words - 1;
		while (bits) {
			struct uthread *thread = uthread_of_slot(word * 64 + (unsigned)__builtin_ctzll(bits));
			bits &= bits - 1;
			if (thread)
				uthread_check(thread);
		}
	}
}

/* Everything cheap that may have happened. */
static bool look(void)
{
	for (unsigned i = 0; i < HOT; i++)
		if (hot[i])
			uthread_check(hot[i]);
	look_at_bits();
	agents_check();
	return fiber_any_ready();
}

/* The look at all threads, for bits that a guest has taken away. */
static void backstop(uint64_t now_ns)
{
	struct uthread *thread;
	bool found = false;

	look_at_bits();
	list_for_each (thread, &systrap.threads, all_node) {
		bool before = thread->posted;
		uthread_check(thread);
		found |= thread->posted != before;
	}
	bell_repair();
	backstop_ns = found ? BACKSTOP_MIN_NS : MIN(2 * backstop_ns, SLEEP_LIMIT_NS);
	backstop_at_ns = now_ns + backstop_ns;
}

static bool spin(void)
{
	uint32_t budget = ++spins % PROBE_EVERY ? spin_budget : spin_max;
	uint64_t before = 0;

	for (uint32_t n = 0; n < budget; n++) {
		if (n % HOSTIO_EVERY == HOSTIO_EVERY - 1)
			hostio_collect(false, NULL, 0, 0);
		if (look()) {
			spin_budget = MIN(MAX(spin_budget, 2 * n + SPIN_LEAST), spin_max);
			return true;
		}
		if (n < EAGER)
			continue;
		__builtin_ia32_pause();
		uint64_t now = __rdtsc();
		if (before && now - before > SPIN_AWAY_TICKS) {
			spin_budget = 0;
			return look();
		}
		before = now;
	}
	return false;
}

/* waited_ns: spinning and sleeping. */
static void learn(uint64_t waited_ns)
{
	if (waited_ns < SPIN_NS)
		spin_budget = MIN(spin_budget * 2 + SPIN_LEAST, spin_max);
	else if (waited_ns > LONG_WAIT_NS)
		spin_budget = spin_budget / 2;
	else
		spin_budget -= spin_budget / 8;
}

/* began_ns: when there was nothing to do any more. */
static void sleep_until(uint64_t began_ns, uint64_t deadline_ns)
{
	struct bell *bell = systrap.bell;
	bool timed = !list_empty(&systrap.threads);
	uint64_t limit = timed ? backstop_at_ns : DEADLINE_NONE;

	limit = MIN(limit, MIN(deadline_ns, uthread_kicks_deadline()));
	limit = MIN(limit, company_deadline());
	unwatch_all();
	deaths_watch();
	__atomic_store_n(&bell->sleeping, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!look()) {
		systrap.stats.handoffs_slept++;
		hostio_collect(true, &bell->sleeping, 1, limit);
	}
	__atomic_store_n(&bell->sleeping, 0, __ATOMIC_SEQ_CST);
	clock_refresh();
	if (look()) {
		learn(clock_now_ns() - began_ns);
		return;
	}
	if (timed && clock_now_ns() >= backstop_at_ns)
		backstop(clock_now_ns());
}

void platform_poll(uint64_t deadline_ns)
{
	static unsigned turns;

	deaths_watch();
	if (++turns % HOSTIO_TURNS == 0)
		hostio_collect(false, NULL, 0, 0);
	if (turns % BACKSTOP_TURNS == 0) {
		uint64_t now_ns = host_monotonic_ns();
		if (now_ns >= backstop_at_ns)
			backstop(now_ns);
	}
	if (look())
		return;
	let_waiting_sleep();
	if (deadline_ns != DEADLINE_NONE || uthread_kicks_deadline() != DEADLINE_NONE) {
		clock_refresh();
		uthread_kicks_check(clock_now_ns());
		if (deadline_ns <= clock_now_ns())
			return;
	}
	uint64_t began_ns = host_monotonic_ns();
	crowd_look(began_ns);
	company_look(began_ns, !spin_max);
	if (spin_max && spin())
		return;
	sleep_until(began_ns, deadline_ns);
}
