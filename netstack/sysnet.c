/* sysnet.c - see sysnet.h. As of every device, the directory is below /sys/devices, here of devices without hardware
 * (virtual), and the class has a symbolic link to it.
 *
 * Limits: nothing to write; queues without what is in them.
 */
#include "netstack/sysnet.h"

#include "fs/sys.h"
#include "netstack/device.h"
#include "netstack/link.h"
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What an instance is: its link's index. */
static const struct link *link_of(const struct node_ref *ref)
{
	const struct link *link = link_by_index(ref->args[0]);

	assert(link); /* links are there for ever */
	return link;
}

static bool is_loopback(const struct node_ref *ref)
{
	return link_of(ref)->kind == LINK_LOOPBACK;
}

#define LINK_FILE(name, format, value)                                                                                 \
	static int show_##name(const struct node_ref *ref, struct text *out)                                           \
	{                                                                                                              \
		text_printf(out, format "\n", value);                                                                  \
		return 0;                                                                                              \
	}
LINK_FILE(index, "%u", link_of(ref)->index)
LINK_FILE(mtu, "%u", link_of(ref)->mtu)
LINK_FILE(flags, "0x%x", device_flags(link_of(ref)) & ~(uint32_t)IFF_RUNNING) /* RUNNING is made up for netlink */
LINK_FILE(type, "%u", is_loopback(ref) ? ARPHRD_LOOPBACK : ARPHRD_ETHER)
LINK_FILE(operstate, "%s", is_loopback(ref) ? "unknown" : link_of(ref)->up ? "up" : "down")
/* 1: counted from 0 by the kernel; 2: predictable, as the loopback's name is (NET_NAME_*). */
LINK_FILE(name_assign_type, "%u", is_loopback(ref) ? 2u : 1u)
LINK_FILE(uevent, "INTERFACE=%s", link_of(ref)->name)

static int show_uevent_lines(const struct node_ref *ref, struct text *out)
{
	show_uevent(ref, out);
	text_printf(out, "IFINDEX=%u\n", link_of(ref)->index);
	return 0;
}

static void add_hardware(struct text *out, const uint8_t bytes[LINK_HARDWARE_BYTES])
{
	text_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x\n", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5]);
}

static int show_address(const struct node_ref *ref, struct text *out)
{
	add_hardware(out, link_of(ref)->hardware);
	return 0;
}

static int show_broadcast(const struct node_ref *ref, struct text *out)
{
	static const uint8_t nobody[LINK_HARDWARE_BYTES], all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	add_hardware(out, is_loopback(ref) ? nobody : all);
	return 0;
}

/* Some can be asked only of a link that is up (dev_isalive in net-sysfs.c), others only where there is a wire. */
static int show_carrier(const struct node_ref *ref, struct text *out)
{
	if (!link_of(ref)->up)
		return -EINVAL;
	text_add_string(out, "1\n");
	return 0;
}

static int show_speed(const struct node_ref *ref, struct text *out)
{
	if (is_loopback(ref) || !link_of(ref)->up)
		return -EINVAL;
	text_add_string(out, "10000\n"); /* as veth and tap have it */
	return 0;
}

static int show_duplex(const struct node_ref *ref, struct text *out)
{
	if (is_loopback(ref) || !link_of(ref)->up)
		return -EINVAL;
	text_add_string(out, "full\n");
	return 0;
}

LINK_FILE(received_bytes, "%" PRIu64, link_of(ref)->received.bytes)
LINK_FILE(received_packets, "%" PRIu64, link_of(ref)->received.packets)
LINK_FILE(received_dropped, "%" PRIu64, link_of(ref)->received.dropped)
LINK_FILE(sent_bytes, "%" PRIu64, link_of(ref)->sent.bytes)
LINK_FILE(sent_packets, "%" PRIu64, link_of(ref)->sent.packets)
LINK_FILE(sent_dropped, "%" PRIu64, link_of(ref)->sent.dropped)

static const struct node_desc statistics_files[] = {
	NODE_FILE("rx_bytes", show_received_bytes),
	NODE_FILE("rx_packets", show_received_packets),
	NODE_FILE("rx_dropped", show_received_dropped),
	NODE_FILE("tx_bytes", show_sent_bytes),
	NODE_FILE("tx_packets", show_sent_packets),
	NODE_FILE("tx_dropped", show_sent_dropped),
	NODE_TEXT("collisions", "0\n"),
	NODE_TEXT("multicast", "0\n"),
	NODE_TEXT("rx_compressed", "0\n"),
	NODE_TEXT("rx_crc_errors", "0\n"),
	NODE_TEXT("rx_errors", "0\n"),
	NODE_TEXT("rx_fifo_errors", "0\n"),
	NODE_TEXT("rx_frame_errors", "0\n"),
	NODE_TEXT("rx_length_errors", "0\n"),
	NODE_TEXT("rx_missed_errors", "0\n"),
	NODE_TEXT("rx_nohandler", "0\n"),
	NODE_TEXT("rx_over_errors", "0\n"),
	NODE_TEXT("tx_aborted_errors", "0\n"),
	NODE_TEXT("tx_carrier_errors", "0\n"),
	NODE_TEXT("tx_compressed", "0\n"),
	NODE_TEXT("tx_errors", "0\n"),
	NODE_TEXT("tx_fifo_errors", "0\n"),
	NODE_TEXT("tx_heartbeat_errors", "0\n"),
	NODE_TEXT("tx_window_errors", "0\n"),
};

static const struct node_desc empty_dir[0];
static const struct node_desc queue_dirs[] = {NODE_DIR("rx-0", empty_dir), NODE_DIR("tx-0", empty_dir)};

static ssize_t copy_link(char *target, size_t size, const char *text, size_t length)
{
	memcpy(target, text, MIN(length, size));
	return (ssize_t)MIN(length, size);
}

static ssize_t link_subsystem(const struct node_ref *ref, char *target, size_t size)
{
	static const char text[] = "../../../../class/net";

	(void)ref;
	return copy_link(target, size, text, sizeof text - 1);
}

static const struct node_desc device_files[] = {
	NODE_TEXT("addr_assign_type", "0\n"),
	NODE_TEXT("addr_len", "6\n"),
	NODE_FILE("address", show_address),
	NODE_FILE("broadcast", show_broadcast),
	NODE_FILE("carrier", show_carrier),
	NODE_TEXT("carrier_changes", "0\n"),
	NODE_TEXT("carrier_down_count", "0\n"),
	NODE_TEXT("carrier_up_count", "0\n"),
	NODE_TEXT("dev_id", "0x0\n"),
	NODE_TEXT("dev_port", "0\n"),
	NODE_TEXT("dormant", "0\n"),
	NODE_FILE("duplex", show_duplex),
	NODE_FILE("flags", show_flags),
	NODE_TEXT("ifalias", "\n"),
	NODE_FILE("ifindex", show_index),
	NODE_FILE("iflink", show_index),
	NODE_TEXT("link_mode", "0\n"),
	NODE_FILE("mtu", show_mtu),
	NODE_FILE("name_assign_type", show_name_assign_type),
	NODE_TEXT("netdev_group", "0\n"),
	NODE_FILE("operstate", show_operstate),
	NODE_TEXT("proto_down", "0\n"),
	NODE_FILE("speed", show_speed),
	NODE_TEXT("testing", "0\n"),
	NODE_TEXT("tx_queue_len", "1000\n"),
	NODE_FILE("type", show_type),
	NODE_FILE("uevent", show_uevent_lines),
	NODE_DIR("queues", queue_dirs),
	NODE_DIR("statistics", statistics_files),
	{.name = "subsystem", .mode = S_IFLNK | 0777, .link = link_subsystem},
};

/* ------------------------------------------------------------------------------------------------ the directories */

static int lookup_link(const struct node_ref *ref, const char *name, struct node_ref *child)
{
	const struct link *link = link_by_name(name);

	(void)ref;
	if (!link)
		return -ENOENT;
	child->args[0] = link->index;
	return 0;
}

static bool next_link(const struct node_ref *ref, uint64_t *key, char name[32], struct node_ref *child)
{
	const struct link *link = NULL;

	(void)ref;
	while ((link = link_next(link)) && link->index < *key)
		;
	if (!link)
		return false;
	*key = link->index;
	child->args[0] = link->index;
	snprintf(name, 32, "%s", link->name);
	return true;
}

static ssize_t link_device(const struct node_ref *ref, char *target, size_t size)
{
	char text[sizeof "../../devices/virtual/net/" + LINK_NAME_BYTES];
	int length = snprintf(text, sizeof text, "../../devices/virtual/net/%s", link_of(ref)->name);

	return copy_link(target, size, text, (size_t)length);
}

static const struct node_desc device_entry = NODE_DIR("", device_files);
static const struct node_desc class_entry = {.name = "", .mode = S_IFLNK | 0777, .link = link_device};

static const struct node_desc devices_dir = {
	.name = "net", .mode = S_IFDIR | 0555, .entry = &device_entry, .lookup = lookup_link, .next = next_link};
static const struct node_desc class_dir = {
	.name = "net", .mode = S_IFDIR | 0555, .entry = &class_entry, .lookup = lookup_link, .next = next_link};

void sysnet_init(void)
{
	uint32_t devices = nodefs_find(sys_root(), "devices/virtual"), class = nodefs_find(sys_root(), "class");

	assert(devices != NODE_ROOT && class != NODE_ROOT);
	nodefs_register(devices, &devices_dir);
	nodefs_register(class, &class_dir);
}
