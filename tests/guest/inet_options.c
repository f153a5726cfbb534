/* Options of the levels SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6 and IPPROTO_TCP: defaults, ranges, errors. */
#include "inet.h"

#define TRY(fd, level, option, value)                                                                                  \
	do {                                                                                                           \
		int before_ = option_of(fd, level, option);                                                            \
		int set_ = option_set(fd, level, option, value) ? -errno : 0;                                          \
		say(#level " " #option ": %d, set to %d: %d, then %d\n", before_, value, set_,                         \
		    option_of(fd, level, option));                                                                     \
	} while (0)

static void stream(void)
{
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));
	char name[16] = "";
	socklen_t size = sizeof name;

	section("stream");
	TRY(fd, SOL_SOCKET, SO_TYPE, 1);
	TRY(fd, SOL_SOCKET, SO_DOMAIN, 1);
	TRY(fd, SOL_SOCKET, SO_PROTOCOL, 1);
	TRY(fd, SOL_SOCKET, SO_REUSEADDR, 7);
	TRY(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	TRY(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	TRY(fd, SOL_SOCKET, SO_BROADCAST, 1);
	TRY(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	TRY(fd, IPPROTO_TCP, TCP_NODELAY, 5);
	TRY(fd, IPPROTO_TCP, TCP_CORK, 1);
	TRY(fd, IPPROTO_TCP, TCP_MAXSEG, 1000);
	TRY(fd, IPPROTO_TCP, TCP_MAXSEG, 10);
	TRY(fd, IPPROTO_TCP, TCP_KEEPIDLE, 100);
	TRY(fd, IPPROTO_TCP, TCP_KEEPIDLE, 0);
	TRY(fd, IPPROTO_TCP, TCP_KEEPIDLE, 32768);
	TRY(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
	TRY(fd, IPPROTO_TCP, TCP_KEEPCNT, 127);
	TRY(fd, IPPROTO_TCP, TCP_KEEPCNT, 128);
	TRY(fd, IPPROTO_TCP, TCP_SYNCNT, 3);
	TRY(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
	TRY(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, -1);
	TRY(fd, IPPROTO_TCP, 12345, 1);
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
	SHOW(size);
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
	SHOW(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
	SHOW_TEXT(name);
	SHOW(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "no such", 7));
	TRY(fd, IPPROTO_UDP, 1, 1);
}

static void network(void)
{
	int four = MUST(socket(AF_INET, SOCK_DGRAM, 0)), six = MUST(socket(AF_INET6, SOCK_DGRAM, 0));

	section("IPv4");
	TRY(four, IPPROTO_IP, IP_TTL, 12);
	TRY(four, IPPROTO_IP, IP_TTL, 0);
	TRY(four, IPPROTO_IP, IP_TTL, 256);
	TRY(four, IPPROTO_IP, IP_TTL, -1);
	TRY(four, IPPROTO_IP, IP_TOS, 0x10);
	TRY(four, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	TRY(four, IPPROTO_IP, IP_MTU_DISCOVER, 77);
	TRY(four, IPPROTO_IP, IP_MULTICAST_TTL, 3);
	TRY(four, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	TRY(four, IPPROTO_IP, IP_FREEBIND, 1);
	TRY(four, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	uint8_t small = 0;
	socklen_t size = 1;
	SHOW(getsockopt(four, IPPROTO_IP, IP_TTL, &small, &size));
	say("%u in %u byte\n", small, size);
	small = 9;
	SHOW(setsockopt(four, IPPROTO_IP, IP_TTL, &small, 1));
	SHOW(option_of(four, IPPROTO_IP, IP_TTL));

	section("IPv6");
	TRY(six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	TRY(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 5);
	TRY(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, -1);
	TRY(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256);
	TRY(six, IPPROTO_IPV6, IPV6_TCLASS, 16);
	TRY(six, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 2);
	TRY(six, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	SHOW(setsockopt(six, IPPROTO_IPV6, IPV6_TCLASS, &small, 1));
}

static void information(void)
{
	int ends[2];
	struct tcp_info info;
	socklen_t size = sizeof info;

	section("TCP_INFO");
	connection4(ends);
	MUST(send(ends[0], "x", 1, 0));
	MUST(recv(ends[1], &(char){0}, 1, 0));
	MUST(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &size));
	say("state %u, options %u, lost %u\n", info.tcpi_state, info.tcpi_options & 7, info.tcpi_lost);
	CHECK(info.tcpi_snd_mss > 30000 && info.tcpi_advmss > 30000);
	CHECK(info.tcpi_snd_cwnd >= 10);
	close(ends[1]);
	MUST(recv(ends[0], &(char){0}, 1, 0));
	size = sizeof info;
	MUST(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &size));
	SHOW(info.tcpi_state);
}

int main(void)
{
	stream();
	network();
	information();
	return 0;
}
