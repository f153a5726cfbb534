/* network.h - the sandbox's ways to the outside: what the person asked for, and what has been prepared for it before
 * the sandbox starts.
 *
 *   outside: network_prepare   opens the way (a namespace's interface, a TAP device, passt) and learns how it is set up
 *   inside:  network_attach    the stack gets a link for it (before the jail closes)
 *   outside: network_end       whatever was taken over is put back
 *
 * docs/network.md says what each way is good for.
 */
#ifndef RUNTIME_NETWORK_H
#define RUNTIME_NETWORK_H

#include "netstack/uplink.h"

#define NETWORK_LINKS     4 /* interfaces that are taken over at most */
#define NETWORK_ADDRESSES 16
#define NETWORK_ROUTES    32
#define NETWORK_RESOLVERS 3 /* as many as resolv.conf(5) reads */
#define NETWORK_PUBLISHED 64

enum network_kind { NETWORK_NONE, NETWORK_USER, NETWORK_TAP, NETWORK_NETNS, NETWORK_KINDS };

struct network_address {
	struct net_addr addr;
	uint8_t prefix; /* bits of the address's own family */
};

/* --publish: connections to a port of the host reach one of the sandbox. */
struct network_published {
	bool udp;
	bool any; /* on every address of the host */
	struct net_addr addr;
	uint16_t host_port, port;
};

/* What the person asked for. */
struct network_options {
	enum network_kind kind;
	const char *name; /* TAP: of the device; NETNS: path of the namespace */
	struct network_published published[NETWORK_PUBLISHED];
	unsigned published_count;
	struct network_address addresses[NETWORK_ADDRESSES]; /* TAP */
	unsigned address_count;
	bool ask_routers;            /* TAP: addresses are taken from what routers tell, too */
	struct net_addr gateways[2]; /* TAP: one of each family at most */
	unsigned gateway_count;
	struct net_addr resolvers[NETWORK_RESOLVERS];
	unsigned resolver_count;
};

struct network_route {
	struct network_address net;
	struct net_addr gateway, source; /* any: none */
	uint32_t metric;
};

struct network_link {
	enum uplink_kind kind;
	char name[LINK_NAME_BYTES];
	uint8_t hardware[LINK_HARDWARE_BYTES];
	uint32_t mtu;
	struct network_address addresses[NETWORK_ADDRESSES];
	unsigned address_count;
	bool new_addresses; /* nobody has tried yet whether others on the link have them */
	bool ask_routers;
	struct network_route routes[NETWORK_ROUTES];
	unsigned route_count;
};

/* What has been prepared: plain data, which the sandbox's process inherits. */
struct network {
	struct network_link links[NETWORK_LINKS];
	unsigned link_count;
};

/* Whether the options fit together; fails (fail.h) if not. Once all have been read. */
void network_check(const struct network_options *options);

/* Whom programs inside ask for names: what resolv.conf says there. How many were written to out. */
unsigned network_resolvers(const struct network_options *options, struct net_addr out[NETWORK_RESOLVERS]);

/* Opens the way to the outside. Fails (fail.h) when it cannot. link_fds gets a descriptor for each link, close-on-exec
 * and the caller's. Before the sandbox is cloned, with one thread. */
void network_prepare(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS]);

/* In the sandbox's process: makes the links; files are host file indices of link_fds. -errno. */
must_check int network_attach(const struct network *network, const uint32_t files[NETWORK_LINKS]);

/* When the sandbox has ended: puts back what was taken over, and waits until that is done. A process that is killed
 * instead has the same effect. */
void network_end(void);

/* ------------------------------------------------------------------------------------------------ the ways */

/* network_netns.c, network_tap.c, network_passt.c: as network_prepare, for one kind each. */
void network_open_netns(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS]);
void network_open_tap(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS]);
void network_open_passt(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS]);
void network_close_netns(void);
void network_close_passt(void);

/* Whom --net=user gives to the sandbox to ask for names. */
extern const struct net_addr network_passt_resolver;
/* Where passt(1) is; NULL: nowhere. */
const char *network_passt_path(void);

#endif
