/* netlink_diag.c - which sockets there are, as ss(8) asks it (sock_diag(7)).
 *
 * Limits: TCP, UDP and UDP-Lite, dumps only; no filters but states, and none of the extensions. Of other families there
 * are no answers (ENOENT): ss reads /proc/net for them.
 */
#include "netstack/netlink_answer.h"

#include "fs/file.h"
#include "fs/inode.h"
#include "netstack/ports.h"
#include "netstack/tcp.h"
#include "netstack/udp.h"
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>

static void put_end(__be32 out[4], const struct inet_sock *sock, const struct net_end *end)
{
	if (inet_is_v6(sock))
		memcpy(out, end->addr.bytes, sizeof end->addr.bytes);
	else
		out[0] = end->addr.words[3];
}

static void tell_socket(struct netlink_writer *w, const struct inet_sock *sock, uint8_t state)
{
	struct inet_diag_msg *info = netlink_begin(w, SOCK_DIAG_BY_FAMILY, NLM_F_MULTI, sizeof *info);
	const struct tcp_sock *tcp = (const struct tcp_sock *)sock;
	bool stream = sock->protocol == IP_PROTOCOL_TCP, listens = stream && state == TCP_LISTEN;

	if (!info)
		return;
	info->idiag_family = (uint8_t)sock->base.family;
	info->idiag_state = state;
	info->id.idiag_sport = net16(sock->local.port);
	info->id.idiag_dport = net16(sock->remote.port);
	put_end(info->id.idiag_src, sock, &sock->local);
	put_end(info->id.idiag_dst, sock, &sock->remote);
	/* A cookie names the socket for its life: its inode does. */
	info->idiag_inode = sock->file ? (uint32_t)sock->file->inode->ino : 0;
	info->id.idiag_cookie[0] = info->idiag_inode;
	info->idiag_uid = sock->uid;
	if (listens) {
		info->idiag_rqueue = tcp->accepted_count;
		info->idiag_wqueue = tcp->backlog;
	} else if (stream) {
		info->idiag_rqueue = tcp_readable_bytes(sock);
		info->idiag_wqueue = tcp_unacked_bytes(sock);
	} else {
		info->idiag_rqueue = datagram_of(sock)->queued_bytes;
	}
	/* Who is bound to an IPv6 address has nothing to do with IPv4 any more (__inet6_bind in Linux). */
	bool six = !net_addr_is_any(&sock->local.addr) && !net_addr_is_v4(&sock->local.addr);
	uint8_t shutdown = (uint8_t)sock->shutdown, v6_only = sock->options.v6_only || six;
	netlink_attribute(w, INET_DIAG_SHUTDOWN, &shutdown, sizeof shutdown);
	if (inet_is_v6(sock))
		netlink_attribute(w, INET_DIAG_SKV6ONLY, &v6_only, sizeof v6_only);
}

static uint8_t state_of(const struct inet_sock *sock)
{
	if (sock->protocol == IP_PROTOCOL_TCP)
		return (uint8_t)((const struct tcp_sock *)sock)->state;
	return sock->remote.port ? TCP_ESTABLISHED : TCP_CLOSED;
}

void netlink_diag_answer(struct netlink_writer *w, const char *body, uint32_t size)
{
	struct inet_diag_req_v2 wanted = {0};
	const struct inet_sock *sock = NULL;
	uint32_t protocol;

	memcpy(&wanted, body, MIN(size, (uint32_t)sizeof wanted));
	/* Numbers above 255 (MPTCP) come beside the structure. */
	if (!netlink_find(body, size, sizeof wanted, INET_DIAG_REQ_PROTOCOL, &protocol, sizeof protocol))
		protocol = wanted.sdiag_protocol;
	if (w->request->nlmsg_type == TCPDIAG_GETSOCK || w->request->nlmsg_type == DCCPDIAG_GETSOCK) {
		netlink_error(w, -ENOENT); /* the older way to ask; those who do ask the newer one, too */
		return;
	}
	if (w->request->nlmsg_type != SOCK_DIAG_BY_FAMILY || size < sizeof(struct sock_diag_req)) {
		netlink_error(w, -EINVAL);
		return;
	}
	if ((wanted.sdiag_family != ABI_AF_INET && wanted.sdiag_family != ABI_AF_INET6) ||
	    (protocol != IP_PROTOCOL_TCP && (protocol > UINT8_MAX || !udp_is_protocol(protocol)))) {
		netlink_error(w, -ENOENT);
		return;
	}
	if (size < sizeof wanted) {
		netlink_error(w, -EINVAL);
		return;
	}
	if (!(w->request->nlmsg_flags & NLM_F_DUMP)) {
		netlink_error(w, -EOPNOTSUPP);
		return;
	}
	while ((sock = socket_next(sock)))
		if (sock->protocol == protocol && sock->base.family == wanted.sdiag_family &&
		    wanted.idiag_states >> state_of(sock) & 1)
			tell_socket(w, sock, state_of(sock));
	netlink_done(w);
}
