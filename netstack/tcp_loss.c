/* tcp_loss.c - what has been sent and not acknowledged, and which of it is lost.
 *
 * The scoreboard is a list of runs of bytes (struct tcp_sent) that together are una to nxt. A run is what left in one
 * packet; it is split where an acknowledgement or a retransmission ends inside of it, and joined to its neighbour where
 * the difference does not matter any more, so that its length has a limit (TCP_SENT_LIMIT) whatever the peer says.
 *
 *  - With SACK, RACK (RFC 8985 section 6) says what is lost: what was sent a reordering window earlier than something
 * that has arrived. A timer looks again when the window has passed. The window is nothing before any reordering has
 * been seen and three segments have been SACKed; it grows when duplicates are reported (RFC 2883).
 *  - The tail loss probe (RFC 8985 section 7): two round trips after the last segment without an answer, one more
 * segment, or the last one again, so that a lost tail is reported before the retransmission timer.
 *  - Without SACK, three duplicate acknowledgements, then each partial one (NewReno, RFC 6582).
 *
 * What is lost is sent again by tcp_output before anything new, as far as the congestion window has room beside what is
 * on its way (loss_pipe). After a retransmission timeout everything that is not SACKed is lost.
 *
 * Limits: no undoing of a reduction that was not necessary (RFC 4015), no F-RTO, no proportional rate reduction.
 */
#include "netstack/tcp.h"

#include "netstack/counts.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "sentry/base/limits.h"

#define DUPLICATES      3u
#define DELAYED_ACK_NS  (200 * NS_PER_MS) /* the peer's, for a segment that is alone (section 7.2, WCDelAckT) */
#define PROBE_SLACK_NS  (2 * NS_PER_MS)
#define PROBE_FIRST_NS  NS_PER_S
#define REORDER_MOST    255u
#define REORDER_PERSIST 16u /* recoveries without a reported duplicate, then the window is small again */

static struct slab sent_slab = SLAB(tcp_sent);

static uint32_t size_of(const struct tcp_sent *run)
{
	return run->end - run->start;
}

/* ------------------------------------------------------------------------------------------------ the list */

/* The counts that a run's marks are part of. */
static void count(struct tcp_sock *tcp, const struct tcp_sent *run, int sign)
{
	tcp->sacked_bytes += run->sacked ? (uint32_t)sign * size_of(run) : 0;
	tcp->lost_bytes += run->lost ? (uint32_t)sign * size_of(run) : 0;
}

static void run_free(struct tcp_sock *tcp, struct tcp_sent *run)
{
	count(tcp, run, -1);
	list_remove(&run->node);
	tcp->sent_count--;
	slab_free(&sent_slab, run);
}

void loss_purge(struct tcp_sock *tcp)
{
	while (!list_empty(&tcp->sent))
		run_free(tcp, list_first(&tcp->sent, struct tcp_sent, node));
	assert(!tcp->sacked_bytes && !tcp->lost_bytes && !tcp->sent_count);
}

static struct tcp_sent *last_run(const struct tcp_sock *tcp)
{
	return list_empty(&tcp->sent) ? NULL : list_entry(tcp->sent.prev, struct tcp_sent, node);
}

static struct tcp_sent *run_new(struct tcp_sock *tcp, struct list *before, uint32_t start, uint32_t end)
{
	struct tcp_sent *run = tcp->sent_count < TCP_SENT_LIMIT ? slab_new(&sent_slab) : NULL;

	if (!run)
		return NULL;
	list_init(&run->node);
	list_insert_between(&run->node, before, before->next);
	run->start = start;
	run->end = end;
	tcp->sent_count++;
	return run;
}

/* The run ends at this place from now on, and another one like it begins there. false: no room, nothing has happened.
 */
static bool split(struct tcp_sock *tcp, struct tcp_sent *run, uint32_t at)
{
	struct tcp_sent *rest = run_new(tcp, &run->node, at, run->end);

	assert(seq_before(run->start, at) && seq_before(at, run->end));
	if (!rest)
		return false;
	rest->at_ns = run->at_ns;
	rest->delivered = run->delivered;
	rest->sacked = run->sacked;
	rest->lost = run->lost;
	rest->again = run->again;
	run->end = at;
	return true;
}

struct tcp_sent *loss_run(struct tcp_sock *tcp)
{
	struct tcp_sent *last = last_run(tcp), *run;
	uint64_t now = clock_now_ns();
	bool same = last && !last->sacked && !last->lost && !last->again;

	if (same && last->at_ns == now)
		return last;
	run = run_new(tcp, tcp->sent.prev, tcp->nxt, tcp->nxt);
	if (run) {
		run->at_ns = now;
		run->delivered = tcp->stats.bytes_arrived;
	} else if (same) { /* what is too long a list takes its time from the newest */
		last->at_ns = now;
	}
	return run ? run : same ? last : NULL;
}

/* ------------------------------------------------------------------------------------------------ news */

static bool sent_after(uint64_t at, uint32_t end, uint64_t than_at, uint32_t than_end)
{
	return at > than_at || (at == than_at && seq_after(end, than_end));
}

/* Bytes of this run have arrived for the first time (sections 6.2.1 to 6.2.3). */
static void arrived(struct tcp_sock *tcp, const struct tcp_sent *run, struct loss_news *news)
{
	uint64_t rtt = clock_now_ns() - run->at_ns;

	if (run->again) {
		/* Whose arrival it is: the first or the repeated one's? */
		bool first = news->echo && (int32_t)(news->echo - (uint32_t)(run->at_ns / NS_PER_MS)) < 0;
		if (first || rtt < tcp->rack.min_rtt_ns)
			return;
	} else {
		news->first_rtt_ns = news->first_rtt_ns ? news->first_rtt_ns : MAX(rtt, 1ull);
		news->last_rtt_ns = MAX(rtt, 1ull);
		tcp->rack.min_rtt_ns = tcp->rack.min_rtt_ns ? MIN(tcp->rack.min_rtt_ns, rtt) : rtt;
		bool late = seq_before(run->end, tcp->rack.highest);
		tcp->rack.reordering |= late;
		tcp->stats.reordered += late;
	}
	if (run->at_ns >= news->sent_at_ns) {
		news->sent_at_ns = run->at_ns;
		news->delivered = run->delivered;
	}
	tcp->rack.highest = seq_max(tcp->rack.highest, run->end);
	if (sent_after(run->at_ns, run->end, tcp->rack.at_ns, tcp->rack.end)) {
		tcp->rack.at_ns = run->at_ns;
		tcp->rack.end = run->end;
		tcp->rack.rtt_ns = rtt;
	}
}

/* Neighbours that have both arrived are one. Returns the one that is left. */
static struct tcp_sent *join(struct tcp_sock *tcp, struct tcp_sent *run)
{
	struct tcp_sent *before = list_entry(run->node.prev, struct tcp_sent, node);

	if (run->node.prev == &tcp->sent || !before->sacked)
		return run;
	uint32_t end = run->end;
	run_free(tcp, run);
	count(tcp, before, -1);
	before->end = end;
	count(tcp, before, 1);
	return before;
}

static bool is_duplicate_report(const struct tcp_sock *tcp, const struct tcp_segment *segment)
{
	const struct tcp_range *first = &segment->sack[0], *second = &segment->sack[1];

	if (!segment->sack_count || !seq_before(first->start, first->end))
		return false;
	if (!seq_after(first->end, segment->ack)) /* RFC 2883 section 4.1 */
		return !seq_after(segment->ack, tcp->nxt);
	return segment->sack_count > 1 && !seq_before(first->start, second->start) &&
	       !seq_after(first->end, second->end);
}

static void sacked(struct tcp_sock *tcp, struct tcp_range block, struct loss_news *news)
{
	struct tcp_sent *run, *next;

	if (!seq_before(block.start, block.end) || !seq_after(block.end, tcp->una) || seq_after(block.end, tcp->nxt))
		return;
	list_for_each_safe (run, next, &tcp->sent, node) {
		if (!seq_before(run->start, block.end))
			break;
		if (run->sacked || !seq_after(run->end, block.start))
			continue;
		if (seq_before(run->start, block.start)) { /* the part in the block comes next */
			if (!split(tcp, run, block.start))
				continue;
			next = list_entry(run->node.next, struct tcp_sent, node);
			continue;
		}
		if (seq_after(run->end, block.end) && !split(tcp, run, block.end))
			break; /* it will be told again */
		arrived(tcp, run, news);
		news->bytes += size_of(run);
		count(tcp, run, -1);
		run->sacked = true;
		run->lost = false;
		count(tcp, run, 1);
		run = join(tcp, run);
		next = list_entry(run->node.next, struct tcp_sent, node);
	}
}

void loss_sacked(struct tcp_sock *tcp, const struct tcp_segment *segment, struct loss_news *news)
{
	bool duplicate = is_duplicate_report(tcp, segment);

	for (unsigned i = duplicate; i < segment->sack_count; i++)
		sacked(tcp, segment->sack[i], news);
	if (!duplicate)
		return;
	news->duplicate = true;
	tcp->stats.duplicates++;
	/* Something was sent again that had only been late: be more patient, once a round trip (section 6.2.4). */
	if (!seq_before(segment->ack, tcp->rack.duplicate_round)) {
		tcp->rack.patience = MIN(tcp->rack.patience + 1, REORDER_MOST);
		tcp->rack.persist = REORDER_PERSIST;
		tcp->rack.duplicate_round = tcp->nxt;
	}
}

void loss_acked(struct tcp_sock *tcp, uint32_t ack, struct loss_news *news)
{
	while (!list_empty(&tcp->sent)) {
		struct tcp_sent *run = list_first(&tcp->sent, struct tcp_sent, node);
		if (!seq_before(run->start, ack))
			break;
		if (!run->sacked) {
			arrived(tcp, run, news);
			news->bytes += seq_min(run->end, ack) - run->start;
		}
		if (seq_after(run->end, ack)) {
			count(tcp, run, -1);
			run->start = ack;
			count(tcp, run, 1);
			break;
		}
		run_free(tcp, run);
	}
}

/* ------------------------------------------------------------------------------------------------ what is lost */

uint32_t loss_pipe(const struct tcp_sock *tcp)
{
	uint32_t out = tcp->nxt - tcp->una, gone = tcp->sacked_bytes + tcp->lost_bytes;

	if (!tcp->sacked_ok) /* each duplicate acknowledgement is a segment that has arrived */
		gone += MIN(tcp->duplicates * tcp->mss, out - MIN(out, gone));
	return out - MIN(out, gone);
}

static void mark(struct tcp_sock *tcp, struct tcp_sent *run)
{
	run->lost = true;
	tcp->lost_bytes += size_of(run);
}

void loss_all(struct tcp_sock *tcp, bool forget)
{
	struct tcp_sent *run;

	if (!list_empty(&tcp->sent)) /* what it had SACKed and does not acknowledge, it has thrown away */
		forget |= list_first(&tcp->sent, struct tcp_sent, node)->sacked;
	list_for_each (run, &tcp->sent, node) {
		count(tcp, run, -1);
		run->sacked = run->sacked && !forget;
		run->lost = !run->sacked;
		count(tcp, run, 1);
	}
}

/* The oldest segment, without SACK. */
static void mark_first(struct tcp_sock *tcp)
{
	struct tcp_sent *run = list_empty(&tcp->sent) ? NULL : list_first(&tcp->sent, struct tcp_sent, node);

	if (!run || run->lost || run->sacked)
		return;
	if (size_of(run) > tcp->mss)
		(void)!split(tcp, run, run->start + tcp->mss);
	mark(tcp, run);
}

/* How much later than something that has arrived may a segment still arrive? (section 6.2.4) */
static uint64_t patience_ns(const struct tcp_sock *tcp)
{
	bool many = tcp->duplicates >= DUPLICATES || tcp->sacked_bytes > (DUPLICATES - 1) * tcp->mss;

	if (!tcp->rack.reordering && (tcp->recovering || many))
		return 0;
	return MIN((tcp->rack.patience + 1ull) * tcp->rack.min_rtt_ns / 4, tcp->srtt_ns);
}

/* Section 6.2.5. Returns when to look again; 0: no need. */
static uint64_t rack_mark(struct tcp_sock *tcp)
{
	uint64_t now = clock_now_ns(), window = tcp->rack.rtt_ns + patience_ns(tcp), later = 0;
	struct tcp_sent *run;

	list_for_each (run, &tcp->sent, node) {
		if (run->sacked || run->lost || !sent_after(tcp->rack.at_ns, tcp->rack.end, run->at_ns, run->end))
			continue;
		if (run->at_ns + window <= now)
			mark(tcp, run);
		else
			later = MAX(later, run->at_ns + window);
	}
	return later;
}

static void recovery_begin(struct tcp_sock *tcp)
{
	tcp->recovering = true;
	tcp->recover = tcp->nxt;
	if (tcp->rack.persist && !--tcp->rack.persist)
		tcp->rack.patience = 0;
	congestion_lost(tcp);
	tcp_retransmit_arm(tcp);
}

/* The probe's segment has been acknowledged (section 7.4.2). */
static void probe_judge(struct tcp_sock *tcp, const struct loss_news *news)
{
	if (!tcp->tail_probing || seq_before(tcp->una, tcp->tail_end))
		return;
	tcp->tail_probing = false;
	/* What was sent again, and is not reported as a duplicate, had been lost: the window pays for it. */
	if (tcp->tail_again && !news->duplicate && !tcp->recovering)
		congestion_lost(tcp);
}

/* What arrived while the newest segment was under way, by how long it was (draft-cheng-iccrg-delivery-rate-estimation).
 */
static void rate_measure(struct tcp_sock *tcp, const struct loss_news *news)
{
	uint64_t now = clock_now_ns();

	tcp->stats.bytes_arrived += news->bytes;
	tcp->stats.delivered += (news->bytes + tcp->mss - 1) / tcp->mss;
	if (news->sent_at_ns) {
		uint64_t took_us = MAX((now - news->sent_at_ns) / NS_PER_US, 1ull);
		tcp->stats.rate = (tcp->stats.bytes_arrived - news->delivered) * (NS_PER_S / NS_PER_US) / took_us;
	}
}

void loss_detect(struct tcp_sock *tcp, const struct loss_news *news)
{
	uint32_t before = tcp->lost_bytes;
	uint64_t later = 0;

	rate_measure(tcp, news);
	probe_judge(tcp, news);
	if (tcp->recovering && !seq_before(tcp->una, tcp->recover)) {
		tcp->recovering = false;
		tcp->cwnd = tcp->ssthresh;
	}
	bool repaired = !seq_before(tcp->una, tcp->recover);
	if (repaired) /* it follows, or it would lie ahead once the circle is half round */
		tcp->recover = tcp->una;
	if (!tcp->sacked_ok) {
		if ((repaired && tcp->duplicates >= DUPLICATES) || (tcp->recovering && news->bytes))
			mark_first(tcp);
	} else if (tcp->sacked_bytes || !repaired) {
		later = rack_mark(tcp);
	}
	if (tcp->lost_bytes > before && repaired)
		recovery_begin(tcp);
	if (later) {
		tcp->early_is_probe = false;
		net_timer_arm(&tcp->early, later);
	} else if (!tcp->early_is_probe || tcp->recovering) {
		net_timer_disarm(&tcp->early);
	}
}

struct tcp_sent *loss_next(struct tcp_sock *tcp, uint32_t most)
{
	struct tcp_sent *run;

	if (!tcp->lost_bytes)
		return NULL;
	list_for_each (run, &tcp->sent, node)
		if (run->lost)
			break;
	assert(&run->node != &tcp->sent); /* the count says that there is one */
	if (size_of(run) > most)
		(void)!split(tcp, run, run->start + most);
	return run;
}

void loss_again(struct tcp_sock *tcp, struct tcp_sent *run, uint32_t bytes)
{
	if (bytes < size_of(run)) /* no room for the rest: then it is the timeout that finds out */
		(void)!split(tcp, run, run->start + bytes);
	count(tcp, run, -1);
	run->lost = false;
	run->again = true;
	run->at_ns = clock_now_ns();
	run->delivered = tcp->stats.bytes_arrived;
	tcp->retransmits++;
	tcp->stats.bytes_again += bytes;
	net_counts.tcp.again++;
}

/* ------------------------------------------------------------------------------------------------ the tail's probe */

void loss_probe_arm(struct tcp_sock *tcp)
{
	uint64_t now = clock_now_ns(), wait = tcp->srtt_ns ? 2 * tcp->srtt_ns + PROBE_SLACK_NS : PROBE_FIRST_NS;
	bool calm = tcp->sacked_ok && !tcp->recovering && !tcp->sacked_bytes && !tcp->lost_bytes && !tcp->backoff &&
		    !tcp->tail_probing && !tcp->probing && tcp->nxt != tcp->una;

	if (tcp->srtt_ns && tcp->nxt - tcp->una <= tcp->mss)
		wait += DELAYED_ACK_NS;
	if (!calm || now + wait >= tcp->retransmit.deadline_ns) {
		if (tcp->early_is_probe)
			net_timer_disarm(&tcp->early);
		return;
	}
	tcp->early_is_probe = true;
	net_timer_arm(&tcp->early, now + wait);
}

static void probe_send(struct tcp_sock *tcp)
{
	struct tcp_sent *last = last_run(tcp);

	if (!last || tcp->recovering || tcp->tail_probing || tcp->sacked_bytes || tcp->lost_bytes)
		return;
	tcp->tail_again = !tcp_output_beyond(tcp);
	if (tcp->tail_again) {
		if (size_of(last) > tcp->mss) {
			if (!split(tcp, last, last->end - tcp->mss))
				return;
			last = last_run(tcp);
		}
		mark(tcp, last);
		tcp_retransmit(tcp, last);
	}
	tcp->tail_probing = true;
	tcp->tail_end = tcp->nxt;
	tcp_retransmit_arm(tcp);
}

void loss_early_fired(struct net_timer *timer)
{
	struct tcp_sock *tcp = container_of(timer, struct tcp_sock, early);

	if (tcp->early_is_probe) {
		tcp->early_is_probe = false;
		probe_send(tcp);
	} else {
		loss_detect(tcp, &(struct loss_news){0});
		tcp_output(tcp, false);
	}
}
