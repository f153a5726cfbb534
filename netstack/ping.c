/* ping.c - see ping.h. A program sends the echo's header and gets the answer's; the identifier is the socket's own, so
 * that it is like a port, and the table of ports keeps it.
 *
 * Limits: echoes, not the extended ones of RFC 8335.
 */
#include "netstack/ping.h"

#include "netstack/icmp.h"
#include "netstack/net.h"
#include "netstack/ports.h"
#include "sentry/base/arena.h"
#include <errno.h>

#define ICMP4_ECHO   8
#define ICMP6_ECHO   128
#define PACKET_LIMIT 65535u

struct echo {
	uint8_t type, code;
	uint16_t checksum, id, number;
};
_Static_assert(sizeof(struct echo) == 8, "RFC 792");

static struct slab ping_slab = SLAB(datagram_sock);

struct inet_sock *ping_sock_new(uint16_t family, uint8_t protocol, uint32_t uid)
{
	struct datagram_sock *ping = slab_new(&ping_slab);

	if (!ping)
		return NULL;
	inet_setup(&ping->inet, INET_PING, family, protocol, uid);
	datagram_setup(ping);
	return &ping->inet;
}

void ping_sock_free(struct inet_sock *sock)
{
	slab_free(&ping_slab, datagram_of(sock));
}

int ping_connect(struct inet_sock *sock, const struct socket_address *address)
{
	return datagram_connect(sock, address);
}

static uint8_t protocol_of(const struct net_addr *addr)
{
	return net_addr_is_v4(addr) ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6;
}

/* The program's header becomes ours: with the socket's identifier, and a checksum. */
static int header_make(const struct inet_sock *sock, const struct datagram_out *way, struct buf *buf)
{
	bool v4 = sock->protocol == IP_PROTOCOL_ICMP;
	struct echo echo;

	if (!buf_pull(buf, &echo, sizeof echo) || echo.code || echo.type != (v4 ? ICMP4_ECHO : ICMP6_ECHO))
		return -EINVAL;
	echo.id = net16(sock->local.port);
	echo.checksum = 0;
	struct echo *pushed = buf_push(buf, sizeof echo);
	memcpy(pushed, &echo, sizeof echo);
	uint64_t sum = v4 ? 0 : sum_pseudo(&way->route.source, &way->remote.addr, IP_PROTOCOL_ICMPV6, buf_size(buf));
	echo.checksum = sum_fold(sum_buf(sum, buf));
	memcpy(pushed, &echo, sizeof echo);
	return 0;
}

ssize_t ping_send(struct inet_sock *sock, struct socket_message *message)
{
	struct datagram_out way;
	struct buf *buf;
	size_t size = message->data->left;

	if (size > PACKET_LIMIT)
		return -EMSGSIZE;
	if (size < sizeof(struct echo))
		return -EINVAL;
	int error = datagram_begin(sock, message, &way);
	if (!error && protocol_of(&way.remote.addr) != sock->protocol)
		error = -EINVAL;
	if (!error)
		error = datagram_way(sock, &way);
	if (!error && !sock->local.port)
		error = port_choose(sock, &way.remote);
	if (!error)
		error = datagram_payload(message, &buf);
	if (error)
		return error;
	error = header_make(sock, &way, buf);
	if (error)
		buf_free(buf);
	else
		error = datagram_output(sock, &way, sock->protocol, buf);
	net_run();
	return error ? error : (ssize_t)size;
}

void ping_input(const struct buf *buf)
{
	struct echo echo;

	if (buf_copy(buf, &echo, sizeof echo) != sizeof echo)
		return;
	struct net_end local = {.addr = buf->target, .port = net16(echo.id)}, remote = {.addr = buf->source};
	struct inet_sock *sock = datagram_find(protocol_of(&buf->target), &local, &remote, buf->link);
	struct buf *copy = sock ? buf_clone(buf) : NULL;
	if (!copy)
		return;
	copy->source_port = 0;
	if (inet_filter(sock, copy, sizeof echo))
		datagram_enqueue(datagram_of(sock), copy);
	else
		buf_free(copy);
}

void ping_error(const struct inet_report *report, const struct buf *buf)
{
	struct echo echo;

	if (buf_copy(buf, &echo, sizeof echo) != sizeof echo)
		return;
	struct net_end local = {.addr = report->local.addr, .port = net16(echo.id)};
	struct inet_sock *sock = datagram_find(protocol_of(&local.addr), &local, &report->target, NULL);
	if (sock)
		datagram_error(sock, report, buf);
}
