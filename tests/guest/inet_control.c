/* Control data of datagrams, both ways; what interfaces are called. */
#include "inet.h"
#include <net/if.h>

static void receive(const char *what, int fd, size_t room)
{
	char byte, control[256];
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};

	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
	say("%s: %zd%s", what, n, message.msg_flags & MSG_CTRUNC ? ", cut" : "");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		int number = 0;
		size_t size = c->cmsg_len - CMSG_LEN(0);
		memcpy(&number, CMSG_DATA(c), size < sizeof number ? size : sizeof number);
		say(" [%d %d: %zu bytes, %d]", c->cmsg_level, c->cmsg_type, size, number);
	}
	say("\n");
}

static long send_with(int fd, const struct sockaddr *to, socklen_t to_size, int level, int type, const void *data,
		      size_t size)
{
	_Alignas(struct cmsghdr) char control[64] = "";
	struct iovec part = {"x", 1};
	struct msghdr message = {.msg_name = (void *)(uintptr_t)to,
				 .msg_namelen = to_size,
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	return sendmsg(fd, &message, 0);
}

static void four(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0)), number = 9, wrong = 300;

	section("IPv4");
	MUST(BIND4(fd, "127.0.0.1", 0));
	struct sockaddr_in self = end4("127.0.0.1", port_of(fd));
	MUST(option_set(fd, IPPROTO_IP, IP_PKTINFO, 1));
	MUST(option_set(fd, IPPROTO_IP, IP_RECVTTL, 1));
	MUST(option_set(fd, IPPROTO_IP, IP_RECVTOS, 1));
	SHOW(option_of(fd, IPPROTO_IP, IP_RECVTTL));
	MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self));
	receive("all", fd, 256);
	MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self));
	receive("little room", fd, 40);
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IP, IP_TTL, &number, sizeof number));
	receive("with hops", fd, 256);
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IP, IP_TOS, &number, sizeof number));
	receive("with class", fd, 256);
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IP, IP_TTL, &wrong, sizeof wrong));
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IP, 12345, &number, sizeof number));
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(0x7f000005)};
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IP, IP_PKTINFO, &info, sizeof info));
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	SHOW(recvfrom(fd, &number, 1, 0, (struct sockaddr *)&from, &size));
	show_end("from", (struct sockaddr *)&from, size);
}

static void six(void)
{
	int fd = MUST(socket(AF_INET6, SOCK_DGRAM, 0)), number = 11;

	section("IPv6");
	MUST(BIND6(fd, "::", 0));
	struct sockaddr_in6 self = end6("::1", port_of(fd)), mapped = end6("::ffff:127.0.0.1", port_of(fd));
	MUST(option_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1));
	MUST(option_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1));
	MUST(option_set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1));
	MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&self, sizeof self));
	receive("all", fd, 256);
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IPV6, IPV6_HOPLIMIT, &number, sizeof number));
	receive("with hops", fd, 256);
	SHOW(send_with(fd, (struct sockaddr *)&self, sizeof self, IPPROTO_IPV6, IPV6_TCLASS, &number, sizeof number));
	receive("with class", fd, 256);
	MUST(sendto(fd, "x", 1, 0, (struct sockaddr *)&mapped, sizeof mapped));
	char byte;
	SHOW(recv(fd, &byte, 1, MSG_DONTWAIT));
}

static void interfaces(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0)), other = MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	section("the loopback");
	SHOW(if_nametoindex("lo"));
	SHOW(if_nametoindex("none"));
	SHOW(ioctl(fd, SIOCGIFADDR, &request));
	show_end("address", &request.ifr_addr, 16);
	SHOW(ioctl(fd, SIOCGIFNETMASK, &request));
	show_end("mask", &request.ifr_addr, 16);
	SHOW(ioctl(other, SIOCGIFMTU, &request));
	SHOW(request.ifr_mtu);
	SHOW(ioctl(fd, SIOCGIFFLAGS, &request));
	CHECK((request.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING)) == (IFF_UP | IFF_LOOPBACK | IFF_RUNNING));
	strcpy(request.ifr_name, "none");
	SHOW(ioctl(fd, SIOCGIFFLAGS, &request));
}

int main(void)
{
	four();
	six();
	interfaces();
	return 0;
}
