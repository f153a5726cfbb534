/* Datagrams that grow: MSG_MORE, UDP_CORK; an IPv6 socket that becomes an IPv4 one; interfaces told what they are. */
#include "inet.h"
#include <net/if.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

static int from, to;

static void got(void)
{
	char bytes[200];
	ssize_t n = recv(to, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n < 0)
		say("nothing: %s\n", error_name(errno));
	else
		show_bytes("got", bytes, n);
}

static void cork(bool on)
{
	int value = on;
	SHOW(setsockopt(from, IPPROTO_UDP, UDP_CORK, &value, sizeof value));
}

static void growing(const struct sockaddr_in *target)
{
	int value = -1;
	socklen_t size = sizeof value;
	section("MSG_MORE");
	SHOW(sendto(from, "one ", 4, MSG_MORE, (void *)target, sizeof *target));
	got();
	SHOW(send(from, "two", 3, MSG_MORE)); /* where to was said by the first */
	got();
	SHOW(send(from, "!", 1, 0));
	got();
	SHOW(send(from, "lost", 4, 0));
	section("UDP_CORK");
	SHOW(getsockopt(from, IPPROTO_UDP, UDP_CORK, &value, &size));
	say("%d of %u bytes\n", value, size);
	cork(true);
	SHOW(sendto(from, "a", 1, 0, (void *)target, sizeof *target));
	SHOW(sendto(from, "bc", 2, 0, (void *)target, sizeof *target));
	got();
	cork(false);
	got();
	cork(true);
	SHOW(getsockopt(from, IPPROTO_UDP, UDP_CORK, &value, &size));
	say("%d\n", value);
	cork(false);
	got();
	SHOW(setsockopt(from, IPPROTO_UDP, UDP_CORK, &value, 2));
	SHOW(setsockopt(from, IPPROTO_UDP, 77, &value, sizeof value));
}

static void too_much(const struct sockaddr_in *target)
{
	static char bytes[40000];
	section("more than a datagram holds");
	SHOW(sendto(from, bytes, sizeof bytes, MSG_MORE, (void *)target, sizeof *target));
	SHOW(send(from, bytes, sizeof bytes, MSG_MORE));
	SHOW(sendto(from, "fresh", 5, 0, (void *)target, sizeof *target));
	got();
}

static void become_v4(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof any;
	int family = AF_INET, other = AF_INET6;
	section("IPV6_ADDRFORM");
	int listener = MUST(socket(AF_INET6, SOCK_STREAM, 0)), client = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(bind(listener, (void *)&any, sizeof any));
	MUST(listen(listener, 1));
	MUST(getsockname(listener, (void *)&any, &size));
	target.sin_port = any.sin6_port;
	MUST(connect(client, (void *)&target, sizeof target));
	int fd = MUST(accept(listener, NULL, NULL));
	SHOW(setsockopt(listener, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family));
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &other, sizeof other));
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family));
	size = sizeof any;
	MUST(getpeername(fd, (void *)&any, &size));
	say("peer: family %d, %u bytes\n", ((struct sockaddr *)&any)->sa_family, size);
	SHOW(send(fd, "x", 1, 0));
	SHOW(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family));
	section("an accepted socket starts anew");
	struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	struct sockaddr_in local = {.sin_family = AF_INET};
	SHOW(connect(fd, &nobody, sizeof nobody));
	size = sizeof local;
	MUST(getsockname(fd, (void *)&local, &size));
	say("address %08x\n", ntohl(local.sin_addr.s_addr));
	local = (struct sockaddr_in){.sin_family = AF_INET};
	SHOW(bind(fd, (void *)&local, sizeof local));
	SHOW(listen(fd, 1));
	int unconnected = MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	SHOW(setsockopt(unconnected, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family));
}

static void interfaces(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	section("interfaces");
	SHOW(ioctl(from, SIOCGIFFLAGS, &request));
	CHECK(request.ifr_flags & IFF_UP);
	if (!geteuid())
		SHOW(ioctl(from, SIOCSIFFLAGS, &request));
	SHOW(ioctl(from, SIOCSIFFLAGS, NULL));
	SHOW(ioctl(from, SIOCGIFFLAGS, NULL));
}

int main(void)
{
	struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof target;
	from = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	to = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(bind(to, (void *)&target, sizeof target));
	MUST(getsockname(to, (void *)&target, &size));
	growing(&target);
	too_much(&target);
	become_v4();
	interfaces();
	return 0;
}
