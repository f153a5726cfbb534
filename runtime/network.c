/* network.c - see network.h: what is the same for every way, and the sandbox's end of it. */
#include "runtime/network.h"

#include "netstack/autoconf.h"
#include "netstack/route.h"
#include "runtime/fail.h"
#include "sentry/base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

_Static_assert(NETWORK_LINKS <= UPLINK_LIMIT && NETWORK_LINKS < LINK_LIMIT, "each has its port and its link");
_Static_assert(NETWORK_LINKS *(NETWORK_ADDRESSES + NETWORK_ROUTES) <= ROUTE_LIMIT, "all fit the table");

typedef void network_open(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS]);

static network_open *const openers[NETWORK_KINDS] = {
	[NETWORK_USER] = network_open_passt,
	[NETWORK_TAP] = network_open_tap,
	[NETWORK_NETNS] = network_open_netns,
};

void network_check(const struct network_options *options)
{
	if (options->published_count && options->kind != NETWORK_USER)
		fail("--publish: only --net=user has ports of the host; with tap and netns the sandbox has addresses "
		     "of its "
		     "own");
	if ((options->address_count || options->ask_routers || options->gateway_count) && options->kind != NETWORK_TAP)
		fail("--net-address, --net-gateway: only for --net=tap; user and netns bring their addresses");
	if (options->resolver_count && options->kind == NETWORK_NONE)
		fail("--dns: there is no network to ask through: give --net");
	for (unsigned i = 0; i < options->gateway_count; i++) {
		bool v4 = net_addr_is_v4(&options->gateways[i]), found = net_addr_is_link_local(&options->gateways[i]);
		for (unsigned k = 0; k < options->address_count; k++)
			found = found || net_addr_is_v4(&options->addresses[k].addr) == v4;
		if (!found)
			fail("--net-gateway: there is no --net-address of its family");
	}
}

/* The nameservers of a resolv.conf(5); how many. */
static unsigned read_resolvers(const char *path, struct net_addr out[NETWORK_RESOLVERS])
{
	char line[256], word[INET6_ADDRSTRLEN];
	unsigned count = 0;
	struct in_addr v4;
	FILE *file = fopen(path, "re");

	while (file && count < NETWORK_RESOLVERS && fgets(line, sizeof line, file)) {
		if (sscanf(line, " nameserver %45s", word) != 1)
			continue;
		if (inet_pton(AF_INET, word, &v4) == 1)
			out[count++] = net_addr_v4(net32(v4.s_addr));
		else if (inet_pton(AF_INET6, word, out[count].bytes) == 1)
			count++;
	}
	if (file)
		fclose(file);
	return count;
}

/* ip-netns(8) keeps the namespace's own files in /etc/netns/NAME. */
static unsigned resolvers_of_netns(const char *path, struct net_addr out[NETWORK_RESOLVERS])
{
	char own[PATH_MAX];
	const char *name = strrchr(path, '/');

	snprintf(own, sizeof own, "/etc/netns/%s/resolv.conf", name ? name + 1 : path);
	return read_resolvers(own, out);
}

unsigned network_resolvers(const struct network_options *options, struct net_addr out[NETWORK_RESOLVERS])
{
	unsigned count = 0;

	if (options->kind == NETWORK_NONE)
		return 0;
	if (options->resolver_count) {
		memcpy(out, options->resolvers, sizeof options->resolvers);
		return options->resolver_count;
	}
	if (options->kind == NETWORK_USER) {
		out[0] = network_passt_resolver;
		return 1;
	}
	if (options->kind == NETWORK_NETNS)
		count = resolvers_of_netns(options->name, out);
	return count ? count : read_resolvers("/etc/resolv.conf", out);
}

void network_prepare(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS])
{
	memset(network, 0, sizeof *network);
	if (options->kind != NETWORK_NONE)
		openers[options->kind](network, options, link_fds);
}

void network_end(void)
{
	network_close_netns();
	network_close_passt();
}

/* ------------------------------------------------------------------------------------------------ inside */

static int attach_routes(const struct network_link *from, struct link *link)
{
	int error = 0;

	for (unsigned i = 0; i < from->address_count && !error; i++)
		error = route_address_add(link, &from->addresses[i].addr, from->addresses[i].prefix);
	for (unsigned i = 0; i < from->route_count && !error; i++) {
		const struct network_route *route = &from->routes[i];
		const struct route_entry entry = {
			.net = route->net.addr,
			.prefix = route->net.prefix,
			.gateway = route->gateway,
			.source = route->source,
			.link = link,
			.metric = route->metric,
		};
		error = route_add(&entry);
		if (error == -EEXIST)
			error = 0;
	}
	return error;
}

int network_attach(const struct network *network, const uint32_t files[NETWORK_LINKS])
{
	for (unsigned i = 0; i < network->link_count; i++) {
		const struct network_link *from = &network->links[i];
		struct link *link;
		uint32_t port;
		int error = uplink_new(from->kind, files[i], &port);
		if (!error)
			error = link_ether_new(from->name, from->hardware, from->mtu, port, &link);
		if (!error)
			error = attach_routes(from, link);
		if (!error && from->new_addresses)
			error = autoconf_start(link, from->ask_routers);
		if (error)
			return error;
		uplink_start(link);
	}
	return 0;
}
