/* poll.c - the doorbell: how the sentry learns that threads have posted, and the one place where it sleeps.
 *
 * Theory. A gate that posts sets its bit in the bell and wakes the sentry if that sleeps, unless the sentry has said in
 * the channel that it is *watching*: the few threads that were answered last are looked at directly while the sentry
 * spins, so that a call of a busy thread moves one cache line each way. Lost wake-ups are excluded pairwise by locked
 * instructions: a gate posts, then looks at `watched` and `sleeping`; the sentry clears `watched` and sets `sleeping`,
 * then looks at channels and bits.
 *
 * Guests can write the bell and everybody's `watched` in their own address space, so bits may be missing or lie. A lie
 * costs a look. Against missing ones all running threads are looked at when a sleep reaches its limit: SLEEP_LIMIT_NS
 * at most, shorter for a while after that look has found something.
 *
 * Spinning is learned: a sleep that ends soon says that a longer spin would have paid, a long one that it would not;
 * with one CPU nobody spins.
 */
#include "platform/systrap/systrap.h"

#include "platform/host.h"
#include "platform/hostio.h"
#include "sentry/base/fiber.h"

#define HOT             4   /* watched threads */
#define SPIN_MAX        800 /* rounds of the sentry, each at least one pause (some 40 ns) */
#define GATE_SPIN_MAX   500 /* of a gate */
#define SPIN_LEAST      100
#define EAGER           64  /* first rounds, without a pause */
#define HOSTIO_EVERY    128 /* rounds between looks at host completions */
#define HOSTIO_TURNS    16  /* busy turns of the loop between them */
#define SHORT_SLEEP_NS  (60 * NS_PER_US)
#define LONG_SLEEP_NS   (1 * NS_PER_MS)
#define BACKSTOP_MIN_NS (10 * NS_PER_MS)

static struct uthread *hot[HOT];
static unsigned hot_next;
static uint32_t spin_budget = 200;
static uint64_t backstop_ns = SLEEP_LIMIT_NS;

void poll_start(void)
{
	systrap.bell->spin_max = systrap.no_spin ? 0 : GATE_SPIN_MAX;
	if (systrap.no_spin)
		spin_budget = 0;
}

void bell_unwatch(struct uthread *thread)
{
	for (unsigned i = 0; thread->hot && i < HOT; i++)
		if (hot[i] == thread)
			hot[i] = NULL;
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
static void backstop(void)
{
	struct uthread *thread;

	look_at_bits();
	if (fiber_any_ready())
		return;
	list_for_each (thread, &systrap.threads, all_node)
		uthread_check(thread);
	backstop_ns = fiber_any_ready() ? BACKSTOP_MIN_NS : MIN(2 * backstop_ns, SLEEP_LIMIT_NS);
}

static bool spin(void)
{
	for (uint32_t n = 0; n < spin_budget; n++) {
		if (n % HOSTIO_EVERY == HOSTIO_EVERY - 1)
			hostio_collect(false, NULL, 0, 0);
		if (look()) {
			spin_budget = MIN(MAX(spin_budget, 2 * n + SPIN_LEAST), (uint32_t)SPIN_MAX);
			return true;
		}
		if (n >= EAGER)
			__builtin_ia32_pause();
	}
	return false;
}

static void learn(uint64_t slept_ns)
{
	if (systrap.no_spin)
		return;
	if (slept_ns < SHORT_SLEEP_NS)
		spin_budget = MIN(spin_budget * 2 + SPIN_LEAST, (uint32_t)SPIN_MAX);
	else if (slept_ns > LONG_SLEEP_NS)
		spin_budget = MAX(spin_budget * 3 / 4, (uint32_t)SPIN_LEAST);
}

static void sleep_until(uint64_t deadline_ns)
{
	struct bell *bell = systrap.bell;
	uint64_t start = host_monotonic_ns();
	bool timed = !list_empty(&systrap.threads);
	uint64_t limit = timed ? start + backstop_ns : DEADLINE_NONE;

	limit = MIN(limit, MIN(deadline_ns, uthread_kicks_deadline()));
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
		learn(clock_now_ns() - start);
		return;
	}
	if (timed && clock_now_ns() - start >= backstop_ns)
		backstop();
}

void platform_poll(uint64_t deadline_ns)
{
	static unsigned turns;

	deaths_watch();
	if (++turns % HOSTIO_TURNS == 0)
		hostio_collect(false, NULL, 0, 0);
	if (look())
		return;
	if (deadline_ns != DEADLINE_NONE || uthread_kicks_deadline() != DEADLINE_NONE) {
		clock_refresh();
		uthread_kicks_check(clock_now_ns());
		if (deadline_ns <= clock_now_ns())
			return;
	}
	if (spin())
		return;
	sleep_until(deadline_ns);
}
