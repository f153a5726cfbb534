/* IP_MULTICAST_IF and IPV6_MULTICAST_IF: an address, struct ip_mreq, struct ip_mreqn, an index; what is refused. And
 * what an interface without a driver says to ethtool(8), as psutil asks. */
#include "inet.h"
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

static void set4(int fd, const char *what, const void *value, socklen_t size)
{
	struct in_addr now = {0};
	socklen_t room = sizeof now;
	int result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, value, size) ? -errno : 0;

	MUST(getsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &now, &room));
	say("%s: %d, now %s in %u bytes\n", what, result, inet_ntoa(now), room);
}

static void four(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0)), stream = MUST(socket(AF_INET, SOCK_STREAM, 0));
	struct in_addr loop = {htonl(INADDR_LOOPBACK)}, any = {0}, strange = {htonl(0xcb007109)};
	struct ip_mreq group = {{htonl(0xefff0001)}, loop};
	struct ip_mreqn by_index = {.imr_ifindex = 1}, no_index = {.imr_ifindex = 9999};

	section("IPv4");
	set4(fd, "nothing", &any, sizeof any);
	set4(fd, "loopback", &loop, sizeof loop);
	set4(fd, "not ours", &strange, sizeof strange);
	set4(fd, "three bytes", &loop, 3);
	set4(fd, "back to nothing", &any, sizeof any);
	set4(fd, "mreq", &group, sizeof group);
	set4(fd, "index", &by_index, sizeof by_index);
	set4(fd, "no such index", &no_index, sizeof no_index);
	set4(stream, "stream", &loop, sizeof loop);
}

static void set6(int fd, int index)
{
	int now = -1;
	socklen_t room = sizeof now;
	int result = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) ? -errno : 0;

	MUST(getsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &now, &room));
	say("%d: %d, now %d\n", index, result, now);
}

static void six(void)
{
	int fd = MUST(socket(AF_INET6, SOCK_DGRAM, 0)), stream = MUST(socket(AF_INET6, SOCK_STREAM, 0));

	section("IPv6");
	set6(fd, 0);
	set6(fd, 1);
	set6(fd, 9999);
	set6(fd, 0);
	set6(stream, 1);
}

static void tool(void)
{
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
	struct ifreq request = {.ifr_name = "lo", .ifr_data = (char *)&command};

	section("ethtool");
	SHOW(ioctl(fd, SIOCETHTOOL, &request));
	strcpy(request.ifr_name, "nothing0");
	SHOW(ioctl(fd, SIOCETHTOOL, &request));
}

int main(void)
{
	four();
	six();
	tool();
}
