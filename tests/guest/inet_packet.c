/* AF_PACKET: frames of the loopback seen and sent, in a queue and in a ring, filters, statistics, memberships, errors.
 */
#include "network.h"
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/mman.h>

static int udp, lo;
static struct sockaddr_in self;

static void datagram(const char *text)
{
	MUST(sendto(udp, text, strlen(text), 0, (struct sockaddr *)&self, sizeof self));
	MUST(recv(udp, (char[64]){0}, 64, 0));
}

static void show_frame(const char *what, int fd, int flags)
{
	char bytes[128];
	struct sockaddr_ll from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(fd, bytes, sizeof bytes, flags | MSG_DONTWAIT, (struct sockaddr *)&from, &size);

	if (n < 0)
		say("%s: %s\n", what, error_name(errno));
	else
		say("%s: %zd bytes, name of %u bytes: protocol %04x, link %s, hardware type %u, kind %u, address of "
		    "%u\n",
		    what, n, size, ntohs(from.sll_protocol), from.sll_ifindex == lo ? "lo" : "?", from.sll_hatype,
		    from.sll_pkttype, from.sll_halen);
}

static void creation(void)
{
	struct sockaddr_ll name = {.sll_family = AF_PACKET, .sll_ifindex = 77, .sll_protocol = htons(ETH_P_IP)};
	socklen_t size = sizeof name;
	int fd = MUST(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))), status;

	section("creation");
	SHOW(socket(AF_PACKET, SOCK_STREAM, 0));
	SHOW(socket(AF_VSOCK, SOCK_STREAM, 0) >= 0 || errno == EAFNOSUPPORT);
	SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
	SHOW(bind(fd, (struct sockaddr *)&name, 10));
	name.sll_family = AF_INET;
	SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
	SHOW(getsockname(fd, (struct sockaddr *)&name, &size));
	say("%u bytes, link %d, protocol %04x\n", size, name.sll_ifindex, ntohs(name.sll_protocol));
	name = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = lo, .sll_protocol = htons(ETH_P_IP)};
	SHOW(bind(fd, (struct sockaddr *)&name, sizeof name));
	size = sizeof name;
	SHOW(getsockname(fd, (struct sockaddr *)&name, &size));
	say("%u bytes, lo: %d, protocol %04x, hardware type %u\n", size, name.sll_ifindex == lo,
	    ntohs(name.sll_protocol), name.sll_hatype);
	SHOW(connect(fd, (struct sockaddr *)&name, sizeof name));
	SHOW(listen(fd, 1));
	SHOW(getpeername(fd, (struct sockaddr *)&name, &size));
	close(fd);
	pid_t child = MUST(fork());
	if (!child) {
		MUST(setuid(1234));
		SHOW(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
		_exit(0);
	}
	MUST(waitpid(child, &status, 0));
}

static void seen(void)
{
	int all = MUST(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))),
	    cooked = MUST(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
	int none = MUST(socket(AF_PACKET, SOCK_RAW, 0)), six = MUST(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IPV6)));
	struct tpacket_stats counts;
	socklen_t size = sizeof counts;

	section("seen");
	datagram("hello");
	show_poll("all", all);
	show_frame("out", all, 0);
	show_frame("in", all, MSG_PEEK);
	show_frame("in", all, 0);
	show_frame("no more", all, 0);
	show_frame("cooked", cooked, 0);
	show_frame("no more", cooked, 0);
	show_frame("none", none, 0);
	show_frame("IPv6", six, 0);
	SHOW(getsockopt(all, SOL_PACKET, PACKET_STATISTICS, &counts, &size));
	say("%u seen, %u dropped\n", counts.tp_packets, counts.tp_drops);
	SHOW(getsockopt(all, SOL_PACKET, PACKET_STATISTICS, &counts, &size));
	say("%u seen, %u dropped\n", counts.tp_packets, counts.tp_drops);
	SHOW(option_set(all, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1));
	datagram("again");
	show_frame("in", all, MSG_TRUNC);
	show_frame("no more", all, 0);
	struct packet_mreq member = {.mr_ifindex = lo, .mr_type = PACKET_MR_PROMISC};
	SHOW(setsockopt(all, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member));
	member.mr_ifindex = 77;
	SHOW(setsockopt(all, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &member, sizeof member));
	close(all);
	close(cooked);
	close(none);
	close(six);
}

static void filters(void)
{
	/* UDP with a payload of more than 4 bytes, its first 20 bytes. */
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
				     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 4),
				     BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),
				     BPF_STMT(BPF_LD | BPF_H | BPF_IND, 18),
				     BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 12, 0, 1),
				     BPF_STMT(BPF_RET | BPF_K, 20),
				     BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_filter kinds[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
				      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
				      BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {7, code}, outgoing = {4, kinds};
	int fd = MUST(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));

	section("filters");
	SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
	datagram("no");
	datagram("yes, long");
	show_frame("filtered", fd, 0);
	show_frame("filtered", fd, 0);
	show_frame("no more", fd, 0);
	SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &outgoing, sizeof outgoing));
	datagram("only out");
	show_frame("filtered", fd, 0);
	show_frame("no more", fd, 0);
	close(fd);
}

static uint16_t header_sum(const char *header)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < sizeof(struct iphdr); i += 2)
		sum += *(const uint16_t *)(const void *)(header + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void sending(void)
{
	struct {
		struct ether_header ether;
		struct iphdr ip;
		struct udphdr udp;
		char data[4];
	} __attribute__((packed)) frame = {.ether = {.ether_type = htons(ETHERTYPE_IP)},
					   .ip = {.version = 4,
						  .ihl = 5,
						  .ttl = 5,
						  .protocol = 17,
						  .tot_len = htons(32),
						  .saddr = htonl(0x0a090909),
						  .daddr = htonl(0x7f000001)},
					   .udp = {.source = htons(9), .len = htons(12)},
					   .data = "sent"};
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = lo, .sll_protocol = htons(ETH_P_IP)};
	int raw = MUST(socket(AF_PACKET, SOCK_RAW, 0)), cooked = MUST(socket(AF_PACKET, SOCK_DGRAM, 0));
	char got[16] = "";

	section("sending");
	frame.udp.dest = self.sin_port;
	frame.ip.check = header_sum((char *)&frame + sizeof frame.ether);
	SHOW(sendto(raw, &frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(udp, got, sizeof got, MSG_DONTWAIT));
	show_bytes("got", got, 4);
	SHOW(sendto(cooked, &frame.ip, sizeof frame - 14, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(udp, got, sizeof got, MSG_DONTWAIT));
	frame.ip.saddr = htonl(0x7f000001); /* "from us" */
	frame.ip.check = 0;
	frame.ip.check = header_sum((char *)&frame + sizeof frame.ether);
	SHOW(sendto(raw, &frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(udp, got, sizeof got, MSG_DONTWAIT));
	frame.ip.check ^= 1;
	SHOW(sendto(raw, &frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(udp, got, sizeof got, MSG_DONTWAIT));
	SHOW(sendto(raw, &frame, 10, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(send(raw, &frame, sizeof frame, 0));
	to.sll_ifindex = 77;
	SHOW(sendto(raw, &frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to));
	close(raw);
	close(cooked);
}

static void ring(void)
{
	struct tpacket_req wanted = {.tp_block_size = 4096, .tp_block_nr = 2, .tp_frame_size = 2048, .tp_frame_nr = 4};
	int fd = MUST(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP))), version = TPACKET_V2;
	socklen_t size = sizeof version;

	section("ring");
	SHOW(getsockopt(fd, SOL_PACKET, PACKET_HDRLEN, &version, &size));
	SHOW(version);
	SHOW(option_set(fd, SOL_PACKET, PACKET_VERSION, 9));
	SHOW(option_set(fd, SOL_PACKET, PACKET_VERSION, TPACKET_V2));
	wanted.tp_frame_nr = 5;
	SHOW(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted));
	wanted.tp_frame_nr = 4;
	SHOW(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted));
	SHOW(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &wanted, sizeof wanted));
	SHOW(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	SHOW(memory != MAP_FAILED);
	show_poll("empty", fd);
	for (int i = 0; i < 6; i++)
		datagram("into the ring");
	show_poll("filled", fd);
	for (int i = 0; i < 4; i++) {
		struct tpacket2_hdr *frame = (void *)(memory + i * 2048);
		struct sockaddr_ll *from = (void *)((char *)frame + TPACKET_ALIGN(sizeof *frame));
		say("status %x, %u of %u bytes at %u and %u, kind %u\n", frame->tp_status & 1, frame->tp_snaplen,
		    frame->tp_len, frame->tp_mac, frame->tp_net, from->sll_pkttype);
		show_bytes("payload", (char *)frame + frame->tp_net + 28, 13);
		frame->tp_status = TP_STATUS_KERNEL;
	}
	show_poll("given back", fd);
	datagram("once more");
	SHOW(((struct tpacket2_hdr *)(void *)memory)->tp_status & 1);
	SHOW(recv(fd, &version, sizeof version, MSG_DONTWAIT));
	munmap(memory, 8192);
	close(fd);
}

int main(void)
{
	network_of_ones_own();
	lo = (int)if_nametoindex("lo");
	udp = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(BIND4(udp, "127.0.0.1", 0));
	self = end4("127.0.0.1", port_of(udp));
	creation();
	seen();
	filters();
	sending();
	ring();
	return 0;
}
