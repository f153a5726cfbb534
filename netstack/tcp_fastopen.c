/* tcp_fastopen.c - TCP Fast Open (RFC 7413), the client: the first bytes travel in the SYN to a server that knows us.
 *
 * A server gives a cookie to whoever asks for one in a SYN; a later SYN that brings the cookie may bring data, too. So
 * a first connection by MSG_FASTOPEN or TCP_FASTOPEN_CONNECT is an ordinary one that asks, and what it was given is
 * kept here by the server's address. tcp_socket.c decides when data is there in time, tcp_output.c puts it into the
 * SYN, and tcp_input.c learns from the SYN-ACK how much of it was taken; what was not is sent again like new data. A
 * SYN that is sent again has neither cookie nor data, and the cookie is forgotten: somebody on the way may not like it
 * (section 4.1.3).
 *
 * Bytes that the policy looks at (policy_inspects) never leave in a SYN: they must be judged before they do.
 *
 * Limits: COOKIES servers, the oldest is forgotten. No server: a listener takes TCP_FASTOPEN and gives no cookies,
 * which is what net.ipv4.tcp_fastopen = 1, Linux's default, means; other values than 0 and 1 are refused.
 */
#include "netstack/tcp.h"

#define COOKIES 64u

static struct {
	struct net_addr server;
	struct tcp_cookie cookie; /* size 0: a free place */
} cookies[COOKIES];
static uint32_t next_place;

const struct tcp_cookie *fastopen_cookie(const struct net_addr *server)
{
	for (uint32_t i = 0; i < COOKIES; i++)
		if (cookies[i].cookie.size && net_addr_equal(&cookies[i].server, server))
			return &cookies[i].cookie;
	return NULL;
}

void fastopen_forget(const struct net_addr *server)
{
	for (uint32_t i = 0; i < COOKIES; i++)
		if (net_addr_equal(&cookies[i].server, server))
			cookies[i].cookie.size = 0;
}

void fastopen_learn(const struct net_addr *server, const struct tcp_cookie *cookie, uint16_t mss)
{
	fastopen_forget(server);
	cookies[next_place].server = *server;
	cookies[next_place].cookie = *cookie;
	cookies[next_place].cookie.mss = mss;
	next_place = (next_place + 1) % COOKIES;
}

uint32_t fastopen_room(const struct tcp_sock *tcp, const struct tcp_cookie *cookie)
{
	uint32_t mss = MIN(tcp->own_mss ? tcp->own_mss : UINT16_MAX, (uint32_t)cookie->mss);

	return mss > TCP_OPTIONS_BYTES ? mss - TCP_OPTIONS_BYTES : 0;
}
