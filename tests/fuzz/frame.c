/* frame.c - hostile Ethernet frames against the network stack: Ethernet, ARP, neighbour discovery, IP, fragments, ICMP,
 * TCP and UDP, with the policy open and sockets to talk to.
 *
 *     make fuzz FUZZ_SECONDS=30
 *
 * An input is a row of frames, each behind four bytes: its length, of 16 bits; what is made right before it is
 * delivered (FIX_*); how long before the next one, in units of 10 ms. The stack stays the same from input to input, as
 * with an enemy on the wire.
 */
#include "fs/mount.h"
#include "fs/socket.h"
#include "netstack/autoconf.h"
#include "netstack/ether.h"
#include "netstack/ip.h"
#include "netstack/net.h"
#include "netstack/policy.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "tests/wire/mirror.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PORT       7777
#define LATE_INPUT 4096 /* after so many inputs everything that waits may end */
#define LATE_NS    (600 * NS_PER_S)

enum { FIX_TARGET = 1, FIX_IP = 2, FIX_SUMMED = 4, FIX_SEGMENT = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t now_ns = NS_PER_S;
static struct link *near;

uint64_t __wrap_hostdep_monotonic_ns(void);
uint64_t __wrap_hostdep_monotonic_ns(void)
{
	return now_ns;
}

/* What the stack sends goes nowhere. */
static bool swallow(struct link *link, struct buf *buf)
{
	(void)link;
	buf_free(buf);
	return false;
}

static void open_socket(uint16_t family, uint32_t type)
{
	const struct socket_ops *ops = socket_family(family);
	struct socket_caller who = {.pid = 1, .cred = cred_new(0, 0)};
	struct sockaddr_in6 any = {.sin6_family = family, .sin6_port = net16(PORT)};
	struct socket_address address = {.size = sizeof any};
	struct file *file;

	memcpy(address.bytes, &any, sizeof any);
	if (ops->create(&who, type, 0, 0, &file) || ops->bind(file, &who, &address) ||
	    (type == ABI_SOCK_STREAM && ops->listen(file, &who, 16)))
		abort();
}

static void allow_everything(void)
{
	static struct policy_config config;
	static const char *const rules[] = {"0.0.0.0/0", "::/0"};
	char why[POLICY_WHY_BYTES];

	config.audit_file = UINT32_MAX;
	for (unsigned i = 0; i < COUNT(rules); i++)
		if (!policy_rule_parse(rules[i], false, &config.rules.rule[config.rules.count++], why))
			abort();
	config.publish[config.publish_count++] = (struct policy_publish){POLICY_TCP, 1, POLICY_PORT_LAST};
	config.publish[config.publish_count++] = (struct policy_publish){POLICY_UDP, 1, POLICY_PORT_LAST};
	policy_install(&config);
}

static void start(void)
{
	if (arena_init())
		abort();
	fs_init();
	if (net_init() || !(near = mirror_new(1500)))
		abort();
	allow_everything();
	link_wire_set(swallow);
	if (autoconf_start(near, true))
		abort();
	open_socket(ABI_AF_INET6, ABI_SOCK_STREAM);
	open_socket(ABI_AF_INET6, ABI_SOCK_DGRAM);
}

static void fix(char *frame, uint32_t size, uint8_t what)
{
	struct ip4_header header;
	uint32_t at = ETHER_HEADER_BYTES;

	if (what & FIX_TARGET && size >= LINK_HARDWARE_BYTES)
		memcpy(frame, near->hardware, LINK_HARDWARE_BYTES);
	if (!(what & FIX_IP) || size < at + sizeof header || (uint8_t)frame[at] >> 4 != 4)
		return;
	uint32_t length = ((uint8_t)frame[at] & 15) * 4u;
	if (length < sizeof header || size < at + length)
		return;
	memcpy(&header, frame + at, sizeof header);
	header.size = net16((uint16_t)(size - at));
	header.checksum = 0;
	memcpy(frame + at, &header, sizeof header);
	header.checksum = sum_fold(sum_add(0, frame + at, length));
	memcpy(frame + at, &header, sizeof header);
}

static void deliver(const uint8_t *data, uint32_t size, uint8_t what)
{
	struct block *block = block_new(size);
	struct buf *frame = buf_new();

	if (!block || !frame)
		abort();
	memcpy(block->data, data, size);
	block->used = size;
	fix(block->data, size, what);
	buf_attach(frame, block, 0, size);
	block_put(block);
	frame->summed = what & FIX_SUMMED;
	frame->segment = what & FIX_SEGMENT ? 1000 : 0;
	link_deliver(near, frame);
	net_run();
}

static void let_time_pass(uint64_t ns)
{
	now_ns += ns;
	clock_refresh();
	fiber_run_ready();
}

/* Everything that waits for something has a deadline. */
static void end_all(void)
{
	uint64_t end = now_ns + LATE_NS, next;

	while ((next = fiber_next_deadline_ns()) != DEADLINE_NONE && next < end)
		let_time_pass(next > now_ns ? next - now_ns : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;

	if (!near)
		start();
	while (size > 4) {
		uint32_t length = (uint32_t)data[0] << 8 | data[1];
		uint8_t what = data[2], wait = data[3];
		data += 4;
		size -= 4;
		length = MIN(MAX(length, 1u), (uint32_t)size);
		deliver(data, length, what);
		let_time_pass(wait * 10 * NS_PER_MS);
		data += length;
		size -= length;
	}
	if (++inputs % LATE_INPUT == 0)
		end_all();
	return 0;
}
