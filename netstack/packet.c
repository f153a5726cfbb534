/* packet.c - see packet.h. Every socket gets a copy of each frame that comes in or leaves by its link and is of its
 * protocol, if its filter wants it: in its queue, or in memory shared with the guest (packet_ring.h). The loopback has
 * no frames; as in Linux its packets get an Ethernet header of zeros.
 *
 * What a socket sends on a link to the outside is judged by the policy like everything else (policy_frame). What it
 * sends on the loopback comes in there with its checksums still to be checked.
 *
 * Limits: PACKET_SOCKET_LIMIT sockets; no SOCK_PACKET, no fanout, no virtio headers, no TPACKET_V1 and _V3
 * (libpcap falls back to V2). Links are never promiscuous: memberships are checked and count for nothing.
 */
#include "netstack/packet.h"

#include "fs/socket.h"
#include "netstack/ether.h"
#include "netstack/inet.h"
#include "netstack/net.h"
#include "netstack/packet_ring.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/limits.h"
#include "sentry/base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CHARGE_BYTES 768u
#define READ_EVENTS  (POLLIN | POLLRDNORM)

struct packet_frame {
	struct list node;
	struct buf *buf;
	struct packet_facts facts;
};

struct packet_sock {
	struct socket base; /* first */
	struct list node;   /* of all */
	const struct file *file;
	uint32_t link;     /* index; 0: all */
	uint16_t protocol; /* EtherType; ETH_P_ALL; 0: nothing is received */
	bool auxiliary, no_outgoing;
	int version, timestamp; /* PACKET_VERSION, PACKET_TIMESTAMP */
	struct list queue;      /* struct packet_frame */
	uint32_t queued_bytes;
	uint32_t seen, dropped; /* since PACKET_STATISTICS asked */
	struct packet_ring ring;
	struct waitq wait;
};

static struct list *sockets; /* in the arena */
static uint32_t socket_total;
static struct slab sock_slab = SLAB(packet_sock), frame_slab = SLAB(packet_frame);

static struct packet_sock *packet_of(const struct file *file)
{
	assert(file->kind == FILE_SOCKET_PACKET && file->data);
	return file->data;
}

/* ------------------------------------------------------------------------------------------------ in */

static uint8_t kind_of_frame(const struct link *link, const struct ether_header *header, bool outgoing)
{
	if (outgoing)
		return PACKET_OUTGOING;
	if (link->kind == LINK_LOOPBACK || !memcmp(header->target, link->hardware, sizeof header->target))
		return PACKET_HOST;
	if (!memcmp(header->target, ether_broadcast, sizeof header->target))
		return PACKET_BROADCAST;
	return header->target[0] & 1 ? PACKET_MULTICAST : PACKET_OTHERHOST;
}

static void enqueue(struct packet_sock *sock, struct buf *buf, const struct packet_facts *facts)
{
	uint32_t charge = buf_size(buf) + CHARGE_BYTES;
	struct packet_frame *frame =
		sock->queued_bytes + charge <= sock->base.receive_bytes ? slab_new(&frame_slab) : NULL;

	if (!frame) {
		sock->dropped++;
		buf_free(buf);
		return;
	}
	list_init(&frame->node);
	frame->buf = buf;
	frame->facts = *facts;
	sock->queued_bytes += charge;
	list_push_back(&sock->queue, &frame->node);
}

/* frame: with its link header. Borrowed. */
static void offer(struct packet_sock *sock, const struct buf *frame, const struct packet_facts *facts)
{
	uint32_t link_bytes = sock->base.type == SOCK_DGRAM ? 0 : (uint32_t)sizeof(struct ether_header);
	struct buf *buf = buf_clone(frame);

	if (!buf || (!link_bytes && !buf_skip(buf, sizeof(struct ether_header)))) {
		buf_free(buf);
		return;
	}
	struct filter_input input = {
		.head = buf->header + buf->header_at,
		.head_bytes = BUF_HEADER_BYTES - buf->header_at,
		.rest = buf->size ? (const uint8_t *)buf->block->data + buf->offset : NULL,
		.rest_bytes = buf->size,
		.network_at = link_bytes,
		.protocol = net16(facts->from.sll_protocol),
		.packet_type = facts->from.sll_pkttype,
		.link = (uint32_t)facts->from.sll_ifindex,
		.hardware_type = facts->from.sll_hatype,
	};
	uint32_t wanted = socket_filter_run(sock->base.filter, &input);
	if (!wanted) {
		buf_free(buf);
		return;
	}
	struct packet_facts own = *facts;
	own.size = buf_size(buf);
	sock->seen++;
	if (sock->ring.memory) {
		if (!packet_ring_put(&sock->ring, buf, link_bytes, wanted, &own))
			sock->dropped++;
		buf_free(buf);
	} else {
		buf_cut(buf, wanted);
		enqueue(sock, buf, &own);
	}
	waitq_wake(&sock->wait, READ_EVENTS);
}

/* A copy of the frame with an Ethernet header, the loopback's of zeros. NULL: no memory, or no frame at all. */
static struct buf *frame_of(const struct link *link, const struct buf *buf, struct ether_header *header)
{
	struct buf *frame = buf_clone(buf);
	uint8_t version = 0;

	if (!frame)
		return NULL;
	if (link->kind != LINK_LOOPBACK) {
		if (buf_copy(frame, header, sizeof *header) == sizeof *header)
			return frame;
		buf_free(frame);
		return NULL;
	}
	(void)buf_copy(frame, &version, 1);
	*header = (struct ether_header){.type = net16(version >> 4 == 6 ? ETHER_TYPE_IP6 : ETHER_TYPE_IP4)};
	memcpy(buf_push(frame, sizeof *header), header, sizeof *header);
	return frame;
}

static void tap(struct link *link, const struct buf *buf, bool outgoing)
{
	struct ether_header header;
	struct packet_sock *sock;
	struct buf *frame = frame_of(link, buf, &header);

	if (!frame)
		return;
	struct packet_facts facts = {
		.from = {.sll_family = AF_PACKET,
			 .sll_protocol = header.type,
			 .sll_ifindex = (int)link->index,
			 .sll_hatype = link->kind == LINK_LOOPBACK ? ARPHRD_LOOPBACK : ARPHRD_ETHER,
			 .sll_pkttype = kind_of_frame(link, &header, outgoing),
			 .sll_halen = LINK_HARDWARE_BYTES},
		.stamp_ns = socket_stamp_now(),
	};
	memcpy(facts.from.sll_addr, header.source, sizeof header.source);
	list_for_each (sock, sockets, node) {
		bool all = sock->protocol == ETH_P_ALL;
		/* Who wants one protocol sees what comes in (dev_queue_xmit_nit in Linux). */
		if ((all ? !(outgoing && sock->no_outgoing) : !outgoing && sock->protocol == net16(header.type)) &&
		    (!sock->link || sock->link == link->index))
			offer(sock, frame, &facts);
	}
	buf_free(frame);
}

/* ------------------------------------------------------------------------------------------------ life */

static int packet_create(const struct socket_caller *who, uint32_t type, uint32_t protocol, uint32_t flags,
			 struct file **out)
{
	if (!cred_capable(who->cred, CAP_NET_RAW))
		return -EPERM;
	if (type != ABI_SOCK_DGRAM && type != ABI_SOCK_RAW)
		return -ESOCKTNOSUPPORT;
	struct packet_sock *sock = socket_total < PACKET_SOCKET_LIMIT ? slab_new(&sock_slab) : NULL;
	if (!sock)
		return -ENOBUFS;
	socket_setup(&sock->base, AF_PACKET, (uint16_t)type, protocol);
	sock->protocol = net16((uint16_t)protocol);
	list_init(&sock->queue);
	waitq_init(&sock->wait);
	list_init(&sock->node);
	int error = file_new_anonymous(FILE_SOCKET_PACKET, O_RDWR | (flags & O_NONBLOCK), S_IFSOCK | 0777, "socket",
				       who->cred, out);
	if (error) {
		slab_free(&sock_slab, sock);
		return error;
	}
	(*out)->data = sock;
	sock->file = *out;
	list_push_back(sockets, &sock->node);
	socket_total++;
	link_tap_set(tap);
	return 0;
}

static struct packet_frame *frame_take(struct packet_sock *sock)
{
	struct packet_frame *frame = list_first(&sock->queue, struct packet_frame, node);

	list_remove(&frame->node);
	sock->queued_bytes -= buf_size(frame->buf) + CHARGE_BYTES;
	return frame;
}

static void frame_free(struct packet_frame *frame)
{
	buf_free(frame->buf);
	slab_free(&frame_slab, frame);
}

static void packet_release(struct file *file)
{
	struct packet_sock *sock = file->data;

	if (!sock)
		return;
	file->data = NULL;
	list_remove(&sock->node);
	if (!--socket_total)
		link_tap_set(NULL);
	while (!list_empty(&sock->queue))
		frame_free(frame_take(sock));
	packet_ring_fini(&sock->ring);
	socket_fini(&sock->base);
	slab_free(&sock_slab, sock);
}

static int packet_bind(struct file *file, const struct socket_caller *who, const struct socket_address *address)
{
	struct packet_sock *sock = packet_of(file);
	struct sockaddr_ll name;

	(void)who;
	if (address->size < sizeof name)
		return -EINVAL;
	memcpy(&name, address->bytes, sizeof name);
	if (name.sll_family != AF_PACKET)
		return -EINVAL;
	if (name.sll_ifindex && !link_by_index((uint32_t)name.sll_ifindex))
		return -ENODEV;
	sock->link = (uint32_t)name.sll_ifindex;
	if (name.sll_protocol)
		sock->protocol = net16(name.sll_protocol);
	return 0;
}

static int packet_connect(struct file *file, const struct socket_caller *who, const struct socket_address *address,
			  bool nonblock)
{
	(void)file, (void)who, (void)address, (void)nonblock;
	return -EOPNOTSUPP;
}

static int packet_name(struct file *file, bool peer, struct socket_address *out)
{
	const struct packet_sock *sock = packet_of(file);
	const struct link *link = sock->link ? link_by_index(sock->link) : NULL;
	struct sockaddr_ll name = {
		.sll_family = AF_PACKET, .sll_protocol = net16(sock->protocol), .sll_ifindex = (int)sock->link};

	if (peer)
		return -EOPNOTSUPP;
	if (link) {
		name.sll_hatype = link->kind == LINK_LOOPBACK ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
		name.sll_halen = LINK_HARDWARE_BYTES;
		memcpy(name.sll_addr, link->hardware, sizeof link->hardware);
	}
	memset(out, 0, sizeof *out);
	out->size = (uint32_t)offsetof(struct sockaddr_ll, sll_addr) + name.sll_halen;
	memcpy(out->bytes, &name, out->size);
	return 0;
}

/* ------------------------------------------------------------------------------------------------ out */

/* Which link, and for SOCK_DGRAM what the link header says. */
static int find_link(const struct packet_sock *sock, const struct socket_message *message, struct sockaddr_ll *to,
		     struct link **out)
{
	*to = (struct sockaddr_ll){.sll_ifindex = (int)sock->link, .sll_protocol = net16(sock->protocol)};
	if (message->address.size) {
		if (message->address.size < sizeof *to)
			return -EINVAL;
		memcpy(to, message->address.bytes, sizeof *to);
		if (to->sll_family != AF_PACKET)
			return -EINVAL;
	}
	*out = link_by_index((uint32_t)to->sll_ifindex);
	if (!*out)
		return -ENXIO;
	return (*out)->up ? 0 : -ENETDOWN;
}

/* An IPv4 packet from ourselves or to 127.0.0.0/8 that has not come through our own layers:
 * net.ipv4.conf.route_localnet and accept_local are off (ip_route_input_slow, fib_validate_source in Linux). */
static bool is_martian(const struct buf *buf)
{
	struct ip4_header header;

	if (buf_copy(buf, &header, sizeof header) != sizeof header)
		return true;
	struct net_addr source = net_addr_v4(net32(header.source)), target = net_addr_v4(net32(header.target));
	return route_is_ours(&source) || net_addr_is_loopback(&target);
}

static int send_frame(const struct packet_sock *sock, struct link *link, const struct sockaddr_ll *to, struct buf *buf)
{
	struct ether_header header = {.type = to->sll_protocol};

	if (sock->base.type == SOCK_DGRAM && link->kind == LINK_ETHER) {
		ether_send(link, to->sll_addr, net16(to->sll_protocol), buf);
		return 0;
	}
	if (link->kind == LINK_ETHER) {
		link_transmit(link, buf);
		return 0;
	}
	if (sock->base.type == SOCK_RAW && !buf_pull(buf, &header, sizeof header)) {
		buf_free(buf);
		return -EINVAL;
	}
	if ((net16(header.type) == ETHER_TYPE_IP4 && !is_martian(buf)) || net16(header.type) == ETHER_TYPE_IP6)
		link_inject(link, buf);
	else
		buf_free(buf); /* nobody on the loopback speaks anything else */
	return 0;
}

static ssize_t packet_send(struct file *file, const struct socket_caller *who, struct socket_message *message)
{
	struct packet_sock *sock = packet_of(file);
	size_t size = message->data->left, header = sock->base.type == SOCK_RAW ? sizeof(struct ether_header) : 0;
	struct sockaddr_ll to;
	struct link *link;
	int error = find_link(sock, message, &to, &link);

	(void)who;
	if (error)
		return error;
	if (size < header || (!size && !header))
		return -EINVAL;
	if (size > link->mtu + header || size > BLOCK_LIMIT_BYTES)
		return -EMSGSIZE;
	struct block *block = block_new((uint32_t)size);
	struct buf *buf = block ? buf_new() : NULL;
	if (!buf) {
		if (block)
			block_put(block);
		return -ENOBUFS;
	}
	error = uio_take(message->data, block->data, size) == (ssize_t)size ? 0 : -EFAULT; /* PARKS */
	if (!error) {
		block->used = (uint32_t)size;
		buf_attach(buf, block, 0, (uint32_t)size);
		error = send_frame(packet_of(file), link, &to, buf);
	} else {
		buf_free(buf);
	}
	block_put(block);
	net_run();
	return error ? error : (ssize_t)size;
}

/* ------------------------------------------------------------------------------------------------ reading */

static void tell(const struct packet_sock *sock, const struct packet_frame *frame, struct socket_message *message)
{
	struct tpacket_auxdata facts = {
		.tp_status = TP_STATUS_USER,
		.tp_len = frame->facts.size,
		.tp_snaplen = buf_size(frame->buf),
		.tp_net = sock->base.type == SOCK_RAW ? (uint16_t)sizeof(struct ether_header) : 0,
	};

	message->address.size = sizeof frame->facts.from;
	memcpy(message->address.bytes, &frame->facts.from, sizeof frame->facts.from);
	message->stamp_ns = frame->facts.stamp_ns;
	socket_stamps_add(&sock->base, message);
	if (sock->auxiliary)
		socket_note_add(message, SOL_PACKET, PACKET_AUXDATA, &facts, sizeof facts);
}

static ssize_t packet_receive(struct file *file, struct socket_message *message)
{
	struct packet_sock *sock = packet_of(file);

	if (message->flags & ABI_MSG_ERRQUEUE)
		return -EAGAIN;
	if (message->flags & ABI_MSG_OOB)
		return -EINVAL;
	if (list_empty(&sock->queue)) {
		if (message->nonblock)
			return -EAGAIN;
		int waited = WAIT_EVENT(&sock->wait, !list_empty(&sock->queue),
					socket_deadline(sock->base.receive_timeout_ns));
		if (waited)
			return socket_wait_error(waited, sock->base.receive_timeout_ns);
	}
	struct packet_frame *first = list_first(&sock->queue, struct packet_frame, node);
	tell(sock, first, message);
	struct buf *buf = buf_clone(first->buf); /* the copy below PARKS */
	if (!buf)
		return -ENOBUFS;
	uint32_t size = buf_size(buf);
	if (!(message->flags & ABI_MSG_PEEK))
		frame_free(frame_take(sock));
	if (size > message->data->left)
		message->out_flags |= ABI_MSG_TRUNC;
	ssize_t result = inet_packet_put(buf, message->data);
	buf_free(buf);
	return result >= 0 && message->flags & ABI_MSG_TRUNC ? (ssize_t)size : result;
}

static uint32_t packet_poll(struct file *file, struct poll_wait *wait)
{
	struct packet_sock *sock = packet_of(file);
	bool any = sock->ring.memory ? packet_ring_readable(&sock->ring) : !list_empty(&sock->queue);

	poll_listen(wait, &sock->wait);
	return POLLOUT | POLLWRNORM | POLLWRBAND | (any ? READ_EVENTS : 0);
}

static long packet_ioctl(struct file *file, struct user user, uint32_t command, uint64_t argument)
{
	struct packet_sock *sock = packet_of(file);
	int number = 0;

	if (command != FIONREAD && command != TIOCOUTQ)
		return socket_device_ioctl(user, command, argument);
	if (command == FIONREAD && !list_empty(&sock->queue))
		number = (int)buf_size(list_first(&sock->queue, struct packet_frame, node)->buf);
	return user_write(user, UADDR(argument), &number, sizeof number);
}

static int packet_map(struct file *file, uint64_t offset, uint64_t size, uint32_t prot, uint32_t flags,
		      struct file_map *out)
{
	const struct packet_ring *ring = &packet_of(file)->ring;

	(void)prot, (void)flags;
	if (offset || !ring->memory || size != ring->bytes)
		return -EINVAL;
	hostfile_get(ring->host_file);
	*out = (struct file_map){.host_file = ring->host_file};
	return 0;
}

/* ------------------------------------------------------------------------------------------------ options */

static int packet_option_get(struct file *file, int level, int option, void *value, uint32_t *size)
{
	struct packet_sock *sock = packet_of(file);
	struct tpacket_stats counts = {.tp_packets = sock->seen, .tp_drops = sock->dropped};
	const void *from = NULL;
	uint32_t bytes = sizeof(int);
	int number = 0;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_STATISTICS:
		sock->seen = sock->dropped = 0;
		from = &counts;
		bytes = sizeof counts;
		break;
	case PACKET_AUXDATA:
		number = sock->auxiliary;
		break;
	case PACKET_VERSION:
		number = sock->version;
		break;
	case PACKET_HDRLEN:
		if (*size < sizeof number)
			return -EINVAL;
		memcpy(&number, value, sizeof number);
		if (number != TPACKET_V2)
			return -EINVAL;
		number = sizeof(struct tpacket2_hdr);
		break;
	case PACKET_RESERVE:
		number = (int)sock->ring.reserve;
		break;
	case PACKET_TIMESTAMP:
		number = sock->timestamp;
		break;
	case PACKET_IGNORE_OUTGOING:
		number = sock->no_outgoing;
		break;
	default:
		return -ENOPROTOOPT;
	}
	*size = MIN(*size, bytes);
	memcpy(value, from ? from : &number, *size);
	return 0;
}

static int set_version(struct packet_sock *sock, int number)
{
	if (number < TPACKET_V1 || number > TPACKET_V2)
		return -EINVAL;
	if (sock->ring.memory)
		return -EBUSY;
	sock->version = number;
	return 0;
}

static int set_number(struct packet_sock *sock, int option, int number)
{
	switch (option) {
	case PACKET_AUXDATA:
		sock->auxiliary = number;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (number < 0 || number > 1)
			return -EINVAL;
		sock->no_outgoing = number;
		return 0;
	case PACKET_VERSION:
		return set_version(sock, number);
	case PACKET_RESERVE:
		if (sock->ring.memory)
			return -EBUSY;
		if (number < 0 || number > UINT16_MAX)
			return -EINVAL;
		sock->ring.reserve = (uint32_t)number;
		return 0;
	case PACKET_TIMESTAMP:
		sock->timestamp = number;
		return 0;
	case PACKET_ORIGDEV: /* there are no devices on devices */
	case PACKET_COPY_THRESH:
	case PACKET_QDISC_BYPASS:
	case PACKET_LOSS:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int packet_option_set(struct file *file, const struct socket_caller *who, int level, int option,
			     const void *value, uint32_t size)
{
	struct packet_sock *sock = packet_of(file);
	struct packet_mreq member = {0};
	struct tpacket_req ring;
	int number;

	(void)who;
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (option) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		if (size < sizeof member)
			return -EINVAL;
		memcpy(&member, value, sizeof member);
		return link_by_index((uint32_t)member.mr_ifindex) ? 0 : -ENODEV;
	case PACKET_RX_RING:
		if (size < sizeof ring || sock->version != TPACKET_V2)
			return -EINVAL;
		memcpy(&ring, value, sizeof ring);
		return packet_ring_set(&sock->ring, &ring);
	default:
		if (size < sizeof number)
			return -EINVAL;
		memcpy(&number, value, sizeof number);
		return set_number(sock, option, number);
	}
}

/* ------------------------------------------------------------------------------------------------ /proc, start */

void packet_show(struct text *out)
{
	const struct packet_sock *sock;

	text_add_string(out, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	list_for_each (sock, sockets, node) {
		text_printf(out, "%016x %-6d %-4d %04x   %-5u %1d %-6u %-6u %-6" PRIu64 "\n", 0, 3, sock->base.type,
			    sock->protocol, sock->link, sock->protocol != 0, sock->queued_bytes, 0u,
			    sock->file->inode->ino);
	}
}

static const struct socket_ops packet_ops = {
	.create = packet_create,
	.bind = packet_bind,
	.connect = packet_connect,
	.name = packet_name,
	.send = packet_send,
	.receive = packet_receive,
	.option_get = packet_option_get,
	.option_set = packet_option_set,
};

static const struct file_ops packet_file_ops = {
	.async = true,
	.read = socket_read,
	.write = socket_write,
	.poll = packet_poll,
	.ioctl = packet_ioctl,
	.map = packet_map,
	.release = packet_release,
};

int packet_init(void)
{
	sockets = arena_alloc(sizeof *sockets);
	if (!sockets)
		return -ENOMEM;
	list_init(sockets);
	file_kind_register(FILE_SOCKET_PACKET, &packet_file_ops);
	socket_family_register(AF_PACKET, FILE_SOCKET_PACKET, &packet_ops);
	return 0;
}
