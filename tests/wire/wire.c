/* wire.c - the real network stack over a bad wire: every byte must arrive once, in order, and nothing may hang.
 *
 * One seed makes one world: the loopback, or an Ethernet whose neighbour is ourselves (mirror.h), by IPv4 or IPv6, with
 * an MTU, perhaps a narrower place behind it, delay, loss, duplication, reordering, corruption, and options that
 * somebody on the way strips from SYNs; a few TCP connections whose both ends write and read in pieces of any size,
 * pause, change options and close. Time is virtual, so a world of minutes takes milliseconds, and a seed replays
 * exactly. Every world runs in a process of its own.
 *
 *     wire --seeds A-B      the worlds of these seeds; the last line counts
 *     wire --seed N [--packets]     one, with its configuration and statistics, and a line for each packet
 *     wire --long                   a wire that is good and long: the windows must grow until they fill it
 *
 * What must hold at the end: all bytes right on both sides of each connection, no packet and no timer left over after
 * the last TIME_WAIT, and all that within WORLD_LIMIT_NS of virtual time. A wire that drops everything for a while is
 * among the worlds; one that drops everything for ever is not.
 *
 * One thing excuses an end that is cut off by a reset: the other one's program had closed, and what its stack then sent
 * was not answered ORPHAN_TRIES times in a row, because the wire lost each of them or its answer. Such a connection is
 * given up (tcp(7), tcp_orphan_retries). 1 of about 100,000 worlds has one; 82655 was the first, until the windows grew
 * otherwise.
 */
#include "fs/mount.h"
#include "netstack/ether.h"
#include "netstack/net.h"
#include "netstack/policy.h"
#include "netstack/tcp.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "tests/wire/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORLD_LIMIT_NS (3600 * NS_PER_S)
#define CONNECTIONS    4
#define PIECE_BYTES    70000u
#define PORT           7777
#define REAL_SECONDS   60 /* a world that computes for so long does not end */
#define LONG_BYTES     (40u << 20)
#define LONG_LIMIT_MS  4000
#define ORPHAN_TRIES   9u /* net.ipv4.tcp_orphan_retries as Linux takes its 0, and the first try */

static uint64_t now_ns = NS_PER_S, state;

uint64_t __wrap_hostdep_monotonic_ns(void);
uint64_t __wrap_hostdep_monotonic_ns(void)
{
	return now_ns;
}

static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t limit)
{
	return limit ? (next() >> 11) % limit : 0;
}

void __wrap_host_random(void *bytes, size_t n);
void __wrap_host_random(void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(next() >> 40);
}

static struct {
	unsigned loss, duplicate, reorder, corrupt; /* of 1,000 packets */
	uint64_t delay_ns, jitter_ns;
	uint32_t mtu;
	bool strip_stamps, strip_sack, strip_scale;
	uint64_t dead_from_ns, dead_to_ns; /* nothing gets through */
	unsigned connections;
	uint32_t bytes; /* of each direction */
	bool ether, v6, gso;
	bool mark;           /* congestion is marked instead of dropped, where it may be (RFC 3168) */
	uint32_t narrow_mtu; /* of somebody on the way; 0: nobody */
	bool calm;           /* nobody pauses or sets a buffer's size */
	bool fast;           /* clients bring data in their SYN, which the server does not take (RFC 7413) */
} world;

static struct link *wire_link;

static struct {
	uint64_t packets, lost, duplicated, reordered, corrupted, datagrams, marked, last_end_ns;
} seen;

static unsigned running, failures;

#define FAIL(...)                                                                                                      \
	do {                                                                                                           \
		failures++;                                                                                            \
		fprintf(stderr, __VA_ARGS__);                                                                          \
	} while (0)

/* ------------------------------------------------------------------------------------------------ the wire */

struct held {
	struct held *next;
	struct buf *buf;
	uint64_t due_ns;
};

static struct held *held; /* by due_ns; equal ones in the order they came */
static struct fiber *carrier;

static void hold(struct buf *buf, uint64_t due_ns)
{
	struct held **at = &held, *new = malloc(sizeof *new);

	while (*at && (*at)->due_ns <= due_ns)
		at = &(*at)->next;
	*new = (struct held){*at, buf, due_ns};
	*at = new;
	fiber_wake(carrier);
}

static void carrier_main(void *unused)
{
	(void)unused;
	for (;;) {
		while (held && held->due_ns <= now_ns) {
			struct held *first = held;
			held = first->next;
			link_deliver(wire_link, first->buf);
			free(first);
		}
		net_run();
		if (held)
			(void)!fiber_park_until(held->due_ns);
		else
			fiber_park();
	}
}

/* Makes the packet's bytes its own, so that a flipped bit hits nobody else's. */
static void unshare(struct buf *buf)
{
	struct block *own;

	if (!buf->size || !(own = block_new(buf->size)))
		return;
	memcpy(own->data, buf->block->data + buf->offset, buf->size);
	own->used = buf->size;
	block_put(buf->block);
	buf->block = own;
	buf->offset = 0;
}

static void flip(struct buf *buf)
{
	uint32_t headers = BUF_HEADER_BYTES - buf->header_at, from = 0, to = buf_size(buf);

	if (world.ether && !mirror_breakable(buf, &from, &to))
		return;
	uint32_t at = from + (uint32_t)below(to - from);
	unshare(buf);
	if (at < headers)
		buf->header[buf->header_at + at] ^= (uint8_t)(1u << below(8));
	else
		buf->block->data[buf->offset + at - headers] ^= (char)(1u << below(8));
	seen.corrupted++;
}

/* Somebody on the way who does not like an option writes NOPs over it, and puts the checksum right. */
static void strip(struct buf *buf)
{
	uint32_t before = world.ether ? ETHER_HEADER_BYTES : 0;
	uint8_t *tcp = buf->header + buf->header_at + before + IP4_HEADER_BYTES;
	uint8_t *end = tcp + (tcp[12] >> 4) * 4, *at = tcp + TCP_HEADER_BYTES;
	struct ip4_header head, *ip = &head;
	memcpy(ip, buf->header + buf->header_at + before, sizeof head);
	if (ip->version_length != 0x45 || ip->protocol != IP_PROTOCOL_TCP || ip->fragment & net16(IP4_FRAGMENT_MASK))
		return;
	struct net_addr source = net_addr_v4(net32(ip->source)), target = net_addr_v4(net32(ip->target));

	if (!(tcp[13] & TCP_SYN))
		return;
	while (at < end && *at) {
		uint8_t size = *at == 1 ? 1 : at[1];
		if ((*at == 8 && world.strip_stamps) || (*at == 4 && world.strip_sack) ||
		    (*at == 3 && world.strip_scale))
			memset(at, 1, size);
		at += size;
	}
	tcp[16] = tcp[17] = 0;
	uint32_t size = (uint32_t)(end - tcp);
	uint16_t sum = sum_fold(sum_add(sum_pseudo(&source, &target, IP_PROTOCOL_TCP, size), tcp, size));
	memcpy(tcp + 16, &sum, 2);
}

/* Congestion Experienced, where the packet may bear it. IPv4 only: our headers are at a known place. */
static bool mark(struct buf *buf)
{
	uint8_t *ip = buf->header + buf->header_at + (world.ether ? ETHER_HEADER_BYTES : 0);
	struct ip4_header head;

	memcpy(&head, ip, sizeof head);
	if (!world.mark || head.version_length != 0x45 || !(head.traffic_class & ECN_MASK))
		return false;
	head.traffic_class |= ECN_EXPERIENCED;
	head.checksum = 0;
	head.checksum = sum_fold(sum_add(0, &head, sizeof head));
	memcpy(ip, &head, sizeof head);
	seen.marked++;
	return true;
}

static bool verbose;

/* One line a packet, with --seed N --packets. */
static void show(const struct buf *buf)
{
	uint8_t bytes[ETHER_HEADER_BYTES + IP6_HEADER_BYTES + TCP_HEADER_BYTES] = {0}, *ip = bytes;
	struct tcp_header tcp;

	if (!verbose)
		return;
	(void)buf_copy(buf, bytes, sizeof bytes);
	ip += world.ether ? ETHER_HEADER_BYTES : 0;
	bool v4 = ip[0] >> 4 == 4;
	uint32_t headers = (uint32_t)(ip - bytes) + (v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	fprintf(stderr, "%.6f %u bytes ", (double)now_ns / 1e9, buf_size(buf));
	if (ip[v4 ? 9 : 6] != IP_PROTOCOL_TCP) {
		fprintf(stderr, "of protocol %u\n", ip[v4 ? 9 : 6]);
		return;
	}
	memcpy(&tcp, bytes + headers, sizeof tcp);
	fprintf(stderr, "%u>%u %s%s%s%s seq %u+%u ack %u win %u\n", net16(tcp.source), net16(tcp.target),
		tcp.flags & TCP_SYN ? "S" : "", tcp.flags & TCP_FIN ? "F" : "", tcp.flags & TCP_RST ? "R" : "",
		tcp.flags & TCP_PSH ? "P" : "", net32(tcp.sequence),
		buf_size(buf) - headers - (uint32_t)(tcp.length >> 4) * 4, net32(tcp.ack), net16(tcp.window));
}

/* What one end has said of itself, by its port and the other's (one of the two is PORT). */
struct flow {
	uint16_t source, target;
	bool synchronized, scales;
	uint8_t scale;
	uint32_t ack, edge;
	uint32_t unanswered; /* what it has sent since something from the other end got through to it */
	bool given_up;       /* it has sent a RST after ORPHAN_TRIES of these */
};

static struct flow *flow_of(uint16_t source, uint16_t target)
{
	static struct flow flows[2 * CONNECTIONS * 8]; /* connect(2) is tried again, from another port */

	for (unsigned i = 0; i < COUNT(flows); i++) {
		if (!flows[i].source)
			flows[i] = (struct flow){.source = source, .target = target};
		if (flows[i].source == source && flows[i].target == target)
			return &flows[i];
	}
	return NULL;
}

/* Counts what is sent without an answer. Returns the other end, which may now get it; NULL: no TCP, or a fragment. */
static struct flow *count_unanswered(const struct buf *buf)
{
	uint8_t bytes[ETHER_HEADER_BYTES + IP6_HEADER_BYTES + TCP_HEADER_BYTES] = {0}, *ip = bytes;
	struct tcp_header tcp;

	(void)buf_copy(buf, bytes, sizeof bytes);
	ip += world.ether ? ETHER_HEADER_BYTES : 0;
	bool v4 = ip[0] >> 4 == 4;
	if (ip[v4 ? 9 : 6] != IP_PROTOCOL_TCP || (v4 && ((ip[6] & 0x3f) | ip[7])))
		return NULL;
	memcpy(&tcp, ip + (v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES), sizeof tcp);
	struct flow *own = flow_of(tcp.source, tcp.target);
	if (own) {
		own->given_up |= tcp.flags & TCP_RST && own->unanswered >= ORPHAN_TRIES;
		own->unanswered++;
	}
	return flow_of(tcp.target, tcp.source);
}

static bool scale_of(const uint8_t *at, const uint8_t *end, uint8_t *out)
{
	while (at < end && *at) {
		if (*at == TCP_OPTION_SCALE) {
			*out = at[2];
			return true;
		}
		at += *at == TCP_OPTION_NOP ? 1 : at[1];
	}
	return false;
}

/* What every segment that leaves must keep to: acknowledgements and the right edge of the window never go back
 * (RFC 9293 section 3.8.6), and no byte lies beyond what the peer has ever offered. */
static void check(const struct buf *buf)
{
	uint8_t bytes[ETHER_HEADER_BYTES + IP6_HEADER_BYTES + TCP_HEADER_BYTES + TCP_OPTIONS_BYTES] = {0}, *ip = bytes;
	struct tcp_header tcp;

	(void)buf_copy(buf, bytes, sizeof bytes);
	ip += world.ether ? ETHER_HEADER_BYTES : 0;
	bool v4 = ip[0] >> 4 == 4;
	uint32_t before = (uint32_t)(ip - bytes) + (v4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES);
	if (ip[v4 ? 9 : 6] != IP_PROTOCOL_TCP || (v4 && ((ip[6] & 0x3f) | ip[7])))
		return;
	memcpy(&tcp, bytes + before, sizeof tcp);
	uint32_t size = buf_size(buf) - before - (uint32_t)(tcp.length >> 4) * 4, ack = net32(tcp.ack);
	struct flow *flow = flow_of(tcp.source, tcp.target), *peer = flow_of(tcp.target, tcp.source);
	if (tcp.flags & TCP_SYN && flow) {
		flow->scales = scale_of(bytes + before + TCP_HEADER_BYTES, bytes + before + (tcp.length >> 4) * 4,
					&flow->scale) &&
			       !(world.strip_scale && v4);
	}
	if (!(tcp.flags & TCP_ACK) || tcp.flags & TCP_RST || !flow || !peer)
		return;
	bool scaled = flow->scales && peer->scales; /* both must have said so (RFC 7323 section 2.2) */
	uint32_t edge = ack + ((uint32_t)net16(tcp.window) << (scaled && !(tcp.flags & TCP_SYN) ? flow->scale : 0));
	if (tcp.flags & TCP_SYN) /* a late SYN may begin another connection, which comes to nothing */
		flow->synchronized = false;
	if (flow->synchronized && seq_before(ack, flow->ack))
		FAIL("port %u takes back its acknowledgement of %u bytes\n", net16(tcp.source), flow->ack - ack);
	if (flow->synchronized && seq_before(edge, flow->edge))
		FAIL("port %u takes back %u bytes of its window\n", net16(tcp.source), flow->edge - edge);
	if (peer->synchronized && size && seq_after(net32(tcp.sequence) + size, peer->edge))
		FAIL("port %u sends %u bytes beyond the window\n", net16(tcp.source),
		     net32(tcp.sequence) + size - peer->edge);
	flow->ack = ack;
	flow->edge = flow->synchronized ? seq_max(flow->edge, edge) : edge;
	flow->synchronized = true;
}

static bool bad_wire(struct link *link, struct buf *buf)
{
	uint64_t due = now_ns + world.delay_ns + below(world.jitter_ns);

	assert(link == wire_link || link->kind == LINK_LOOPBACK);
	if (link != wire_link)
		return true;
	show(buf);
	check(buf);
	struct flow *peer = count_unanswered(buf);
	seen.packets++;
	struct buf *report = world.ether && world.narrow_mtu ? mirror_too_big(buf, world.narrow_mtu) : NULL;
	if (report)
		buf = report;
	else if (world.ether)
		mirror_turn(buf);
	if ((below(1000) < world.loss && !mark(buf)) || (now_ns >= world.dead_from_ns && now_ns < world.dead_to_ns)) {
		seen.lost++;
		if (verbose)
			fprintf(stderr, "    it is lost\n");
		buf_free(buf);
		return false;
	}
	strip(buf);
	if (below(1000) < world.corrupt)
		flip(buf);
	else if (peer)
		peer->unanswered = 0;
	if (below(1000) < world.reorder) {
		seen.reordered++;
		due += below(5 * world.delay_ns + 20 * NS_PER_MS);
	}
	if (below(1000) < world.duplicate) {
		struct buf *copy = buf_clone(buf);
		seen.duplicated++;
		if (copy)
			hold(copy, due + below(world.delay_ns + NS_PER_MS));
	}
	hold(buf, due);
	return false;
}

/* ------------------------------------------------------------------------------------------------ the ends */

struct side {
	struct file *file;
	uint64_t out, in; /* the seeds of the bytes that go out and come in */
	unsigned left;    /* fibers at work */
	const char *name;
	struct flow *peer; /* what the other end has sent */
};

static const struct socket_ops *ops;
static struct socket_caller who;

static uint8_t byte_at(uint64_t seed, uint32_t at)
{
	uint64_t x = (seed + at) * 0x9e3779b97f4a7c15ull;

	return (uint8_t)(x >> 56);
}

static void pause_now_and_then(void)
{
	if (!world.calm && !below(20))
		(void)!fiber_park_until(now_ns + below(300 * NS_PER_MS));
}

static void side_done(struct side *side)
{
	if (--side->left)
		return;
	file_put(side->file);
	free(side);
	running--;
	seen.last_end_ns = now_ns;
}

/* Has the other end given up, as it may? */
static bool excused(const struct side *side, ssize_t error)
{
	return (error == -ECONNRESET || error == -EPIPE) && side->peer && side->peer->given_up;
}

static void writer(void *argument)
{
	struct side *side = argument;
	static const int sizes[] = {1, 10, 600, 1460, 9000, PIECE_BYTES};
	char *piece = malloc(PIECE_BYTES);
	struct uio uio;

	for (uint32_t done = 0; done < world.bytes;) {
		uint32_t n = 1 + (uint32_t)below((uint64_t)sizes[below(COUNT(sizes))]);
		n = MIN(n, world.bytes - done);
		for (uint32_t i = 0; i < n; i++)
			piece[i] = (char)byte_at(side->out, done + i);
		struct socket_message message = {.data = &uio, .flags = below(10) ? 0 : ABI_MSG_MORE};
		uio_init_kernel(&uio, piece, n);
		ssize_t sent = ops->send(side->file, &who, &message);
		if (sent <= 0 && excused(side, sent))
			break;
		if (sent <= 0) {
			FAIL("%s: send after %u bytes: %zd\n", side->name, done, sent);
			break;
		}
		done += (uint32_t)sent;
		if (!below(200)) {
			int value = (int)below(2);
			(void)!socket_option_set(side->file, &who, IPPROTO_TCP, below(2) ? 1 : 3, &value, sizeof value);
		}
		pause_now_and_then();
	}
	free(piece);
	int error = ops->shutdown(side->file, ABI_SHUT_WR);
	if (error && !(side->peer && side->peer->given_up))
		FAIL("%s: shutdown failed\n", side->name);
	side_done(side);
}

static void reader(void *argument)
{
	struct side *side = argument;
	char *piece = malloc(PIECE_BYTES);
	uint32_t done = 0, wrong = 0;
	struct uio uio;

	for (;;) {
		struct socket_message message = {.data = &uio};
		uio_init_kernel(&uio, piece, 1 + below(below(3) ? PIECE_BYTES : 100));
		ssize_t got = ops->receive(side->file, &message);
		if (got <= 0) {
			if (wrong || (!excused(side, got) && (got || done != world.bytes)))
				FAIL("%s: %u of %u bytes, %u wrong, then %zd\n", side->name, done, world.bytes, wrong,
				     got);
			break;
		}
		for (ssize_t i = 0; i < got; i++)
			wrong += (uint8_t)piece[i] != byte_at(side->in, done + (uint32_t)i);
		done += (uint32_t)got;
		pause_now_and_then();
	}
	free(piece);
	side_done(side);
}

/* port: the client's. */
static void side_start(struct file *file, bool client, uint16_t port)
{
	struct side *side = malloc(sizeof *side);
	struct fiber *fiber;

	*side = (struct side){
		.file = file,
		.out = port * 2u + !client,
		.in = port * 2u + client,
		.left = 2,
		.name = client ? "client" : "server",
		.peer = client ? flow_of(net16(PORT), net16(port)) : flow_of(net16(port), net16(PORT)),
	};
	running++;
	if (fiber_new(writer, side, &fiber) || fiber_new(reader, side, &fiber))
		FAIL("no fiber\n");
}

static struct file *socket_make(void)
{
	struct file *file;
	int bytes = 4000 + (int)below(200000);

	if (ops->create(&who, ABI_SOCK_STREAM, 0, 0, &file))
		abort();
	if (!world.calm && !below(3))
		(void)!socket_option_set(file, &who, ABI_SOL_SOCKET, ABI_SO_RCVBUF, &bytes, sizeof bytes);
	if (!world.calm && !below(3))
		(void)!socket_option_set(file, &who, ABI_SOL_SOCKET, ABI_SO_SNDBUF, &bytes, sizeof bytes);
	return file;
}

static struct socket_address address_of(uint16_t port)
{
	struct net_addr far = world.ether ? mirror_addr(world.v6, true) : net_addr_v4(NET_V4_LOOPBACK);
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = net16(port), .sin_addr = {far.words[3]}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = net16(port)};
	struct socket_address out = {.size = world.v6 ? sizeof in6 : sizeof in};

	memcpy(&in6.sin6_addr, &far, sizeof far);
	if (world.v6)
		memcpy(out.bytes, &in6, sizeof in6);
	else
		memcpy(out.bytes, &in, sizeof in);
	return out;
}

/* Any address of our own. */
static struct socket_address listen_address(uint16_t port)
{
	struct socket_address address = address_of(port);

	memset(address.bytes + (world.v6 ? 8 : 4), 0, world.v6 ? 16 : 4);
	return address;
}

static void server(void *argument)
{
	struct file *listener = argument;

	for (unsigned i = 0; i < world.connections; i++) {
		struct socket_address peer;
		struct sockaddr_in in;
		struct file *file;
		int error = ops->accept(listener, &who, 0, &peer, &file);
		if (error) {
			FAIL("accept: %d\n", error);
			break;
		}
		memcpy(&in, peer.bytes, sizeof in);
		side_start(file, false, net16(in.sin_port));
	}
	file_put(listener);
	running--;
}

static void client(void *unused)
{
	struct file *file = socket_make();
	struct socket_address address = address_of(PORT), name;
	struct sockaddr_in in;
	int error;

	(void)unused;
	if (world.fast) {
		struct net_addr far = net_addr_v4(NET_V4_LOOPBACK);
		int on = 1;
		fastopen_learn(&far, &(struct tcp_cookie){.size = 8}, (uint16_t)MIN(world.mtu - 40, 65495u));
		(void)!socket_option_set(file, &who, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on);
	}
	for (int tries = 0; tries < 8; tries++) { /* SYNs may all be lost, and so may questions for the neighbour */
		error = ops->connect(file, &who, &address, false);
		if (error != -ETIMEDOUT && error != -EHOSTUNREACH)
			break;
	}
	if (error) {
		FAIL("connect: %d\n", error);
		file_put(file);
	} else {
		(void)ops->name(file, false, &name);
		memcpy(&in, name.bytes, sizeof in);
		side_start(file, true, net16(in.sin_port));
	}
	running--;
}

/* ------------------------------------------------------------------------------------------------ datagrams */

#define DATAGRAMS      30
#define DATAGRAM_BYTES 20000u /* many fragments */

/* Each has its number and its size in front; whoever gets one must get all of it. */
static void datagram_reader(void *argument)
{
	struct file *file = argument;
	uint8_t *bytes = malloc(PIECE_BYTES);
	uint32_t head[2];

	for (;;) {
		struct uio uio;
		struct socket_message message = {.data = &uio};
		uio_init_kernel(&uio, bytes, PIECE_BYTES);
		ssize_t n = ops->receive(file, &message);
		if (n <= 0)
			break; /* shut down by the writer */
		memcpy(head, bytes, sizeof head);
		bool right = (size_t)n >= sizeof head && head[1] == n && head[0] < DATAGRAMS;
		for (uint32_t i = sizeof head; right && i < head[1]; i++)
			right = bytes[i] == byte_at(head[0], i);
		seen.datagrams += right;
		if (!right)
			FAIL("a datagram of %zd bytes is wrong\n", n);
	}
	free(bytes);
	file_put(file);
	running--;
}

static void datagram_writer(void *argument)
{
	struct file *file = argument;
	struct socket_address target = address_of(PORT + 1);
	uint8_t *bytes = malloc(DATAGRAM_BYTES);

	for (uint32_t number = 0; number < DATAGRAMS; number++) {
		/* The first is small: what waits for the neighbour's answer has a limit (NEIGHBOUR_QUEUE). */
		uint32_t size = number ? 8 + (uint32_t)below(below(2) ? 2000 : DATAGRAM_BYTES - 8) : 8;
		memcpy(bytes, (uint32_t[]){number, size}, 8);
		for (uint32_t i = 8; i < size; i++)
			bytes[i] = byte_at(number, i);
		struct uio uio;
		struct socket_message message = {.data = &uio, .address = target};
		uio_init_kernel(&uio, bytes, size);
		ssize_t sent = ops->send(file, &who, &message);
		if (sent != (ssize_t)size && sent != -EMSGSIZE)
			FAIL("a datagram of %u bytes: %zd\n", size, sent);
		(void)!fiber_park_until(now_ns + (number ? below(50 * NS_PER_MS) : NS_PER_S));
	}
	free(bytes);
	(void)!fiber_park_until(now_ns + 100 * NS_PER_S); /* what is late has come by now, and pieces are given up */
	(void)!ops->connect(file, &who, &target, false);
	(void)!ops->shutdown(file, ABI_SHUT_RDWR);
	if (!world.loss && !world.corrupt && !world.dead_to_ns && !world.narrow_mtu && seen.datagrams < DATAGRAMS)
		FAIL("%lu of %u datagrams arrived over a wire that loses none\n", seen.datagrams, DATAGRAMS);
	file_put(file);
	running--;
}

static void datagrams_start(void)
{
	struct socket_address address = listen_address(PORT + 1);
	struct file *file;
	struct fiber *fiber;

	if (ops->create(&who, ABI_SOCK_DGRAM, 0, 0, &file) || ops->bind(file, &who, &address))
		abort();
	file_get(file);
	running += 2;
	if (fiber_new(datagram_reader, file, &fiber) || fiber_new(datagram_writer, file, &fiber))
		abort();
}

/* ------------------------------------------------------------------------------------------------ worlds */

static void configure(uint64_t seed)
{
	static const uint32_t mtus[] = {576, 1500, 1500, 9000, 65536};

	state = seed * 0x9e3779b97f4a7c15ull + 1;
	for (int i = 0; i < 8; i++)
		next();
	world.loss = below(2) ? (unsigned)below(100) : 0;
	world.duplicate = below(2) ? (unsigned)below(100) : 0;
	world.reorder = below(2) ? (unsigned)below(200) : 0;
	world.corrupt = below(3) ? 0 : (unsigned)below(30);
	world.delay_ns = below(3) ? below(40 * NS_PER_MS) : 0;
	world.jitter_ns = below(3) ? 0 : below(20 * NS_PER_MS);
	world.mtu = mtus[below(COUNT(mtus))];
	world.strip_stamps = !below(4);
	world.strip_sack = !below(4);
	world.strip_scale = !below(4);
	if (!below(5)) {
		world.dead_from_ns = now_ns + below(NS_PER_S);
		world.dead_to_ns = world.dead_from_ns + below(10 * NS_PER_S);
	}
	world.ether = below(2);
	if (world.ether) {
		world.v6 = below(2);
		world.gso = below(2);
		if (world.v6)
			world.mtu = MAX(world.mtu, 1280u);
		if (!below(3))
			world.narrow_mtu = MAX(world.mtu - (uint32_t)below(world.mtu / 2), world.v6 ? 1280u : 576u);
	}
	tcp_settings.ecn = (int)below(3);
	/* Whatever acknowledges a cookie makes a connection, also what comes again when that has ended. */
	tcp_settings.cookies = world.duplicate || world.reorder || below(4) ? 1 : 2;
	world.mark = below(2);
	world.connections = 1 + (unsigned)below(CONNECTIONS);
	world.bytes = 1 + (uint32_t)below(below(2) ? 300000 : 5000);
	world.fast = !world.ether && !below(3);
}

/* The wire is the subject here, not the policy. */
static void allow_everything(void)
{
	static const char *const rules[] = {"0.0.0.0/0/any", "[::]/0/any"};
	static struct policy_config config = {
		.publish = {{POLICY_TCP, 1, POLICY_PORT_LAST}, {POLICY_UDP, 1, POLICY_PORT_LAST}},
		.publish_count = 2,
		.audit_file = HOSTFILE_NONE,
	};
	char why[POLICY_WHY_BYTES];

	for (unsigned i = 0; i < COUNT(rules); i++)
		if (!policy_rule_parse(rules[i], false, &config.rules.rule[config.rules.count++], why))
			abort();
	policy_install(&config);
}

static void world_start(void)
{
	struct socket_address address = listen_address(PORT);
	struct fiber *fiber;

	if (arena_init())
		abort();
	fs_init();
	if (net_init())
		abort();
	allow_everything();
	wire_link = world.ether ? mirror_new(world.mtu) : link_loopback();
	if (!wire_link)
		abort();
	wire_link->mtu = world.mtu;
	if (!world.gso)
		wire_link->gso_bytes = 0;
	who = (struct socket_caller){.pid = 1, .cred = cred_new(0, 0)};
	ops = socket_family(world.v6 ? ABI_AF_INET6 : ABI_AF_INET);
	link_wire_set(bad_wire);
	struct file *listener = socket_make();
	if (fiber_new(carrier_main, NULL, &carrier) || ops->bind(listener, &who, &address) ||
	    ops->listen(listener, &who, 16) || fiber_new(server, listener, &fiber))
		abort();
	running = 1 + world.connections;
	if (world.ether)
		datagrams_start();
	for (unsigned i = 0; i < world.connections; i++)
		if (fiber_new(client, NULL, &fiber))
			abort();
}

static int world_run(uint64_t seed, bool tell)
{
	uint64_t start = now_ns;

	alarm(REAL_SECONDS);
	world_start();
	for (;;) {
		fiber_run_ready();
		uint64_t deadline = fiber_next_deadline_ns();
		if (deadline == DEADLINE_NONE || deadline - start > WORLD_LIMIT_NS)
			break;
		now_ns = MAX(deadline, now_ns);
		clock_refresh();
	}
	if (running)
		FAIL("seed %lu: %u fibers still wait\n", seed, running);
	if (buf_count())
		FAIL("seed %lu: %zu packets left over\n", seed, buf_count());
	if (tell || failures)
		fprintf(stderr,
			"seed %lu: %s mtu %u (%u), loss %u, duplicate %u, reorder %u, corrupt %u, delay %lu us, "
			"stripped%s%s%s, "
			"%u connections of %u bytes: %.3f s, %lu packets, %lu lost, %lu doubled, %lu late, %lu "
			"broken\n",
			seed,
			!world.ether ? "loopback"
			: world.v6   ? "IPv6"
				     : "IPv4",
			world.mtu, world.narrow_mtu, world.loss, world.duplicate, world.reorder, world.corrupt,
			world.delay_ns / 1000, world.strip_stamps ? " timestamps" : "", world.strip_sack ? " sack" : "",
			world.strip_scale ? " scale" : "", world.connections, world.bytes,
			(double)(now_ns - start) / 1e9, seen.packets, seen.lost, seen.duplicated, seen.reordered,
			seen.corrupted);
	return failures ? 1 : 0;
}

/* 100 ms there and back. With the windows that connections begin with, this would take a minute. */
static int long_run(bool stamps)
{
	state = 1;
	world.mtu = 1500;
	world.delay_ns = 50 * NS_PER_MS;
	world.connections = 1;
	world.bytes = LONG_BYTES;
	world.calm = true;
	world.strip_stamps = !stamps;
	uint64_t start = now_ns;
	int result = world_run(0, false);
	uint64_t took_ms = (seen.last_end_ns - start) / NS_PER_MS;
	printf("%u bytes each way, timestamps %s: %lu ms\n", world.bytes, stamps ? "on" : "off", took_ms);
	fflush(stdout);
	return result || took_ms > LONG_LIMIT_MS;
}

static bool run_apart(int (*run)(bool), bool argument)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid)
		_exit(run(argument));
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

int main(int argc, char **argv)
{
	unsigned long first, last, passed = 0, failed = 0;

	verbose = argc == 4 && !strcmp(argv[3], "--packets");
	if (argc == 2 && !strcmp(argv[1], "--long"))
		return run_apart(long_run, true) && run_apart(long_run, false) ? 0 : 1;
	if (argc >= 3 && !strcmp(argv[1], "--seed")) {
		configure(strtoul(argv[2], NULL, 10));
		return world_run(strtoul(argv[2], NULL, 10), true);
	}
	if (argc != 3 || strcmp(argv[1], "--seeds") || sscanf(argv[2], "%lu-%lu", &first, &last) != 2) {
		fprintf(stderr, "usage: wire --seed N | --seeds A-B | --long\n");
		return 2;
	}
	for (unsigned long seed = first; seed <= last; seed++) {
		int status = 1;
		pid_t pid = fork();
		for (int tries = 0; pid < 0 && errno == EAGAIN && tries < 200; tries++) {
			usleep(50000); /* the machine has no process to spare for a moment */
			pid = fork();
		}
		if (!pid) {
			configure(seed);
			_exit(world_run(seed, false));
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
			printf("failed: wire --seed %lu (status %#x)\n", seed, status);
			failed++;
		} else {
			passed++;
		}
	}
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed || !passed;
}
