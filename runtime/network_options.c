/* network_options.c - what the options of the network do with their values. */
#include "runtime/fail.h"
#include "runtime/option_values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void option_net(struct options *o, const char *text)
{
	static const struct {
		const char *begin;
		enum network_kind kind;
	} ways[] = {{"none", NETWORK_NONE}, {"user", NETWORK_USER}, {"tap:", NETWORK_TAP}, {"netns:", NETWORK_NETNS}};

	for (unsigned i = 0; i < COUNT(ways); i++) {
		size_t n = strlen(ways[i].begin);
		bool named = ways[i].begin[n - 1] == ':';
		if (named ? strncmp(text, ways[i].begin, n) || !text[n] : strcmp(text, ways[i].begin))
			continue;
		o->network.kind = ways[i].kind;
		o->network.name = named ? text + n : NULL;
		if (ways[i].kind == NETWORK_TAP && strlen(o->network.name) >= IFNAMSIZ)
			fail("--net=%s: the name of a device has at most %d letters", text, IFNAMSIZ - 1);
		return;
	}
	fail("--net=%.100s: use none, user, tap:NAME or netns:PATH", text);
}

static bool parse_addr(const char *text, struct net_addr *out)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*out = net_addr_v4(net32(v4.s_addr));
		return true;
	}
	return inet_pton(AF_INET6, text, out->bytes) == 1 && !net_addr_is_v4(out);
}

/* A number from least to most with nothing behind it but the end. */
static bool parse_number(const char *text, unsigned long least, unsigned long most, unsigned long *out)
{
	char *end;

	*out = strtoul(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && *out >= least && *out <= most;
}

static bool is_host_address(const struct net_addr *addr)
{
	return !net_addr_is_any(addr) && !net_addr_is_multicast(addr) && !net_addr_is_broadcast(addr) &&
	       !net_addr_is_loopback(addr);
}

void option_net_address(struct options *o, const char *text)
{
	struct network_address *out = &o->network.addresses[o->network.address_count];
	unsigned long prefix;

	if (!strcmp(text, "auto")) {
		o->network.ask_routers = true;
		return;
	}
	char *copy = must_copy(text), *slash = strchr(copy, '/');
	if (o->network.address_count == NETWORK_ADDRESSES)
		fail("--net-address: more than %d addresses", NETWORK_ADDRESSES);
	if (slash)
		*slash = 0;
	if (!slash || !parse_addr(copy, &out->addr) || !is_host_address(&out->addr) ||
	    !parse_number(slash + 1, 1, net_addr_is_v4(&out->addr) ? 32 : 128, &prefix))
		fail("--net-address %.100s: use ADDRESS/PREFIX, such as 10.1.2.3/24, or auto", text);
	out->prefix = (uint8_t)prefix;
	o->network.address_count++;
	free(copy);
}

void option_net_gateway(struct options *o, const char *text)
{
	struct network_options *net = &o->network;
	struct net_addr addr;

	if (!parse_addr(text, &addr) || !is_host_address(&addr))
		fail("--net-gateway %.100s: use an address, such as 10.1.2.1", text);
	for (unsigned i = 0; i < net->gateway_count; i++)
		if (net_addr_is_v4(&net->gateways[i]) == net_addr_is_v4(&addr))
			fail("--net-gateway %.100s: there is one of its family already", text);
	net->gateways[net->gateway_count++] = addr;
}

void option_dns(struct options *o, const char *text)
{
	struct net_addr addr;

	if (!parse_addr(text, &addr) || !is_host_address(&addr))
		fail("--dns %.100s: use an address, such as 10.1.2.1", text);
	if (o->network.resolver_count == NETWORK_RESOLVERS)
		fail("--dns %.100s: programs ask at most %d", text, NETWORK_RESOLVERS);
	o->network.resolvers[o->network.resolver_count++] = addr;
}

/* [IP:]PORT:PORT[/udp|/tcp]; an IPv6 address stands in brackets. Cuts the text. */
static bool parse_published(char *text, struct network_published *out)
{
	char *protocol = strchr(text, '/'), *inner, *outer;
	unsigned long host_port, port;

	if (protocol)
		*protocol++ = 0;
	inner = strrchr(text, ':');
	if (!inner || (protocol && strcmp(protocol, "udp") && strcmp(protocol, "tcp")))
		return false;
	*inner++ = 0;
	outer = strrchr(text, ':');
	if (outer)
		*outer++ = 0;
	if (!parse_number(inner, 1, 65535, &port) || !parse_number(outer ? outer : text, 1, 65535, &host_port))
		return false;
	*out = (struct network_published){.udp = protocol && *protocol == 'u',
					  .any = !outer,
					  .host_port = (uint16_t)host_port,
					  .port = (uint16_t)port};
	if (!outer)
		return true;
	size_t n = strlen(text);
	if (n > 2 && *text == '[' && text[n - 1] == ']') {
		text[n - 1] = 0;
		text++;
	}
	return parse_addr(text, &out->addr);
}

void option_publish(struct options *o, const char *text)
{
	struct network_options *net = &o->network;
	struct network_published *out = &net->published[net->published_count];
	char *copy = must_copy(text);

	if (net->published_count == NETWORK_PUBLISHED)
		fail("--publish: more than %d ports", NETWORK_PUBLISHED);
	if (!parse_published(copy, out))
		fail("--publish %.100s: use [IP:]PORT:PORT[/udp], the host's port first", text);
	net->published_count++;
	free(copy);
}
