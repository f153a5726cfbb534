/* network_tap.c - --net=tap:NAME: a TAP device, whose other end is an interface of the host that somebody routes,
 * bridges or listens to.
 *
 * The device is there already (ip tuntap add mode tap user ...), or is made, which needs CAP_NET_ADMIN; then it goes
 * with the sandbox. Frames have virtio-net headers: large segments and checksums are left to whom it concerns.
 *
 * Nobody tells us addresses: they come from --net-address and --net-gateway, or from routers there
 * (netstack/autoconf.c). The hardware address is ours and random, as that of the device is the host's.
 */
#include "runtime/fail.h"
#include "runtime/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCAL_HARDWARE 0x02 /* of the first byte: given by nobody (IEEE 802) */
#define BUSY_TRIES     100
#define BUSY_US        20000
#define OFFLOADS       (TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)

/* The host's end must be up; whoever made the device may have done it, and only root can. Its MTU is ours. */
static uint32_t bring_up(const char *name)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		fail("--net=tap:%s: %s", name, strerror(errno));
	if (!(request.ifr_flags & IFF_UP)) {
		request.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request))
			fail("--net=tap:%s: the device is down: as root, ip link set %s up", name, name);
	}
	if (ioctl(fd, SIOCGIFMTU, &request))
		fail("--net=tap:%s: %s", name, strerror(errno));
	close(fd);
	return (uint32_t)request.ifr_mtu;
}

static int open_device(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		fail("--net=tap:%s: /dev/net/tun: %s; see usbx doctor", name, strerror(errno));
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	/* A sandbox that has just ended: the host closes what io_uring watched a moment later. */
	for (int tries = 0; ioctl(fd, TUNSETIFF, &request); tries++) {
		int error = errno;
		if (error == EBUSY && tries < BUSY_TRIES) {
			usleep(BUSY_US);
			continue;
		}
		fail("--net=tap:%s: %s", name,
		     error == EBUSY    ? "somebody has it open already"
		     : error == EPERM  ? "no such device of yours: as root, ip tuntap add mode tap user YOU name NAME"
		     : error == EINVAL ? "is there and no TAP device"
				       : strerror(error));
	}
	if (ioctl(fd, TUNSETOFFLOAD, OFFLOADS))
		fail("--net=tap:%s: it takes no large segments: %s", name, strerror(errno));
	return fd;
}

static void route_by(struct network_link *link, const struct net_addr *gateway)
{
	bool v6 = !net_addr_is_v4(gateway);

	link->routes[link->route_count++] = (struct network_route){
		.net = {net_addr_any(v6), 0}, .gateway = *gateway, .source = net_addr_any(v6), .metric = v6 ? 1024 : 0};
}

void network_open_tap(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS])
{
	struct network_link *link = &network->links[0];

	link_fds[0] = open_device(options->name);
	link->kind = UPLINK_VNET_FRAMES;
	link->mtu = bring_up(options->name);
	snprintf(link->name, sizeof link->name, "eth0");
	if (getrandom(link->hardware, sizeof link->hardware, 0) != (ssize_t)sizeof link->hardware)
		fail("no random numbers: %s", strerror(errno));
	link->hardware[0] = (uint8_t)((link->hardware[0] & ~3) | LOCAL_HARDWARE);
	memcpy(link->addresses, options->addresses, sizeof link->addresses);
	link->address_count = options->address_count;
	link->new_addresses = true;
	link->ask_routers = options->ask_routers;
	for (unsigned i = 0; i < options->gateway_count; i++)
		route_by(link, &options->gateways[i]);
	network->link_count = 1;
}
