/* TCP_INFO's counts of a connection that has carried something, and options of TCP that are rarely asked for. */
#include "guest.h"
#include <linux/tcp.h> /* knows more of struct tcp_info than the C library's, and the two exclude each other */
#include <netinet/in.h>
#include <sys/socket.h>

static int option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static int option_of(int fd, int level, int option)
{
	int value = 0;
	socklen_t size = sizeof value;

	return getsockopt(fd, level, option, &value, &size) ? -errno : value;
}

static int listener_new(int flags, struct sockaddr_in *name)
{
	int fd = MUST(socket(AF_INET, SOCK_STREAM | flags, 0));
	socklen_t size = sizeof *name;

	*name = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	MUST(bind(fd, (struct sockaddr *)name, sizeof *name));
	MUST(listen(fd, 4));
	MUST(getsockname(fd, (struct sockaddr *)name, &size));
	return fd;
}

static int client_new(const struct sockaddr_in *name)
{
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));

	MUST(connect(fd, (const struct sockaddr *)name, sizeof *name));
	return fd;
}

#define TRY(fd, option, value)                                                                                         \
	do {                                                                                                           \
		int set_ = option_set(fd, IPPROTO_TCP, option, value) ? -errno : 0;                                    \
		say(#option " set to %d: %d, then %d\n", value, set_, option_of(fd, IPPROTO_TCP, option));             \
	} while (0)

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t size = sizeof info;

	MUST(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	return info;
}

static void counts(void)
{
	static char bytes[10000];
	int ends[2];

	section("counts");
	struct sockaddr_in name;
	int listener = listener_new(0, &name);
	ends[0] = client_new(&name);
	ends[1] = MUST(accept(listener, NULL, NULL));
	close(listener);
	for (size_t sent = 0; sent < sizeof bytes; sent += 1000)
		MUST(send(ends[0], bytes + sent, 1000, 0));
	for (size_t got = 0; got < sizeof bytes;)
		got += (size_t)MUST(recv(ends[1], bytes, sizeof bytes, 0));
	usleep(100000); /* until the last acknowledgement */
	struct tcp_info from = info_of(ends[0]), to = info_of(ends[1]);
	say("sent %llu, acknowledged %llu, again %llu, unacked %u, not sent %u, retransmits %u, lost %u\n",
	    (unsigned long long)from.tcpi_bytes_sent, (unsigned long long)from.tcpi_bytes_acked,
	    (unsigned long long)from.tcpi_bytes_retrans, from.tcpi_unacked, from.tcpi_notsent_bytes,
	    from.tcpi_total_retrans, from.tcpi_lost);
	say("received %llu, sent %llu, acknowledged %llu\n", (unsigned long long)to.tcpi_bytes_received,
	    (unsigned long long)to.tcpi_bytes_sent, (unsigned long long)to.tcpi_bytes_acked);
	CHECK(from.tcpi_data_segs_out >= 1 && from.tcpi_data_segs_out <= 10);
	CHECK(to.tcpi_data_segs_in == from.tcpi_data_segs_out);
	CHECK(from.tcpi_segs_out > from.tcpi_data_segs_out && from.tcpi_segs_in >= 1);
	CHECK(from.tcpi_rtt > 0 && from.tcpi_rtt < 1000000 && from.tcpi_min_rtt <= from.tcpi_rtt * 8);
	CHECK(from.tcpi_rto >= 200000 && from.tcpi_snd_cwnd >= 10 && from.tcpi_delivery_rate > 0);
	CHECK(from.tcpi_busy_time < 10000000);
	CHECK(from.tcpi_last_data_sent >= 90 && from.tcpi_last_data_sent < 10000);
	CHECK(from.tcpi_snd_wnd > 0 && from.tcpi_delivered >= 1);
	close(ends[0]);
	close(ends[1]);
}

static void rare(void)
{
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));

	section("options");
	TRY(fd, TCP_WINDOW_CLAMP, 5000);
	TRY(fd, TCP_WINDOW_CLAMP, 0);
	TRY(fd, TCP_WINDOW_CLAMP, 10);
	TRY(fd, TCP_NOTSENT_LOWAT, 1000);
	TRY(fd, TCP_THIN_LINEAR_TIMEOUTS, 1);
	TRY(fd, TCP_THIN_LINEAR_TIMEOUTS, 2);
	TRY(fd, TCP_DEFER_ACCEPT, 10);
	TRY(fd, TCP_DEFER_ACCEPT, 1);
	TRY(fd, TCP_DEFER_ACCEPT, 0);
	TRY(fd, TCP_LINGER2, 20);
	TRY(fd, TCP_LINGER2, -5);
	SHOW(option_of(fd, IPPROTO_TCP, TCP_REPAIR));
	close(fd);
}

/* No connection before there is data. */
static void deferred(void)
{
	struct sockaddr_in name;

	section("TCP_DEFER_ACCEPT");
	int listener = listener_new(SOCK_NONBLOCK, &name);
	MUST(option_set(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30));
	int client = client_new(&name);
	usleep(200000);
	SHOW(accept(listener, NULL, NULL));
	MUST(send(client, "x", 1, 0));
	usleep(200000);
	int server = accept(listener, NULL, NULL);
	CHECK(server >= 0);
	SHOW(recv(server, &(char){0}, 1, 0));
	close(server);
	close(client);
	close(listener);
}

int main(void)
{
	counts();
	rare();
	deferred();
	return 0;
}
