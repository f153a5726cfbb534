/* inet_proc_counts.c - /proc/net/snmp6, netstat, igmp, igmp6 and netlink, in a network where nobody else talks. */
#include "network.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static char text[1 << 16];

static const char *slurp(const char *name)
{
	int fd = MUST(open(name, O_RDONLY));
	size_t size = 0;

	for (ssize_t n; (n = read(fd, text + size, sizeof text - 1 - size)) > 0;)
		size += (size_t)n;
	text[size] = 0;
	close(fd);
	return text;
}

static unsigned long count6(const char *name)
{
	const char *at = slurp("/proc/net/snmp6");
	char wanted[64];

	snprintf(wanted, sizeof wanted, "%-32s\t", name);
	at = strstr(at, wanted);
	return at ? strtoul(at + strlen(wanted), NULL, 10) : 999999;
}

static void print_names6(void)
{
	char *rest = (char *)slurp("/proc/net/snmp6"), *line;

	while ((line = strsep(&rest, "\n")))
		if (*line && !strstr(line, "Type"))
			printf("%.*s\n", (int)strcspn(line, "\t"), line);
}

/* InOctets, OutOctets and InNoECTPkts of IpExt. */
static void octets(unsigned long out[3])
{
	const char *at = strstr(slurp("/proc/net/netstat"), "\nIpExt: 0");

	if (!at)
		at = strstr(text, "IpExt: 0");
	if (!at || sscanf(at + strspn(at, "\n"), "IpExt: %*u %*u %*u %*u %*u %*u %lu %lu %*u %*u %*u %*u %*u %lu",
			  &out[0], &out[1], &out[2]) != 3)
		printf("no counts\n");
}

static void counts(void)
{
	static const char *const names[] = {
		"Ip6InReceives",  "Ip6InDelivers",       "Ip6OutRequests",      "Ip6InOctets", "Ip6OutOctets",
		"Ip6InNoECTPkts", "Udp6InDatagrams",     "Udp6OutDatagrams",    "Udp6NoPorts", "Icmp6InMsgs",
		"Icmp6OutMsgs",   "Icmp6InDestUnreachs", "Icmp6OutDestUnreachs"};
	unsigned long before[32], four[3], after[3];
	int fd = MUST(socket(AF_INET6, SOCK_DGRAM, 0)), other = MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	int v4 = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in6 closed = end6("::1", 9);
	struct sockaddr_in to4 = end4("127.0.0.1", 0);
	char bytes[100] = {0};

	MUST(BIND6(fd, "::1", 0));
	MUST(BIND4(v4, "127.0.0.1", 0));
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		before[i] = count6(names[i]);
	struct sockaddr_in6 to = end6("::1", port_of(fd));
	MUST(sendto(other, bytes, sizeof bytes, 0, (void *)&to, sizeof to));
	MUST(recv(fd, bytes, sizeof bytes, 0));
	MUST(sendto(other, bytes, 10, 0, (void *)&closed, sizeof closed));
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		printf("%s: %lu more\n", names[i], count6(names[i]) - before[i]);
	octets(four);
	to4.sin_port = htons((uint16_t)port_of(v4));
	MUST(sendto(v4, bytes, sizeof bytes, 0, (void *)&to4, sizeof to4));
	MUST(recv(v4, bytes, sizeof bytes, 0));
	octets(after);
	printf("IpExt: %lu bytes in, %lu out, %lu packets\n", after[0] - four[0], after[1] - four[1],
	       after[2] - four[2]);
	close(fd), close(other), close(v4);
}

static void groups(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0)), second = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	int six = MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	struct ip_mreqn request = {.imr_ifindex = 1};
	struct ipv6_mreq request6 = {.ipv6mr_interface = 1};

	printf("%s", slurp("/proc/net/igmp"));
	inet_pton(AF_INET, "239.77.7.7", &request.imr_multiaddr);
	inet_pton(AF_INET6, "ff02::77:7777", &request6.ipv6mr_multiaddr);
	MUST(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
	MUST(setsockopt(second, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
	MUST(setsockopt(six, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request6, sizeof request6));
	printf("%s", slurp("/proc/net/igmp"));
	printf("%s", slurp("/proc/net/igmp6"));
	close(second), close(six);
	printf("%s", slurp("/proc/net/igmp"));
	printf("%s", slurp("/proc/net/igmp6"));
	close(fd);
}

static void netlinks(void)
{
	int fd = MUST(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	struct sockaddr_nl own = {
		.nl_family = AF_NETLINK, .nl_pid = 4242, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE};
	struct stat status;
	char *rest, *line;

	MUST(bind(fd, (void *)&own, sizeof own));
	MUST(fstat(fd, &status));
	rest = (char *)slurp("/proc/net/netlink");
	printf("%s\n", strsep(&rest, "\n"));
	while ((line = strsep(&rest, "\n"))) {
		unsigned long protocol, port, inode = 0;
		unsigned bits;
		if (sscanf(line, "%*x %lu %lu %x %*d %*d %*d %*d %*d %lu", &protocol, &port, &bits, &inode) == 4 &&
		    port == 4242)
			printf("%.27s, its own inode: %d\n", line + 17, inode == status.st_ino);
	}
	close(fd);
}

int main(void)
{
	network_of_ones_own();
	usleep(100000); /* until the link's own groups are there */
	print_names6();
	counts();
	groups();
	netlinks();
	return 0;
}
