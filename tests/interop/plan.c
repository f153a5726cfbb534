/* plan.c - a world from a seed. */
#include "tests/interop/plan.h"

#include <errno.h>
#include <unistd.h>

static uint64_t state;

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

static uint32_t below(uint32_t limit)
{
	return limit ? (uint32_t)((next() >> 11) % limit) : 0;
}

static bool once_in(uint32_t n)
{
	return !below(n);
}

uint8_t byte_at(uint64_t stream, uint32_t at)
{
	return (uint8_t)((stream + at) * 0x9e3779b97f4a7c15ull >> 56);
}

static void end_make(struct end_plan *end)
{
	static const uint32_t pieces[] = {100, 1460, 9000, 65536};

	end->bytes = once_in(6) ? 0 : 1 + below(once_in(4) ? 600000 : 20000);
	end->piece = end->bytes > 30000 ? 1 + below(65536) : pieces[below(4)];
	end->no_delay = once_in(3);
	end->cork = once_in(5);
	end->slow = once_in(5);
	end->idle = once_in(12);
	end->keepalive = once_in(4);
	end->urgent = once_in(6);
	end->reno = once_in(3);
	end->quick = once_in(4);
	end->receive_buffer = once_in(3) ? 2000 + below(200000) : 0;
	end->send_buffer = once_in(3) ? 4000 + below(200000) : 0;
	end->mss = once_in(5) ? 88 + below(1400) : 0;
}

static void transfer_make(struct transfer_plan *transfer)
{
	end_make(&transfer->ours);
	end_make(&transfer->theirs);
	transfer->we_connect = below(2);
	transfer->v6 = below(2);
	transfer->fast_open = once_in(3);
	transfer->ending = once_in(8) ? END_OUR_RESET : once_in(8) ? END_THEIR_RESET : END_CLEAN;
	if (transfer->ending == END_CLEAN)
		return;
	/* Whoever only waits learns of a lost RST by its keepalive. */
	transfer->ours.keepalive = transfer->theirs.keepalive = true;
	transfer->ours.reset_after = below(transfer->ours.bytes + 1);
	transfer->theirs.reset_after = below(transfer->theirs.bytes + 1);
}

void plan_make(struct world_plan *plan, uint64_t seed)
{
	static const uint32_t mtus[] = {1280, 1500, 1500, 9000};

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < 8; i++)
		next();
	*plan = (struct world_plan){.seed = seed};
	plan->loss = once_in(2) ? below(50) : 0;
	plan->duplicate = once_in(2) ? below(50) : 0;
	plan->reorder = once_in(2) ? below(100) : 0;
	plan->corrupt = once_in(3) ? below(20) : 0;
	plan->delay_ns = once_in(3) ? 0 : below(5000000);
	plan->jitter_ns = once_in(2) ? 0 : below(3000000);
	plan->mtu = mtus[below(4)];
	plan->timestamps = !once_in(3);
	plan->sack = !once_in(3);
	plan->scaling = !once_in(4);
	plan->dsack = !once_in(4);
	plan->reordering_recovery = !once_in(4);
	plan->ecn = below(3);
	plan->mark = once_in(2);
	plan->count = 1 + below(TRANSFERS_LIMIT);
	for (unsigned i = 0; i < plan->count; i++)
		transfer_make(&plan->transfer[i]);
}

static void end_print(const struct end_plan *end, const char *name, FILE *to)
{
	fprintf(to, " %s %u by %u%s%s%s%s%s%s%s%s", name, end->bytes, end->piece, end->no_delay ? " nodelay" : "",
		end->cork ? " cork" : "", end->slow ? " slow" : "", end->idle ? " idle" : "",
		end->keepalive ? " keepalive" : "", end->urgent ? " urgent" : "", end->reno ? " reno" : "",
		end->quick ? " quickack" : "");
	if (end->receive_buffer)
		fprintf(to, " rcvbuf %u", end->receive_buffer);
	if (end->send_buffer)
		fprintf(to, " sndbuf %u", end->send_buffer);
	if (end->mss)
		fprintf(to, " mss %u", end->mss);
}

void plan_print(const struct world_plan *plan, FILE *to)
{
	static const char *const endings[] = {"clean", "our reset", "their reset"};

	fprintf(to,
		"seed %lu: mtu %u, loss %u, duplicate %u, reorder %u, corrupt %u, delay %lu us, jitter %lu us; peer: "
		"%stimestamps %ssack %sscaling ecn %u%s\n",
		plan->seed, plan->mtu, plan->loss, plan->duplicate, plan->reorder, plan->corrupt, plan->delay_ns / 1000,
		plan->jitter_ns / 1000, plan->timestamps ? "" : "no ", plan->sack ? "" : "no ",
		plan->scaling ? "" : "no ", plan->ecn, plan->mark ? ", marked" : "");
	for (unsigned i = 0; i < plan->count; i++) {
		const struct transfer_plan *transfer = &plan->transfer[i];
		fprintf(to, "  %u: %s %s%s, %s:", i, transfer->we_connect ? "to" : "from",
			transfer->v6 ? "IPv6" : "IPv4", transfer->fast_open ? " fast open" : "",
			endings[transfer->ending]);
		end_print(&transfer->ours, "ours", to);
		end_print(&transfer->theirs, "; theirs", to);
		fprintf(to, "\n");
	}
}

int fork_patiently(void)
{
	int pid = fork();

	for (int tries = 0; pid < 0 && errno == EAGAIN && tries < 200; tries++) {
		usleep(50000);
		pid = fork();
	}
	return pid;
}
