/* What is told by MSG_ERRQUEUE: reports by ICMP, packets too large, MSG_ZEROCOPY, time stamps; ping sockets; packet
 * filters; SO_BINDTODEVICE; options that ask for notes; UDP_SEGMENT; SO_PEEK_OFF. */
#include "network.h"
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/net_tstamp.h>
#include <netinet/udp.h>

static void show_message(const char *what, int fd, int flags)
{
	char data[64], control[512];
	struct sockaddr_storage name = {0};
	struct iovec part = {data, sizeof data};
	struct msghdr message = {.msg_name = &name,
				 .msg_namelen = sizeof name,
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof control};
	ssize_t n = recvmsg(fd, &message, flags | MSG_DONTWAIT);

	if (n < 0) {
		say("%s: %s\n", what, error_name(errno));
		return;
	}
	say("%s: %zd bytes, flags %x, name of %u bytes, family %d\n", what, n, message.msg_flags, message.msg_namelen,
	    name.ss_family);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		say("  level %d type %d, %zu bytes", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
			struct sock_extended_err *e = (struct sock_extended_err *)CMSG_DATA(c);
			struct sockaddr *offender = SO_EE_OFFENDER(e);
			say(": errno %s origin %u type %u code %u info %u data %u, from family %d",
			    e->ee_errno ? error_name((int)e->ee_errno) : "0", e->ee_origin, e->ee_type, e->ee_code,
			    e->ee_info, e->ee_data, offender->sa_family);
		}
		say("\n");
	}
}

static void reports(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0)), six = MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	int closed = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("reports");
	MUST(BIND4(closed, "127.0.0.1", 0));
	struct sockaddr_in to = end4("127.0.0.1", port_of(closed));
	close(closed);
	SHOW(sendto(fd, "lost", 4, 0, (struct sockaddr *)&to, sizeof to));
	show_poll("nobody asked", fd);
	show_message("nothing", fd, MSG_ERRQUEUE);
	MUST(option_set(fd, IPPROTO_IP, IP_RECVERR, 1));
	MUST(option_set(fd, IPPROTO_IP, IP_RECVTTL, 1));
	SHOW(sendto(fd, "lost", 4, 0, (struct sockaddr *)&to, sizeof to));
	show_poll("asked", fd);
	SHOW(sendto(fd, "lost", 4, 0, (struct sockaddr *)&to, sizeof to));
	show_poll("the error is told", fd);
	show_message("report", fd, MSG_ERRQUEUE);
	show_message("report", fd, MSG_ERRQUEUE);
	SHOW(option_of(fd, SOL_SOCKET, SO_ERROR));
	SHOW(sendto(fd, "again", 5, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(fd, &(char){0}, 1, MSG_DONTWAIT));
	show_message("report", fd, MSG_ERRQUEUE);
	struct sockaddr_in6 to6 = end6("::1", ntohs(to.sin_port));
	MUST(option_set(six, IPPROTO_IPV6, IPV6_RECVERR, 1));
	SHOW(sendto(six, "lost6", 5, 0, (struct sockaddr *)&to6, sizeof to6));
	show_message("report", six, MSG_ERRQUEUE);
	SHOW(CONNECT4(fd, "127.0.0.1", ntohs(to.sin_port)));
	MUST(option_set(fd, IPPROTO_IP, IP_RECVERR, 0));
	SHOW(send(fd, "x", 1, 0));
	SHOW(send(fd, "x", 1, 0));
	show_message("not asked any more", fd, MSG_ERRQUEUE);
	close(fd);
	close(six);
}

static void zero_copies(void)
{
	int ends[2], fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	char bytes[64] = "";

	section("MSG_ZEROCOPY");
	connection4(ends);
	SHOW(send(ends[0], bytes, sizeof bytes, MSG_ZEROCOPY));
	show_message("not switched on", ends[0], MSG_ERRQUEUE);
	SHOW(option_set(ends[0], SOL_SOCKET, SO_ZEROCOPY, 2));
	SHOW(option_set(ends[0], SOL_SOCKET, SO_ZEROCOPY, 1));
	SHOW(option_of(ends[0], SOL_SOCKET, SO_ZEROCOPY));
	for (int i = 0; i < 3; i++) {
		SHOW(send(ends[0], bytes, sizeof bytes, MSG_ZEROCOPY));
		MUST(recv(ends[1], bytes, sizeof bytes, MSG_WAITALL));
	}
	show_message("three", ends[0], MSG_ERRQUEUE);
	show_message("no more", ends[0], MSG_ERRQUEUE);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}

static void stamps(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("time stamps");
	MUST(BIND4(fd, "127.0.0.1", 0));
	struct sockaddr_in self = end4("127.0.0.1", port_of(fd));
	static const int options[] = {SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW};
	for (size_t i = 0; i < 4; i++) {
		SHOW(option_set(fd, SOL_SOCKET, options[i], 1));
		for (size_t j = 0; j < 4; j++)
			SHOW(option_of(fd, SOL_SOCKET, options[j]));
		MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self));
		show_message("stamped", fd, 0);
	}
	MUST(option_set(fd, SOL_SOCKET, SO_TIMESTAMP_OLD, 0));
	SHOW(option_set(fd, SOL_SOCKET, SO_TIMESTAMPING_OLD, 1 << 30));
	SHOW(option_set(fd, SOL_SOCKET, SO_TIMESTAMPING_OLD,
			SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY |
				SOF_TIMESTAMPING_OPT_ID));
	for (int i = 0; i < 2; i++) {
		MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self));
		MUST(recv(fd, &(char){0}, 1, 0)); /* with a stamp or without: as others on the machine wish */
		show_message("sent", fd, MSG_ERRQUEUE);
	}
	close(fd);
}

static void pings(void)
{
	struct icmphdr echo = {.type = ICMP_ECHO, .un.echo = {htons(77), htons(5)}}, answer;
	struct sockaddr_in to = end4("127.0.0.1", 0);
	int range = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);

	section("ping sockets");
	if (range >= 0)
		close(range + 0 * write(range, "0 2147483647\n", 13));
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	SHOW(option_of(fd, SOL_SOCKET, SO_PROTOCOL));
	SHOW(BIND4(fd, "127.0.0.1", 4711));
	show_names(fd);
	SHOW(sendto(fd, &echo, 7, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(fd, &answer, sizeof answer, MSG_DONTWAIT));
	say("type %u, number %u, sequence %u\n", answer.type, ntohs(answer.un.echo.id), ntohs(answer.un.echo.sequence));
	echo.type = ICMP_TIMESTAMP;
	SHOW(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(fd, &answer, sizeof answer, MSG_DONTWAIT));
	close(fd);
}

static void filters(void)
{
	/* Datagrams whose first byte of payload is 'y'; then four bytes of them. */
	struct sock_filter first[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
				      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1), BPF_STMT(BPF_RET | BPF_K, 12),
				      BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_IMM, 1)};
	struct sock_filter beyond[] = {BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_filter unset[] = {BPF_STMT(BPF_LD | BPF_MEM, 3), BPF_STMT(BPF_RET | BPF_A, 0)};
	struct sock_filter by_zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_A, 0)};
	struct sock_fprog good = {4, first}, bad[] = {{1, endless}, {2, beyond}, {2, unset}, {2, by_zero}, {0, first}};
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("filters");
	MUST(BIND4(fd, "127.0.0.1", 0));
	struct sockaddr_in self = end4("127.0.0.1", port_of(fd));
	for (size_t i = 0; i < 5; i++)
		SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &bad[i], sizeof good));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){0}, sizeof(int)));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &good, sizeof good - 1));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &good, sizeof good));
	MUST(sendto(fd, "no", 2, 0, (struct sockaddr *)&self, sizeof self));
	MUST(sendto(fd, "yes, it is", 10, 0, (struct sockaddr *)&self, sizeof self));
	show_message("filtered", fd, 0);
	show_message("no more", fd, 0);
	SHOW(option_set(fd, SOL_SOCKET, SO_LOCK_FILTER, 1));
	SHOW(option_set(fd, SOL_SOCKET, SO_LOCK_FILTER, 0));
	SHOW(option_set(fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	close(fd);
}

static void devices(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	char name[32] = "";
	socklen_t size = sizeof name;

	section("devices");
	SHOW(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
	SHOW(size);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none0", 6));
	SHOW(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	size = sizeof name;
	SHOW(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &size));
	SHOW_TEXT(name);
	SHOW(size);
	SHOW(option_of(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
	MUST(BIND4(fd, "127.0.0.1", 0));
	struct sockaddr_in self = end4("127.0.0.1", port_of(fd));
	SHOW(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self));
	show_message("by lo", fd, 0);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	SHOW(option_of(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
	close(fd);
}

static void segments(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("UDP_SEGMENT, SO_PEEK_OFF");
	MUST(BIND4(fd, "127.0.0.1", 0));
	struct sockaddr_in self = end4("127.0.0.1", port_of(fd));
	SHOW(option_set(fd, IPPROTO_UDP, UDP_SEGMENT, 70000));
	SHOW(option_set(fd, IPPROTO_UDP, UDP_SEGMENT, 4));
	SHOW(option_of(fd, IPPROTO_UDP, UDP_SEGMENT));
	SHOW(sendto(fd, "abcdefghij", 10, 0, (struct sockaddr *)&self, sizeof self));
	SHOW(option_of(fd, SOL_SOCKET, SO_PEEK_OFF));
	SHOW(option_set(fd, SOL_SOCKET, SO_PEEK_OFF, 1));
	show_message("peek", fd, MSG_PEEK);
	SHOW(option_of(fd, SOL_SOCKET, SO_PEEK_OFF));
	show_message("peek", fd, MSG_PEEK);
	show_message("first", fd, 0);
	SHOW(option_of(fd, SOL_SOCKET, SO_PEEK_OFF));
	show_message("second", fd, 0);
	show_message("third", fd, 0);
	show_message("no more", fd, 0);
	close(fd);
}

int main(void)
{
	network_of_ones_own();
	reports();
	zero_copies();
	stamps();
	pings();
	filters();
	devices();
	segments();
	return 0;
}
