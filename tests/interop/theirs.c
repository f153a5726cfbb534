/* theirs.c - the Linux end: for each transfer a thread that makes the connection and reads, and one that writes. */
#include "tests/interop/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct transfer {
	const struct transfer_plan *plan;
	unsigned number;
	int listener, fd;
	unsigned random;
	uint32_t sent, received;
	bool done;
	pthread_t reader, writer;
};

static atomic_int failures;
static struct transfer transfers[TRANSFERS_LIMIT];

#define FAIL(...)                                                                                                      \
	do {                                                                                                           \
		failures++;                                                                                            \
		fprintf(stderr, "  theirs: " __VA_ARGS__);                                                             \
	} while (0)

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000l}, NULL);
}

static void set(int fd, int level, int option, int value)
{
	(void)!setsockopt(fd, level, option, &value, sizeof value);
}

static int make_socket(const struct transfer_plan *plan)
{
	const struct end_plan *end = &plan->theirs;
	int fd = socket(plan->v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (end->receive_buffer)
		set(fd, SOL_SOCKET, SO_RCVBUF, (int)end->receive_buffer);
	if (end->send_buffer)
		set(fd, SOL_SOCKET, SO_SNDBUF, (int)end->send_buffer);
	if (end->mss)
		set(fd, IPPROTO_TCP, TCP_MAXSEG, (int)end->mss);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, end->keepalive);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, 20);
	set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	set(fd, IPPROTO_TCP, TCP_NODELAY, end->no_delay);
	set(fd, IPPROTO_TCP, TCP_SYNCNT, 10);
	if (end->reno)
		(void)!setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
	return fd;
}

static socklen_t address(const struct transfer_plan *plan, const char *text, unsigned number, void *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(PORT + number))};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)(PORT + number))};

	if (plan->v6) {
		inet_pton(AF_INET6, text, &in6.sin6_addr);
		memcpy(out, &in6, sizeof in6);
		return sizeof in6;
	}
	inet_pton(AF_INET, text, &in.sin_addr);
	memcpy(out, &in, sizeof in);
	return sizeof in;
}

static uint64_t stream(const struct transfer *transfer, bool ours)
{
	return transfer->number * 1000003ull + ours;
}

static uint32_t fill(struct transfer *transfer, char *piece)
{
	const struct end_plan *end = &transfer->plan->theirs;
	uint32_t n = 1 + (uint32_t)rand_r(&transfer->random) % end->piece;

	n = n > end->bytes - transfer->sent ? end->bytes - transfer->sent : n;
	for (uint32_t i = 0; i < n; i++)
		piece[i] = (char)byte_at(stream(transfer, false), transfer->sent + i);
	return n;
}

/* Connects, perhaps with the first bytes in the SYN. */
static bool connect_them(struct transfer *transfer)
{
	struct sockaddr_storage to;
	const char *text = transfer->plan->v6 ? OURS6 : OURS4;
	socklen_t size = address(transfer->plan, text, transfer->number, &to);
	char piece[65536];

	if (!transfer->plan->fast_open || !transfer->plan->theirs.bytes)
		return !connect(transfer->fd, (struct sockaddr *)&to, size);
	ssize_t n = sendto(transfer->fd, piece, fill(transfer, piece), MSG_FASTOPEN, (struct sockaddr *)&to, size);
	if (n > 0)
		transfer->sent = (uint32_t)n;
	return n > 0;
}

static bool resets(const struct transfer *transfer)
{
	return transfer->plan->ending == END_THEIR_RESET;
}

static void start(pthread_t *thread, void *(*work)(void *), struct transfer *transfer)
{
	for (int tries = 0; pthread_create(thread, NULL, work, transfer); tries++) {
		if (tries == 200) {
			fprintf(stderr, "  theirs: no threads\n");
			_exit(2);
		}
		pause_ms(50);
	}
}

static void *writer(void *argument)
{
	struct transfer *transfer = argument;
	const struct end_plan *end = &transfer->plan->theirs;
	uint32_t until = resets(transfer) ? end->reset_after : end->bytes;
	bool idled = !end->idle;
	char *piece = malloc(65536);
	unsigned count = 0;

	while (transfer->sent < until) {
		uint32_t n = fill(transfer, piece);
		if (end->cork)
			set(transfer->fd, IPPROTO_TCP, TCP_CORK, ++count % 3 != 0);
		bool urgent = end->urgent && rand_r(&transfer->random) % 8 == 0;
		ssize_t sent = send(transfer->fd, piece, n, MSG_NOSIGNAL | (urgent ? MSG_OOB : 0));
		if (sent < 0) {
			if (transfer->plan->ending == END_CLEAN)
				FAIL("%u: send after %u bytes: %s\n", transfer->number, transfer->sent,
				     strerror(errno));
			break;
		}
		transfer->sent += (uint32_t)sent;
		if (!idled && transfer->sent >= end->bytes / 2) {
			idled = true;
			pause_ms(2500);
		}
	}
	free(piece);
	if (resets(transfer)) {
		setsockopt(transfer->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
		/* A thread that reads keeps the file: connecting to nobody resets at once. */
		struct sockaddr nobody = {.sa_family = AF_UNSPEC};
		connect(transfer->fd, &nobody, sizeof nobody);
	} else {
		shutdown(transfer->fd, SHUT_WR);
	}
	return NULL;
}

static void read_all(struct transfer *transfer)
{
	uint32_t wrong = 0, pauses = 0, expected = transfer->plan->ours.bytes;
	char *piece = malloc(65536);
	ssize_t n;

	for (;;) {
		const struct end_plan *end = &transfer->plan->theirs;
		if (end->quick)
			set(transfer->fd, IPPROTO_TCP, TCP_QUICKACK, rand_r(&transfer->random) % 2);
		if (end->slow && rand_r(&transfer->random) % 4 == 0 && pauses++ < PAUSES)
			pause_ms((unsigned)rand_r(&transfer->random) % 100);
		n = recv(transfer->fd, piece, 1 + (size_t)rand_r(&transfer->random) % end->piece, 0);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			wrong += (uint8_t)piece[i] != byte_at(stream(transfer, true), transfer->received + (uint32_t)i);
		transfer->received += (uint32_t)n;
	}
	bool clean = transfer->plan->ending == END_CLEAN;
	if (wrong || transfer->received > expected || (clean && (n || transfer->received != expected)))
		FAIL("%u: %u of %u bytes, %u wrong, then %s\n", transfer->number, transfer->received, expected, wrong,
		     n ? strerror(errno) : "the end");
	free(piece);
}

static void *transfer_main(void *argument)
{
	struct transfer *transfer = argument;

	if (transfer->plan->we_connect) {
		transfer->fd = accept(transfer->listener, NULL, NULL);
		if (transfer->fd < 0) {
			if (transfer->plan->ending == END_CLEAN)
				FAIL("%u: accept: %s\n", transfer->number, strerror(errno));
			transfer->done = true;
			return NULL;
		}
	} else if (!connect_them(transfer)) {
		if (transfer->plan->ending == END_CLEAN || errno == ETIMEDOUT)
			FAIL("%u: connect: %s\n", transfer->number, strerror(errno));
		transfer->done = true;
		return NULL;
	}
	start(&transfer->writer, writer, transfer);
	read_all(transfer);
	pthread_join(transfer->writer, NULL);
	close(transfer->fd);
	transfer->done = true;
	return NULL;
}

/* What still runs, for a world that stalls. */
static void say(int unused)
{
	static const char end[] = "  theirs: this is all\n";
	char line[200];

	(void)unused;
	for (unsigned i = 0; i < TRANSFERS_LIMIT; i++) {
		const struct transfer *transfer = &transfers[i];
		if (!transfer->plan || transfer->done)
			continue;
		int n = snprintf(line, sizeof line, "  theirs: %u stands at %u of %u sent, %u of %u received\n", i,
				 transfer->sent, transfer->plan->theirs.bytes, transfer->received,
				 transfer->plan->ours.bytes);
		(void)!write(2, line, (size_t)n);
	}
	(void)!write(2, end, sizeof end - 1);
	_exit(1);
}

int theirs_run(const struct world_plan *plan, int ready_fd, int go_fd)
{
	char byte = 0;

	signal(SIGTERM, say);
	for (unsigned i = 0; i < plan->count; i++) {
		struct transfer *transfer = &transfers[i];
		*transfer =
			(struct transfer){.plan = &plan->transfer[i], .number = i, .random = (unsigned)plan->seed + i};
		transfer->fd = transfer->listener = make_socket(transfer->plan);
		if (!transfer->plan->we_connect)
			continue;
		struct sockaddr_storage here;
		socklen_t size = address(transfer->plan, transfer->plan->v6 ? THEIRS6 : THEIRS4, i, &here);
		set(transfer->listener, IPPROTO_TCP, TCP_FASTOPEN, 5);
		if (transfer->plan->ending != END_CLEAN)
			setsockopt(transfer->listener, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){RESET_LIMIT_S, 0},
				   sizeof(struct timeval));
		if (bind(transfer->listener, (struct sockaddr *)&here, size) || listen(transfer->listener, 5)) {
			perror("  theirs: bind");
			return 1;
		}
	}
	if (write(ready_fd, &byte, 1) != 1 || read(go_fd, &byte, 1) != 1)
		return 1;
	for (unsigned i = 0; i < plan->count; i++)
		start(&transfers[i].reader, transfer_main, &transfers[i]);
	for (unsigned i = 0; i < plan->count; i++)
		pthread_join(transfers[i].reader, NULL);
	return failures;
}
