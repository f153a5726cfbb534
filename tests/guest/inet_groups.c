/* inet_groups.c - joining multicast groups, and who gets what is sent to one, on the loopback (ip(7), ipv6(7),
 * RFC 3678). */
#include "guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

#define GROUP4 "239.77.7.7"
#define GROUP6 "ff02::77:7777"

static int try(const char *what, int result)
{
	printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
	return result;
}

static int socket_of(int family, int type)
{
	int fd = socket(family, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	return fd;
}

static struct ip_mreqn request4(const char *group, const char *own, int index)
{
	struct ip_mreqn request = {.imr_ifindex = index};

	inet_pton(AF_INET, group, &request.imr_multiaddr);
	inet_pton(AF_INET, own, &request.imr_address);
	return request;
}

static int join4(int fd, int option, const char *group, const char *own, int index)
{
	struct ip_mreqn request = request4(group, own, index);

	return setsockopt(fd, IPPROTO_IP, option, &request, sizeof request);
}

static int join6(int fd, int option, const char *group, unsigned index)
{
	struct ipv6_mreq request = {.ipv6mr_interface = index};

	inet_pton(AF_INET6, group, &request.ipv6mr_multiaddr);
	return setsockopt(fd, IPPROTO_IPV6, option, &request, sizeof request);
}

static void errors4(void)
{
	struct ip_mreqn request = request4(GROUP4, "127.0.0.1", 0);
	int fd = socket_of(AF_INET, SOCK_DGRAM), stream = socket_of(AF_INET, SOCK_STREAM);
	char group[20];

	try("no group", join4(fd, IP_ADD_MEMBERSHIP, "10.1.2.3", "127.0.0.1", 0));
	try("no such address", join4(fd, IP_ADD_MEMBERSHIP, GROUP4, "203.0.113.9", 0));
	try("no such link", join4(fd, IP_ADD_MEMBERSHIP, GROUP4, "0.0.0.0", 77777));
	try("a stream", join4(stream, IP_ADD_MEMBERSHIP, GROUP4, "127.0.0.1", 0));
	try("short", setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, 4));
	try("leave before", join4(fd, IP_DROP_MEMBERSHIP, GROUP4, "127.0.0.1", 0));
	try("ip_mreq", setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(struct ip_mreq)));
	try("again", join4(fd, IP_ADD_MEMBERSHIP, GROUP4, "127.0.0.1", 0));
	try("again by number", join4(fd, IP_ADD_MEMBERSHIP, GROUP4, "0.0.0.0", 1));
	try("leave by number", join4(fd, IP_DROP_MEMBERSHIP, GROUP4, "0.0.0.0", 1));
	try("leave again", join4(fd, IP_DROP_MEMBERSHIP, GROUP4, "127.0.0.1", 0));
	for (int i = 1; i <= 21; i++) {
		snprintf(group, sizeof group, "239.77.8.%d", i);
		int result = join4(fd, IP_ADD_MEMBERSHIP, group, "127.0.0.1", 0);
		if (i >= 20)
			try(group, result);
	}
	close(fd);
	close(stream);
}

static void errors6(void)
{
	int fd = socket_of(AF_INET6, SOCK_DGRAM);

	try("no group", join6(fd, IPV6_JOIN_GROUP, "fd00::1", 1));
	try("no such link", join6(fd, IPV6_JOIN_GROUP, GROUP6, 77777));
	try("leave before", join6(fd, IPV6_LEAVE_GROUP, GROUP6, 1));
	try("join", join6(fd, IPV6_JOIN_GROUP, GROUP6, 1));
	try("again", join6(fd, IPV6_JOIN_GROUP, GROUP6, 1));
	try("leave", join6(fd, IPV6_LEAVE_GROUP, GROUP6, 1));
	close(fd);
}

static void told(const char *who, int fd)
{
	char data[32];
	ssize_t n = recv(fd, data, sizeof data, MSG_DONTWAIT);

	printf("%s: %.*s\n", who, n < 0 ? 6 : (int)n, n < 0 ? "nobody" : data);
}

/* Two on one port, the first of which has joined. */
static void delivery(int family)
{
	struct sockaddr_in6 any = {.sin6_family = (sa_family_t)family}, target = any;
	socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof any;
	int member = socket_of(family, SOCK_DGRAM), other = socket_of(family, SOCK_DGRAM);
	int sender = socket_of(family, SOCK_DGRAM), zero = 0, lo = 1;
	struct ip_mreqn out = request4("0.0.0.0", "127.0.0.1", 0);

	bind(member, (struct sockaddr *)&any, size);
	getsockname(member, (struct sockaddr *)&any, &size);
	try("both on one port", bind(other, (struct sockaddr *)&any, size));
	target = any;
	if (family == AF_INET) {
		inet_pton(AF_INET, GROUP4, &((struct sockaddr_in *)&target)->sin_addr);
		setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
	} else {
		inet_pton(AF_INET6, GROUP6, &target.sin6_addr);
		setsockopt(sender, IPPROTO_IPV6, IPV6_MULTICAST_IF, &lo, sizeof lo);
	}
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int all = family == AF_INET ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL;
	for (int step = 0; step < 4; step++) {
		if (step == 1)
			try("join", family == AF_INET ? join4(member, IP_ADD_MEMBERSHIP, GROUP4, "127.0.0.1", 0)
						      : join6(member, IPV6_JOIN_GROUP, GROUP6, 1));
		if (step == 2)
			try("only what is joined", setsockopt(other, level, all, &zero, sizeof zero));
		if (step == 3)
			try("leave", family == AF_INET ? join4(member, IP_DROP_MEMBERSHIP, GROUP4, "127.0.0.1", 0)
						       : join6(member, IPV6_LEAVE_GROUP, GROUP6, 1));
		try("send", (int)sendto(sender, "hello", 5, 0, (struct sockaddr *)&target, size));
		told("member", member);
		told("other", other);
	}
	close(member);
	close(other);
	close(sender);
}

static void either_family(void)
{
	struct group_req request = {.gr_interface = 1};
	int fd = socket_of(AF_INET, SOCK_DGRAM);

	((struct sockaddr_in *)&request.gr_group)->sin_family = AF_INET;
	inet_pton(AF_INET, GROUP4, &((struct sockaddr_in *)&request.gr_group)->sin_addr);
	try("MCAST_JOIN_GROUP", setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
	try("again", setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
	try("MCAST_LEAVE_GROUP", setsockopt(fd, IPPROTO_IP, MCAST_LEAVE_GROUP, &request, sizeof request));
	request.gr_group.ss_family = AF_INET6;
	try("of the other family", setsockopt(fd, IPPROTO_IP, MCAST_JOIN_GROUP, &request, sizeof request));
	close(fd);
}

static void hops(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET}, target;
	struct ip_mreqn out = request4("0.0.0.0", "127.0.0.1", 0);
	socklen_t size = sizeof any;
	int member = socket_of(AF_INET, SOCK_DGRAM), sender = socket_of(AF_INET, SOCK_DGRAM), one = 1, wanted = 7;
	char control[64], data[8];

	bind(member, (struct sockaddr *)&any, size);
	getsockname(member, (struct sockaddr *)&any, &size);
	target = any;
	inet_pton(AF_INET, GROUP4, &target.sin_addr);
	setsockopt(member, IPPROTO_IP, IP_RECVTTL, &one, sizeof one);
	join4(member, IP_ADD_MEMBERSHIP, GROUP4, "127.0.0.1", 0);
	setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
	for (int i = 0; i < 2; i++) {
		struct iovec iov = {data, sizeof data};
		struct msghdr message = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
		sendto(sender, "x", 1, 0, (struct sockaddr *)&target, size);
		if (recvmsg(member, &message, MSG_DONTWAIT) != 1 || !CMSG_FIRSTHDR(&message))
			printf("nothing\n");
		else
			printf("ttl %d\n", *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)));
		setsockopt(sender, IPPROTO_IP, IP_MULTICAST_TTL, &wanted, sizeof wanted);
	}
	close(member);
	close(sender);
}

int main(void)
{
	errors4();
	errors6();
	delivery(AF_INET);
	delivery(AF_INET6);
	either_family();
	hops();
	return 0;
}
