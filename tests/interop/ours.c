/* ours.c - see ours.h. The same work as theirs.c does with threads. */
#include "tests/interop/ours.h"

#include "fs/socket.h"
#include "netstack/tcp.h"
#include "sentry/base/fiber.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
	const struct transfer_plan *plan;
	unsigned number;
	struct file *listener, *file;
	uint32_t sent, received;
	unsigned left; /* fibers at work */
};

static struct transfer transfers[TRANSFERS_LIMIT];
static const struct world_plan *world;
static unsigned running, failures, fast_opens;
static struct socket_caller who;
static uint64_t random_state;

#define FAIL(...)                                                                                                      \
	do {                                                                                                           \
		failures++;                                                                                            \
		fprintf(stderr, "  ours: " __VA_ARGS__);                                                               \
	} while (0)

static uint32_t below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((random_state >> 33) % limit);
}

static void pause_ms(uint64_t ms)
{
	(void)!fiber_park_until(clock_now_ns() + ms * NS_PER_MS);
}

static const struct socket_ops *ops_of(const struct transfer *transfer)
{
	return socket_family(transfer->plan->v6 ? ABI_AF_INET6 : ABI_AF_INET);
}

static void set(struct file *file, int level, int option, int value)
{
	(void)!socket_option_set(file, &who, level, option, &value, sizeof value);
}

static struct file *make_socket(const struct transfer *transfer)
{
	const struct end_plan *end = &transfer->plan->ours;
	struct file *file;

	if (ops_of(transfer)->create(&who, ABI_SOCK_STREAM, 0, 0, &file))
		abort();
	if (end->receive_buffer)
		set(file, ABI_SOL_SOCKET, ABI_SO_RCVBUF, (int)end->receive_buffer);
	if (end->send_buffer)
		set(file, ABI_SOL_SOCKET, ABI_SO_SNDBUF, (int)end->send_buffer);
	if (end->mss)
		set(file, IPPROTO_TCP, TCP_MAXSEG, (int)end->mss);
	set(file, ABI_SOL_SOCKET, ABI_SO_KEEPALIVE, end->keepalive);
	set(file, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(file, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set(file, IPPROTO_TCP, TCP_KEEPCNT, 20);
	set(file, ABI_SOL_SOCKET, ABI_SO_OOBINLINE, 1);
	set(file, IPPROTO_TCP, TCP_NODELAY, end->no_delay);
	set(file, IPPROTO_TCP, TCP_SYNCNT, 10);
	if (end->reno)
		(void)!socket_option_set(file, &who, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	return file;
}

static struct socket_address address(const struct transfer *transfer, const char *v4, const char *v6)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(PORT + transfer->number))};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = in.sin_port};
	struct socket_address out = {.size = transfer->plan->v6 ? sizeof in6 : sizeof in};

	inet_pton(AF_INET, v4, &in.sin_addr);
	inet_pton(AF_INET6, v6, &in6.sin6_addr);
	if (transfer->plan->v6)
		memcpy(out.bytes, &in6, sizeof in6);
	else
		memcpy(out.bytes, &in, sizeof in);
	return out;
}

static uint64_t stream(const struct transfer *transfer, bool ours)
{
	return transfer->number * 1000003ull + ours;
}

static bool clean(const struct transfer *transfer)
{
	return transfer->plan->ending == END_CLEAN;
}

static void fiber_done(struct transfer *transfer)
{
	running--;
	if (!--transfer->left)
		file_put(transfer->file);
}

static uint32_t fill(struct transfer *transfer, char *piece)
{
	const struct end_plan *end = &transfer->plan->ours;
	uint32_t n = MIN(1 + below(end->piece), end->bytes - transfer->sent);

	for (uint32_t i = 0; i < n; i++)
		piece[i] = (char)byte_at(stream(transfer, true), transfer->sent + i);
	return n;
}

static void reset(struct transfer *transfer)
{
	struct abi_linger linger = {1, 0};
	struct socket_address nobody = {.family = ABI_AF_UNSPEC, .size = 16};

	(void)!socket_option_set(transfer->file, &who, ABI_SOL_SOCKET, ABI_SO_LINGER, &linger, sizeof linger);
	(void)!ops_of(transfer)->connect(transfer->file, &who, &nobody, false);
}

static void writer(void *argument)
{
	struct transfer *transfer = argument;
	const struct end_plan *end = &transfer->plan->ours;
	bool resets = transfer->plan->ending == END_OUR_RESET, idled = !end->idle;
	uint32_t until = resets ? end->reset_after : end->bytes;
	char *piece = malloc(65536);
	struct uio uio;

	while (transfer->sent < until) {
		bool urgent = end->urgent && !below(8);
		struct socket_message message = {.data = &uio, .flags = urgent ? ABI_MSG_OOB : 0};
		uio_init_kernel(&uio, piece, fill(transfer, piece));
		if (end->cork)
			set(transfer->file, IPPROTO_TCP, TCP_CORK, below(3) != 0);
		ssize_t sent = ops_of(transfer)->send(transfer->file, &who, &message);
		if (sent < 0) {
			if (clean(transfer))
				FAIL("%u: send after %u bytes: %zd\n", transfer->number, transfer->sent, sent);
			break;
		}
		transfer->sent += (uint32_t)sent;
		if (!idled && transfer->sent >= end->bytes / 2) {
			idled = true;
			pause_ms(2500);
		}
	}
	free(piece);
	if (resets)
		reset(transfer);
	else if (ops_of(transfer)->shutdown(transfer->file, ABI_SHUT_WR) && clean(transfer))
		FAIL("%u: shutdown\n", transfer->number);
	fiber_done(transfer);
}

static void reader(void *argument)
{
	struct transfer *transfer = argument;
	const struct end_plan *end = &transfer->plan->ours;
	uint32_t wrong = 0, pauses = 0, expected = transfer->plan->theirs.bytes;
	char *piece = malloc(65536);
	struct uio uio;
	ssize_t n;

	for (;;) {
		struct socket_message message = {.data = &uio};
		uio_init_kernel(&uio, piece, 1 + below(end->piece));
		if (end->quick)
			set(transfer->file, IPPROTO_TCP, TCP_QUICKACK, (int)below(2));
		if (end->slow && !below(4) && pauses++ < PAUSES)
			pause_ms(below(100));
		n = ops_of(transfer)->receive(transfer->file, &message);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			wrong +=
				(uint8_t)piece[i] != byte_at(stream(transfer, false), transfer->received + (uint32_t)i);
		transfer->received += (uint32_t)n;
	}
	if (wrong || transfer->received > expected || (clean(transfer) && (n || transfer->received != expected)))
		FAIL("%u: %u of %u bytes, %u wrong, then %zd\n", transfer->number, transfer->received, expected, wrong,
		     n);
	free(piece);
	fiber_done(transfer);
}

static void both_start(struct transfer *transfer)
{
	struct fiber *fiber;

	transfer->left = 2;
	running += 2;
	if (fiber_new(writer, transfer, &fiber) || fiber_new(reader, transfer, &fiber))
		abort();
}

/* The first bytes by MSG_FASTOPEN: one after the other, so that the later ones have a cookie. */
static int connect_fast(struct transfer *transfer, const struct socket_address *to)
{
	char *piece = malloc(65536);
	struct uio uio;
	struct socket_message message = {.data = &uio, .flags = ABI_MSG_FASTOPEN, .address = *to};
	struct tcp_info info = {0};
	uint32_t size = sizeof info;

	pause_ms(200 * transfer->number);
	uio_init_kernel(&uio, piece, fill(transfer, piece));
	ssize_t sent = ops_of(transfer)->send(transfer->file, &who, &message);
	free(piece);
	if (sent <= 0)
		return sent ? (int)sent : -EPIPE;
	transfer->sent = (uint32_t)sent;
	if (!socket_option_get(transfer->file, IPPROTO_TCP, TCP_INFO, &info, &size))
		fast_opens += !!(info.tcpi_options & TCPI_OPT_SYN_DATA);
	return 0;
}

static int connect_them(struct transfer *transfer)
{
	struct socket_address to = address(transfer, THEIRS4, THEIRS6);

	transfer->file = make_socket(transfer);
	if (transfer->plan->fast_open && transfer->plan->ours.bytes)
		return connect_fast(transfer, &to);
	return ops_of(transfer)->connect(transfer->file, &who, &to, false);
}

static void transfer_main(void *argument)
{
	struct transfer *transfer = argument;
	struct socket_address peer;
	int error;

	pause_ms(below(100));
	if (transfer->plan->we_connect) {
		error = connect_them(transfer);
	} else {
		error = ops_of(transfer)->accept(transfer->listener, &who, 0, &peer, &transfer->file);
		file_put(transfer->listener);
	}
	if (!error)
		both_start(transfer);
	else if (clean(transfer))
		FAIL("%u: connect or accept: %d\n", transfer->number, error);
	running--;
}

void ours_listen(const struct world_plan *plan)
{
	who = (struct socket_caller){.pid = 1, .cred = cred_new(0, 0)};
	world = plan;
	random_state = plan->seed;
	for (unsigned i = 0; i < plan->count; i++) {
		struct transfer *transfer = &transfers[i];
		*transfer = (struct transfer){.plan = &plan->transfer[i], .number = i};
		if (transfer->plan->we_connect)
			continue;
		struct socket_address here = address(transfer, OURS4, OURS6);
		transfer->listener = make_socket(transfer);
		set(transfer->listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
		if (!clean(transfer))
			(void)!socket_option_set(transfer->listener, &who, ABI_SOL_SOCKET, SO_RCVTIMEO,
						 &(struct timeval){RESET_LIMIT_S, 0}, sizeof(struct timeval));
		if (ops_of(transfer)->bind(transfer->listener, &who, &here) ||
		    ops_of(transfer)->listen(transfer->listener, &who, 5))
			abort();
	}
}

void ours_start(void)
{
	struct fiber *fiber;

	for (unsigned i = 0; i < world->count; i++) {
		running++;
		if (fiber_new(transfer_main, &transfers[i], &fiber))
			abort();
	}
}

unsigned ours_running(void)
{
	return running;
}

unsigned ours_fast_opens(void)
{
	return fast_opens;
}

unsigned ours_failures(void)
{
	return failures;
}

void ours_print(FILE *to)
{
	for (unsigned i = 0; i < world->count; i++) {
		const struct transfer *transfer = &transfers[i];
		if (transfer->left || !transfer->file)
			fprintf(to, "  ours: %u stands at %u of %u sent, %u of %u received%s\n", i, transfer->sent,
				transfer->plan->ours.bytes, transfer->received, transfer->plan->theirs.bytes,
				transfer->file ? "" : ", not connected");
		if (!transfer->left || !transfer->file)
			continue;
		const struct tcp_sock *tcp = tcp_of(inet_sock_of(transfer->file));
		fprintf(to,
			"    state %u, una %u nxt +%u sacked %u lost %u end +%u, window %u cwnd %u mss %u, probing %u "
			"backoff "
			"%u, "
			"timer %u, rcv_nxt edge +%u ready %u ahead %u\n",
			tcp->state, tcp->una, tcp->nxt - tcp->una, tcp->sacked_bytes, tcp->lost_bytes,
			tcp->send_end - tcp->una, tcp->window, tcp->cwnd, tcp->mss, tcp->probing, tcp->backoff,
			tcp->retransmit.armed, tcp->edge - tcp->rcv_nxt, tcp->ready_bytes, tcp->ahead_bytes);
	}
}
