/* Raw sockets: who may, what they get and send, IP_HDRINCL, filters of ICMP types, checksums of IPv6. */
#include "network.h"
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>

static void creation(void)
{
	section("creation");
	SHOW(socket(AF_INET, SOCK_RAW, 0));
	SHOW(socket(AF_INET, SOCK_RAW, 300));
	SHOW(socket(AF_INET, SOCK_RAW, 263));
	SHOW(socket(AF_INET6, SOCK_RAW, 0));
	SHOW(socket(AF_INET, SOCK_RDM, 0));
	SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6));
	int raw = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	SHOW(option_of(raw, SOL_SOCKET, SO_TYPE));
	SHOW(option_of(raw, SOL_SOCKET, SO_PROTOCOL));
	SHOW(option_of(raw, IPPROTO_IP, IP_HDRINCL));
	SHOW(listen(raw, 1));
	SHOW(accept(raw, NULL, NULL));
	show_names(raw);
	SHOW(send(raw, "x", 1, 0));
	SHOW(sendto(raw, "x", 1, MSG_OOB, NULL, 0));
	int all = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
	SHOW(option_of(all, IPPROTO_IP, IP_HDRINCL));
	close(raw);
	close(all);
}

static void without_privilege(void)
{
	int status;

	section("without privilege");
	pid_t child = MUST(fork());
	if (!child) {
		MUST(setuid(1234));
		SHOW(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
		SHOW(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
		SHOW(socket(AF_INET, SOCK_RAW, 0));
		_exit(0);
	}
	MUST(waitpid(child, &status, 0));
}

static void show_packet(int fd)
{
	uint8_t bytes[256];
	struct sockaddr_storage from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from, &size);

	if (n < 0) {
		say("nothing: %s\n", error_name(errno));
		return;
	}
	show_end("from", (struct sockaddr *)&from, size);
	if (from.ss_family == AF_INET6) {
		say("%zd bytes, type %u code %u\n", n, bytes[0], bytes[1]);
		return;
	}
	struct iphdr *ip = (struct iphdr *)bytes;
	say("%zd bytes, version %u, header %u, total %u, hops %u, protocol %u, then %u %u\n", n, ip->version,
	    ip->ihl * 4, ntohs(ip->tot_len), ip->ttl, ip->protocol, bytes[20], bytes[21]);
}

static uint16_t sum_of(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;
	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void pings(void)
{
	struct icmphdr echo = {.type = ICMP_ECHO, .un.echo = {htons(77), htons(1)}};
	struct icmp_filter filter = {.data = ~(1u << ICMP_ECHOREPLY)}, seen;
	socklen_t size = sizeof seen;
	int fd = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)), other = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
	struct sockaddr_in to = end4("127.0.0.1", 0);

	section("pings");
	echo.checksum = sum_of(&echo, sizeof echo);
	SHOW(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to));
	show_packet(fd);
	show_packet(fd);
	show_packet(fd);
	SHOW(setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter));
	SHOW(getsockopt(fd, SOL_RAW, ICMP_FILTER, &seen, &size));
	SHOW(seen.data == filter.data);
	SHOW(setsockopt(other, SOL_RAW, ICMP_FILTER, &filter, sizeof filter));
	SHOW(setsockopt(fd, SOL_RAW, 77, &filter, sizeof filter));
	SHOW(CONNECT4(fd, "127.0.0.1", 0));
	show_names(fd);
	SHOW(send(fd, &echo, sizeof echo, 0));
	int pending = 0;
	SHOW(ioctl(fd, FIONREAD, &pending));
	SHOW(pending);
	show_poll("poll", fd);
	show_packet(fd);
	show_packet(fd);
	MUST(option_set(fd, IPPROTO_IP, IP_TTL, 9));
	MUST(option_set(fd, IPPROTO_IP, IP_TOS, 0x10));
	MUST(setsockopt(fd, SOL_RAW, ICMP_FILTER, &(struct icmp_filter){0}, sizeof filter));
	SHOW(send(fd, &echo, sizeof echo, 0));
	show_packet(fd);
	show_packet(fd);
	SHOW(BIND4(other, "127.0.0.1", 99));
	SHOW(BIND4(other, "10.1.2.3", 0));
	show_names(other);
	close(fd);
	close(other);
}

static void header_included(void)
{
	struct {
		struct iphdr ip;
		char data[8];
	} packet = {.ip = {.version = 4, .ihl = 5, .ttl = 33, .protocol = 253, .daddr = htonl(INADDR_LOOPBACK)},
		    .data = "payload"};
	int fd = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_RAW)), in = MUST(socket(AF_INET, SOCK_RAW, 253));
	struct sockaddr_in to = end4("127.0.0.1", 0);

	section("a header of one's own");
	SHOW(sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to));
	show_packet(in);
	SHOW(sendto(fd, &packet, 10, 0, (struct sockaddr *)&to, sizeof to));
	packet.ip.saddr = htonl(0x7f000009);
	packet.ip.tot_len = htons(5);
	SHOW(sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to));
	show_packet(in);
	MUST(option_set(in, IPPROTO_IP, IP_HDRINCL, 1));
	SHOW(option_of(in, IPPROTO_IP, IP_HDRINCL));
	SHOW(option_set(MUST(socket(AF_INET, SOCK_DGRAM, 0)), IPPROTO_IP, IP_HDRINCL, 1));
	SHOW(recv(fd, &packet, sizeof packet, MSG_DONTWAIT));
	close(fd);
	close(in);
}

static void transports(void)
{
	int raw = MUST(socket(AF_INET, SOCK_RAW, IPPROTO_UDP)), udp = MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("a copy of what a transport gets");
	MUST(BIND4(udp, "127.0.0.1", 0));
	struct sockaddr_in self = end4("127.0.0.1", port_of(udp));
	MUST(sendto(udp, "hello", 5, 0, (struct sockaddr *)&self, sizeof self));
	uint8_t bytes[100];
	SHOW(recv(raw, bytes, sizeof bytes, MSG_DONTWAIT));
	show_bytes("payload", bytes + 28, 5);
	SHOW(recv(udp, bytes, sizeof bytes, MSG_DONTWAIT));
	close(raw);
	close(udp);
}

static void six(void)
{
	struct icmp6_hdr echo = {.icmp6_type = ICMP6_ECHO_REQUEST};
	struct icmp6_filter filter;
	int fd = MUST(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6)), other = MUST(socket(AF_INET6, SOCK_RAW, 253));
	struct sockaddr_in6 to = end6("::1", 0), wrong = end6("::1", 17);

	section("IPv6");
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	SHOW(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
	SHOW(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to));
	show_packet(fd);
	show_packet(fd);
	SHOW(sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&wrong, sizeof wrong));
	SHOW(option_of(fd, SOL_RAW, IPV6_CHECKSUM));
	SHOW(option_set(fd, IPPROTO_IPV6, IPV6_CHECKSUM, 4));
	SHOW(option_of(other, IPPROTO_IPV6, IPV6_CHECKSUM));
	SHOW(option_set(other, IPPROTO_IPV6, IPV6_CHECKSUM, 3));
	SHOW(option_set(other, IPPROTO_IPV6, IPV6_CHECKSUM, 2));
	SHOW(option_of(other, IPPROTO_IPV6, IPV6_CHECKSUM));
	char data[8] = "abcdefg";
	SHOW(sendto(other, data, 3, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(sendto(other, data, sizeof data, 0, (struct sockaddr *)&to, sizeof to));
	SHOW(recv(other, data, sizeof data, MSG_DONTWAIT));
	show_bytes("with a checksum", data, sizeof data);
	SHOW(setsockopt(other, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter));
	close(fd);
	close(other);
}

int main(void)
{
	network_of_ones_own();
	creation();
	without_privilege();
	pings();
	header_included();
	transports();
	six();
	return 0;
}
