/* ndp.c - see ndp.h. Solicitations are answered and asked; what neighbour.c makes of the answers is the same for IPv4.
 *
 * Messages count only when they come from the link itself: a router would have lowered the hop limit of 255 (RFC 4861
 * section 7.1), and not from a program in the sandbox that sends to a group we are in.
 *
 * An address that is being tried (autoconf.c) is used, but nobody is told to put it in place of what he knows (RFC 4429
 * section 3.3): questions from there say no hardware address, answers do not override.
 *
 * Limits: no redirects, no nonces in trials (RFC 7527): a link that sends our own frames back would look like a
 * duplicate.
 */
#include "netstack/ndp.h"

#include "netstack/autoconf.h"
#include "netstack/ether.h"
#include "netstack/icmp.h"
#include "netstack/neighbour.h"
#include "netstack/route.h"

#define NDP_ROUTER_ASKED     133
#define NDP_ROUTER           134
#define NDP_SOLICITATION     135
#define NDP_ADVERTISEMENT    136
#define NDP_HOPS             255
#define NDP_FLAG_SOLICITED   0x40000000u
#define NDP_FLAG_OVERRIDE    0x20000000u
#define OPTION_SOURCE        1
#define OPTION_TARGET        2
#define OPTION_HARDWARE_SIZE 8 /* type, size, address */

struct ndp_option {
	uint8_t type, size; /* size in units of 8 bytes */
	uint8_t hardware[LINK_HARDWARE_BYTES];
};
_Static_assert(sizeof(struct ndp_option) == OPTION_HARDWARE_SIZE, "RFC 4861 section 4.6.1");

static const struct net_addr everybody = {.bytes = {0xff, 0x02, [15] = 1}};

struct net_addr ndp_group(const struct net_addr *addr)
{
	struct net_addr group = {.bytes = {0xff, 0x02, [11] = 0x01, [12] = 0xff}};

	memcpy(group.bytes + 13, addr->bytes + 13, 3);
	return group;
}

static bool is_on_trial(const struct link *link, const struct net_addr *addr)
{
	const struct link_address *item = link_address_find(link, addr);

	return item && (item->state == ADDRESS_UNTRIED || item->state == ADDRESS_TRIED);
}

/* about: NULL where the message has no such field. hardware: who gets it; NULL: who target says. An answer to somebody
 * who asks must not have to ask for him first, or two who begin at the same time wait for each other. */
static void send(struct link *link, struct icmp_header header, const struct net_addr *about,
		 const struct net_addr *source, const struct net_addr *target, const uint8_t *hardware)
{
	struct route route = {.link = link, .source = *source, .next = *target, .mtu = link->mtu};
	struct ip_meta meta = {.protocol = IP_PROTOCOL_ICMPV6, .hops = NDP_HOPS};
	struct buf *buf = buf_new();
	struct ndp_option option = {.type = header.type == NDP_ADVERTISEMENT ? OPTION_TARGET : OPTION_SOURCE,
				    .size = 1};

	if (!buf)
		return;
	memcpy(option.hardware, link->hardware, sizeof option.hardware);
	if (option.type == OPTION_TARGET || !(net_addr_is_any(source) || is_on_trial(link, source)))
		memcpy(buf_push(buf, sizeof option), &option, sizeof option);
	if (about)
		memcpy(buf_push(buf, sizeof *about), about, sizeof *about);
	buf->judged = true; /* it says nothing but who we are and whom we look for */
	icmp_push(source, target, header, buf);
	ip_push(&route, target, &meta, NULL, buf);
	if (hardware)
		ether_send(link, hardware, ETHER_TYPE_IP6, buf);
	else
		link_send(link, target, buf);
}

void ndp_solicit(struct link *link, const struct net_addr *addr, const uint8_t hardware[LINK_HARDWARE_BYTES])
{
	struct net_addr group = ndp_group(addr);
	const struct net_addr *source = route_source(link, addr);

	if (source)
		send(link, (struct icmp_header){.type = NDP_SOLICITATION}, addr, source, hardware ? addr : &group,
		     hardware);
}

void ndp_probe(struct link *link, const struct net_addr *addr)
{
	struct net_addr group = ndp_group(addr);

	send(link, (struct icmp_header){.type = NDP_SOLICITATION}, addr, &NET_ADDR_ANY6, &group, NULL);
}

void ndp_announce(struct link *link, const struct net_addr *addr)
{
	const struct icmp_header header = {.type = NDP_ADVERTISEMENT, .rest = net32(NDP_FLAG_OVERRIDE)};

	send(link, header, addr, addr, &everybody, NULL);
}

void ndp_ask_routers(struct link *link, const struct net_addr *source)
{
	static const struct net_addr routers = {.bytes = {0xff, 0x02, [15] = 2}};

	send(link, (struct icmp_header){.type = NDP_ROUTER_ASKED}, NULL, source, &routers, NULL);
}

/* The hardware address in an option of this kind; false: none, or the options are malformed. */
static bool find_option(struct buf *buf, uint8_t type, uint8_t hardware[LINK_HARDWARE_BYTES])
{
	struct ndp_option option;
	bool found = false;

	while (buf_size(buf)) {
		if (!buf_pull(buf, &option, sizeof option) || !option.size ||
		    !buf_skip(buf, (option.size - 1u) * OPTION_HARDWARE_SIZE))
			return false;
		if (option.type == type && option.size == 1 && !(option.hardware[0] & 1)) {
			memcpy(hardware, option.hardware, sizeof option.hardware);
			found = true;
		}
	}
	return found;
}

static void solicitation(struct buf *buf, const struct net_addr *about)
{
	struct link *link = buf->link;
	uint8_t hardware[LINK_HARDWARE_BYTES];
	bool probe = net_addr_is_any(&buf->source); /* is somebody else here with the address? (RFC 4862) */
	struct icmp_header header = {
		.type = NDP_ADVERTISEMENT,
		.rest = net32((is_on_trial(link, about) ? 0 : NDP_FLAG_OVERRIDE) | (probe ? 0 : NDP_FLAG_SOLICITED)),
	};

	if (probe && autoconf_objection(link, about))
		return; /* both of us have asked at the same time: neither may have it */
	if (!link_has_address(link, about) || route_is_ours(&buf->source))
		return;
	bool named = !probe && find_option(buf, OPTION_SOURCE, hardware);
	if (named)
		neighbour_heard(link, &buf->source, hardware, false);
	send(link, header, about, about, probe ? &everybody : &buf->source, named ? hardware : NULL);
}

void ndp_input(uint8_t type, uint8_t code, uint32_t rest, struct buf *buf)
{
	struct net_addr about;
	uint8_t hardware[LINK_HARDWARE_BYTES];

	if (buf->link->kind != LINK_ETHER || buf->looped || buf->hops != NDP_HOPS || code) {
		buf_free(buf);
		return;
	}
	if (type == NDP_ROUTER) {
		autoconf_input(rest, buf);
		return;
	}
	if (!buf_pull(buf, &about, sizeof about) || net_addr_is_multicast(&about) || net_addr_is_v4(&about)) {
		buf_free(buf);
		return;
	}
	if (type == NDP_SOLICITATION) {
		solicitation(buf, &about);
	} else if (type == NDP_ADVERTISEMENT && !autoconf_objection(buf->link, &about) && !route_is_ours(&about) &&
		   find_option(buf, OPTION_TARGET, hardware)) {
		bool to_us = net32(rest) & NDP_FLAG_SOLICITED && !net_addr_is_multicast(&buf->target);
		neighbour_heard(buf->link, &about, hardware, to_us);
	}
	buf_free(buf);
}
