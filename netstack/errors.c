/* errors.c - see errors.h.
 *
 * Each socket has a queue of reports, bounded by its SO_RCVBUF. As in Linux (sock_dequeue_err_skb), taking a report
 * about a packet makes the next one's error the socket's pending error.
 *
 * Limits: a time stamp's packet is quoted from the transport header on, not from the link's.
 */
#include "netstack/errors.h"

#include "sentry/base/arena.h"
#include <errno.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <poll.h>

#define CHARGE_BYTES 768u /* what a report counts besides what it quotes */

static struct slab error_slab = SLAB(inet_error);

static uint32_t charge_of(const struct inet_error *error)
{
	return (error->buf ? buf_size(error->buf) : 0) + CHARGE_BYTES;
}

static bool is_icmp(const struct inet_error *error)
{
	return error->facts.ee_origin == SO_EE_ORIGIN_ICMP || error->facts.ee_origin == SO_EE_ORIGIN_ICMP6;
}

void errors_add(struct inet_sock *sock, const struct inet_error *error, const struct buf *quoted)
{
	struct inet_error *new = sock->file ? slab_new(&error_slab) : NULL;

	if (!new)
		return;
	*new = *error;
	new->buf = quoted ? buf_clone(quoted) : NULL;
	if (sock->error_bytes + charge_of(new) > sock->base.receive_bytes) {
		buf_free(new->buf);
		slab_free(&error_slab, new);
		return;
	}
	sock->error_bytes += charge_of(new);
	list_init(&new->node);
	list_push_back(&sock->errors, &new->node);
	inet_wake(sock, POLLERR | (socket_flag(&sock->base, SO_SELECT_ERR_QUEUE) ? POLLPRI : 0));
}

static struct inet_error *take(struct inet_sock *sock)
{
	struct inet_error *error = list_first(&sock->errors, struct inet_error, node);

	list_remove(&error->node);
	sock->error_bytes -= charge_of(error);
	return error;
}

static void error_free(struct inet_error *error)
{
	buf_free(error->buf);
	slab_free(&error_slab, error);
}

void errors_free(struct inet_sock *sock)
{
	while (!list_empty(&sock->errors))
		error_free(take(sock));
}

/* ------------------------------------------------------------------------------------------------ what is reported */

void errors_too_big(struct inet_sock *sock, const struct net_end *target, uint32_t mtu)
{
	struct inet_error error = {
		.facts = {.ee_errno = EMSGSIZE, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = mtu},
		.target = *target,
		.has_target = true,
	};

	if (inet_is_v6(sock) ? sock->options.receive_errors6 : sock->options.receive_errors)
		errors_add(sock, &error, NULL);
}

void errors_zero_copy(struct inet_sock *sock)
{
	uint32_t number = sock->zero_copies++;
	struct inet_error *last =
		list_empty(&sock->errors) ? NULL : list_entry(sock->errors.prev, struct inet_error, node);

	/* Reports of neighbours become one (skb_zerocopy_notify_extend). */
	if (last && last->facts.ee_origin == SO_EE_ORIGIN_ZEROCOPY && last->facts.ee_data + 1 == number) {
		last->facts.ee_data = number;
		return;
	}
	errors_add(sock,
		   &(struct inet_error){.facts = {.ee_origin = SO_EE_ORIGIN_ZEROCOPY,
						  .ee_code = SO_EE_CODE_ZEROCOPY_COPIED,
						  .ee_info = number,
						  .ee_data = number}},
		   NULL);
}

void errors_sent(struct inet_sock *sock, uint32_t flags, const struct buf *quoted)
{
	static const struct {
		uint32_t flag;
		uint32_t what;
	} stages[] = {{SOF_TIMESTAMPING_TX_SCHED, SCM_TSTAMP_SCHED}, {SOF_TIMESTAMPING_TX_SOFTWARE, SCM_TSTAMP_SND}};
	bool bare = sock->base.timestamping & SOF_TIMESTAMPING_OPT_TSONLY;
	struct inet_error error = {
		.facts = {.ee_errno = ENOMSG, .ee_origin = SO_EE_ORIGIN_TIMESTAMPING},
		.stamp_ns = socket_stamp_now(),
	};

	if (sock->base.timestamping & SOF_TIMESTAMPING_OPT_ID)
		error.facts.ee_data = sock->stamp_number++;
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		error.facts.ee_info = stages[i].what;
		if (flags & stages[i].flag)
			errors_add(sock, &error, bare ? NULL : quoted);
	}
}

/* ------------------------------------------------------------------------------------------------ told */

/* The record: struct sock_extended_err, then the address of who reports, of the socket's own family. */
static void note(const struct inet_sock *sock, const struct inet_error *error, struct socket_message *message)
{
	struct {
		struct sock_extended_err facts;
		uint8_t offender[sizeof(struct sockaddr_in6)];
	} record = {.facts = error->facts};
	bool v6 = inet_is_v6(sock);

	_Static_assert(sizeof record <= SOCKET_NOTE_BYTES, "a note has room for it");
	if (error->has_offender) {
		struct socket_address address;
		inet_end_show(sock, &(struct net_end){.addr = error->offender}, &address);
		memcpy(record.offender, address.bytes, MIN(address.size, (uint32_t)sizeof record.offender));
	}
	socket_note_add(
		message, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &record,
		(uint32_t)(sizeof record.facts + (v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in))));
}

ssize_t errors_receive(struct inet_sock *sock, struct socket_message *message)
{
	if (list_empty(&sock->errors))
		return -EAGAIN;
	struct inet_error *error = take(sock);
	const struct inet_error *next =
		list_empty(&sock->errors) ? NULL : list_first(&sock->errors, struct inet_error, node);

	if (next && is_icmp(next))
		sock->base.error = (int)next->facts.ee_errno;
	else if (is_icmp(error))
		sock->base.error = 0;
	if (error->has_target)
		inet_end_show(sock, &error->target, &message->address);
	message->out_flags |= ABI_MSG_ERRQUEUE;
	message->stamp_ns = error->stamp_ns;
	socket_stamps_add(&sock->base, message);
	if (error->has_offender && error->buf)
		inet_notes_add(sock, error->buf, message);
	note(sock, error, message);
	ssize_t result = 0;
	if (error->buf) {
		uint32_t size = buf_size(error->buf);
		if (size > message->data->left)
			message->out_flags |= ABI_MSG_TRUNC;
		result = inet_packet_put(error->buf, message->data);
	}
	error_free(error);
	return result;
}
