/* /proc/net/unix, sockstat and snmp, /sys/class/net: what programs have done since is in them, in Linux's columns. */
#include "guest.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char text[1 << 20];

static const char *slurp(const char *name)
{
	size_t size = 0;
	int fd = open(name, O_RDONLY);
	text[0] = 0;
	if (fd < 0) {
		say("%s: %s\n", name, error_name(errno));
		return text;
	}
	for (ssize_t n; size < sizeof text - 1 && (n = read(fd, text + size, sizeof text - 1 - size)) > 0;)
		size += n;
	text[size] = 0;
	close(fd);
	return text;
}

/* ------------------------------------------------------------------ unix */

/* The line of a socket, without what differs: its first column and its inode number. */
static void show_line(const char *title, int fd)
{
	struct stat status;
	char wanted[32], *line, *rest = text, path[200];
	unsigned references, protocol, flags, type, state;
	MUST(fstat(fd, &status));
	snprintf(wanted, sizeof wanted, " %lu", (unsigned long)status.st_ino);
	slurp("/proc/net/unix");
	while ((line = strsep(&rest, "\n"))) {
		unsigned long number;
		path[0] = 0;
		if (sscanf(line, "%*x: %x %x %x %x %x %lu %199s", &references, &protocol, &flags, &type, &state,
			   &number, path) >= 6 &&
		    number == status.st_ino) {
			say("%s: references %u, protocol %u, flags %08x, type %04x, state %02x, path <%s>\n", title,
			    references, protocol, flags, type, state, path);
			return;
		}
	}
	say("%s: not there\n", title);
}

static int bound(int type, const char *name, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = MUST(socket(AF_UNIX, type, 0));
	memcpy(address.sun_path, name, size);
	MUST(bind(fd, (void *)&address, offsetof(struct sockaddr_un, sun_path) + size));
	return fd;
}

static void unix_sockets(void)
{
	section("unix");
	slurp("/proc/net/unix");
	say("%.*s\n", (int)strcspn(text, "\n"), text);
	int pair[2], plain = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
	int listener = bound(SOCK_STREAM, "named", sizeof "named");
	int datagrams = bound(SOCK_DGRAM, "\0ab\0c", 5);
	show_line("plain", plain);
	show_line("pair", pair[0]);
	show_line("bound", listener);
	MUST(listen(listener, 5));
	show_line("listens", listener);
	show_line("datagrams", datagrams);
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "named"};
	MUST(connect(plain, (void *)&address, sizeof address));
	show_line("connected", plain);
	int accepted = MUST(accept(listener, NULL, NULL));
	show_line("accepted", accepted);
	close(accepted);
	show_line("its peer is gone", plain);
	close(plain);
	slurp("/proc/net/unix");
	CHECK(strstr(text, " named\n"));
	close(listener);
	slurp("/proc/net/unix");
	CHECK(!strstr(text, " named\n"));
	unlink("named");
	close(datagrams);
	close(pair[0]);
	close(pair[1]);
}

/* ------------------------------------------------------------------ snmp */

/* A count by its column's name: the line of names comes first, then that of values. */
static long count_of(const char *group, const char *column)
{
	char names[2048], values[2048], *name_rest = names, *value_rest = values, *name, *value;
	size_t length = strlen(group);
	const char *at = slurp("/proc/net/snmp");
	for (names[0] = values[0] = 0; *at; at += strcspn(at, "\n") + 1)
		if (!strncmp(at, group, length) && at[length] == ':') {
			char *to = names[0] ? values : names;
			snprintf(to, sizeof names, "%.*s", (int)strcspn(at, "\n"), at);
		}
	while ((name = strsep(&name_rest, " ")) && (value = strsep(&value_rest, " ")))
		if (!strcmp(name, column))
			return atol(value);
	say("no %s in %s\n", column, group);
	return -1;
}

/* Others use the network too: a count has grown by at least so much. */
struct growth {
	const char *group, *column;
	long least, before;
};

static void growth_begin(struct growth *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		list[i].before = count_of(list[i].group, list[i].column);
}

static void growth_end(const struct growth *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		say("%s %s: %s\n", list[i].group, list[i].column,
		    count_of(list[i].group, list[i].column) - list[i].before >= list[i].least ? "has grown" : "NO");
}

static void show_columns(const char *name)
{
	const char *at;
	for (at = slurp(name); *at; at += strcspn(at, "\n") + 1)
		if (strncmp(at, "IcmpMsg", 7) && strcspn(at, "\n") > 20)
			say("%.*s\n", (int)strcspn(at, ":"), at);
}

static void counts(void)
{
	struct growth list[] = {
		{"Ip", "InReceives", 17, 0},   {"Ip", "InDelivers", 17, 0},      {"Ip", "OutRequests", 17, 0},
		{"Icmp", "OutMsgs", 1, 0},     {"Icmp", "InDestUnreachs", 1, 0}, {"Icmp", "OutDestUnreachs", 1, 0},
		{"Tcp", "ActiveOpens", 2, 0},  {"Tcp", "PassiveOpens", 1, 0},    {"Tcp", "AttemptFails", 1, 0},
		{"Tcp", "InSegs", 6, 0},       {"Tcp", "OutSegs", 6, 0},         {"Tcp", "OutRsts", 1, 0},
		{"Udp", "InDatagrams", 10, 0}, {"Udp", "OutDatagrams", 11, 0},   {"Udp", "NoPorts", 1, 0}};
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, closed;
	socklen_t size = sizeof address;
	char bytes[100] = "";
	section("snmp");
	show_columns("/proc/net/snmp");
	growth_begin(list, COUNT(list));
	/* A port that nobody has: bound a moment ago. */
	int udp = MUST(socket(AF_INET, SOCK_DGRAM, 0)), gone = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	closed = address;
	MUST(bind(gone, (void *)&closed, sizeof closed));
	MUST(getsockname(gone, (void *)&closed, &size));
	MUST(bind(udp, (void *)&address, sizeof address));
	size = sizeof address;
	MUST(getsockname(udp, (void *)&address, &size));
	close(gone);
	for (int i = 0; i < 10; i++) {
		MUST(sendto(udp, bytes, sizeof bytes, 0, (void *)&address, sizeof address));
		MUST(recv(udp, bytes, sizeof bytes, 0));
	}
	MUST(sendto(udp, bytes, sizeof bytes, 0, (void *)&closed, sizeof closed));
	int listener = MUST(socket(AF_INET, SOCK_STREAM, 0)), client = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(bind(listener, (void *)&(struct sockaddr_in){.sin_family = AF_INET, .sin_addr = address.sin_addr}, size));
	int refused = MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(getsockname(listener, (void *)&address, &size));
	CHECK(connect(refused, (void *)&address, size) == -1 && errno == ECONNREFUSED);
	MUST(listen(listener, 5));
	MUST(connect(client, (void *)&address, size));
	int accepted = MUST(accept(listener, NULL, NULL));
	MUST(write(client, bytes, 10));
	MUST(read(accepted, bytes, 10));
	CHECK(count_of("Tcp", "CurrEstab") >= 2);
	growth_end(list, COUNT(list));
	section("sockstat");
	show_columns("/proc/net/sockstat");
	long used = 0, tcp = 0, datagrams = 0;
	slurp("/proc/net/sockstat");
	CHECK(sscanf(text, "sockets: used %ld TCP: inuse %ld orphan %*d tw %*d alloc %*d mem %*d UDP: inuse %ld", &used,
		     &tcp, &datagrams) == 3);
	CHECK(used >= 5 && tcp >= 3 && datagrams >= 1);
	slurp("/proc/net/sockstat6");
	CHECK(strstr(text, "TCP6: inuse ") && strstr(text, "UDP6: inuse ") && strstr(text, "RAW6: inuse "));
}

/* ------------------------------------------------------------------ /sys/class/net */

static void show_of_link(const char *name)
{
	char path[100], value[200] = "";
	snprintf(path, sizeof path, "/sys/class/net/lo/%s", name);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof value - 1);
	if (n < 0)
		say("%s: %s\n", name, error_name(errno));
	else
		say("%s: %.*s\n", name, (int)strcspn(value, "\n"), value);
	close(fd);
}

static long statistic(const char *name)
{
	char path[100];
	snprintf(path, sizeof path, "/sys/class/net/lo/statistics/%s", name);
	return atol(slurp(path));
}

static void links(void)
{
	static const char *const names[] = {"addr_assign_type", "addr_len",     "address",   "broadcast",  "carrier",
					    "dev_id",           "dev_port",     "dormant",   "duplex",     "flags",
					    "ifalias",          "ifindex",      "iflink",    "link_mode",  "mtu",
					    "name_assign_type", "netdev_group", "operstate", "proto_down", "speed",
					    "tx_queue_len",     "type",         "uevent",    "no_such"};
	char target[100] = "";
	section("/sys/class/net/lo");
	MUST(readlink("/sys/class/net/lo", target, sizeof target - 1));
	SHOW_TEXT(target);
	memset(target, 0, sizeof target);
	MUST(readlink("/sys/class/net/lo/subsystem", target, sizeof target - 1));
	SHOW_TEXT(target);
	for (unsigned i = 0; i < COUNT(names); i++)
		show_of_link(names[i]);
	struct if_nameindex *all = if_nameindex();
	DIR *dir = opendir("/sys/class/net");
	unsigned links = 0, entries = 0;
	for (struct if_nameindex *one = all; one && one->if_index; one++)
		links++;
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		entries += entry->d_type == DT_LNK;
	CHECK(links && links == entries);
	SHOW(access("/sys/class/net/no-such-link", F_OK));
	SHOW(access("/sys/class/net/lo/queues/rx-0", F_OK));
	SHOW(access("/sys/devices/virtual/net/lo/statistics", F_OK));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long received = statistic("rx_bytes"), sent = statistic("tx_packets");
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	socklen_t size = sizeof address;
	MUST(bind(fd, (void *)&address, sizeof address));
	MUST(getsockname(fd, (void *)&address, &size));
	MUST(sendto(fd, text, 1000, 0, (void *)&address, size));
	MUST(recv(fd, text, 1000, 0));
	CHECK(statistic("rx_bytes") >= received + 1028 && statistic("tx_packets") > sent);
	CHECK(statistic("rx_errors") == 0 && statistic("collisions") == 0);
}

int main(void)
{
	unix_sockets();
	counts();
	links();
	return 0;
}
