/* network_passt.c - --net=user: passt(1), a program that makes sockets of an ordinary user out of Ethernet frames.
 *
 * passt gets one end of a socket pair, over which frames travel with their length before them, and jails itself: its
 * own namespaces, an empty root, seccomp. It ends when the other end is closed, thus with the sandbox, however that
 * ends. Nothing is left to its guesses: addresses are ours, and so are those of the gateway and of the resolver,
 * queries to which it sends on to the host's. The host's own loopback is out of reach (--no-map-gw).
 *
 * It is known to work once it has answered the question who the gateway is.
 *
 * Limits: a host that has no default route for a family gives none to the sandbox. Of ICMP only pings get through.
 * Ports below 1024 are published as the host allows an ordinary user.
 */
#include "netstack/ether.h"
#include "runtime/fail.h"
#include "runtime/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PASST_MTU      65520u /* the largest that it takes */
#define PASST_SOCKET   3
#define READY_MS       10000
#define QUEUE_BYTES    (4 << 20)
#define ARGUMENT_LIMIT 64
#define ARGUMENT_BYTES 4096
#define ARP_BYTES      28
#define LAST_FD        ~0u

#define GUEST4    0x0a00020fu /* 10.0.2.15 */
#define GATEWAY4  0x0a000202u
#define RESOLVER4 0x0a000203u
#define PREFIX4   24
#define PREFIX6   64

static const struct net_addr guest6 = {.bytes = {0xfd, 'u', 's', 'b', 'x', [15] = 0x15}};
static const struct net_addr gateway6 = {.bytes = {0xfe, 0x80, [15] = 0x02}};
const struct net_addr network_passt_resolver = {
	.words = {0, 0, __builtin_bswap32(0xffff), __builtin_bswap32(RESOLVER4)}};
static const uint8_t hardware[LINK_HARDWARE_BYTES] = {0x02, 'u', 's', 'b', 'x', 0x01};

static pid_t passt_pid;

const char *network_passt_path(void)
{
	static const char *const paths[] = {"/usr/bin/passt", "/usr/local/bin/passt", "/bin/passt"};

	for (unsigned i = 0; i < COUNT(paths); i++)
		if (!access(paths[i], X_OK))
			return paths[i];
	return NULL;
}

/* ------------------------------------------------------------------------------------------------ its arguments */

struct arguments {
	char *argv[ARGUMENT_LIMIT + NETWORK_PUBLISHED * 2];
	unsigned count;
	char text[ARGUMENT_BYTES + NETWORK_PUBLISHED * 64];
	size_t used;
};

printf_like(2, 3) static void add(struct arguments *arguments, const char *format, ...)
{
	size_t left = sizeof arguments->text - arguments->used;
	va_list args;

	va_start(args, format);
	int n = vsnprintf(arguments->text + arguments->used, left, format, args);
	va_end(args);
	assert(n >= 0 && (size_t)n < left && arguments->count < COUNT(arguments->argv) - 1);
	arguments->argv[arguments->count++] = arguments->text + arguments->used;
	arguments->used += (size_t)n + 1;
}

static void add_addr(struct arguments *arguments, const char *option, const struct net_addr *addr)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = net_addr_is_v4(addr);

	add(arguments, "%s", option);
	add(arguments, "%s", inet_ntop(v4 ? AF_INET : AF_INET6, addr->bytes + (v4 ? 12 : 0), text, sizeof text));
}

static void add_published(struct arguments *arguments, const struct network_options *options)
{
	bool any[2] = {false, false};

	for (unsigned i = 0; i < options->published_count; i++) {
		const struct network_published *item = &options->published[i];
		char text[INET6_ADDRSTRLEN + 1] = "";
		bool v4 = net_addr_is_v4(&item->addr);
		if (!item->any) {
			inet_ntop(v4 ? AF_INET : AF_INET6, item->addr.bytes + (v4 ? 12 : 0), text, sizeof text - 1);
			strcat(text, "/");
		}
		add(arguments, item->udp ? "-u" : "-t");
		add(arguments, "%s%u:%u", text, item->host_port, item->port);
		any[item->udp] = true;
	}
	for (unsigned i = 0; i < 2; i++)
		if (!any[i]) {
			add(arguments, i ? "-u" : "-t");
			add(arguments, "none");
		}
}

/* Has the host a default route by IPv6? */
static bool host_has_ipv6(void)
{
	char line[256], target[33], device[32];
	unsigned prefix, flags;
	bool found = false;
	FILE *file = fopen("/proc/net/ipv6_route", "re");

	while (file && !found && fgets(line, sizeof line, file))
		found = sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %x %31s", target, &prefix, &flags, device) == 4 &&
			!prefix && strspn(target, "0") == 32 && strcmp(device, "lo") != 0;
	if (file)
		fclose(file);
	return found;
}

static void make_arguments(struct arguments *arguments, const struct network_options *options, bool v6)
{
	const struct net_addr guest4 = net_addr_v4(GUEST4), gateway4 = net_addr_v4(GATEWAY4);

	add(arguments, "passt");
	add(arguments, "-f");
	add(arguments, "-q");
	add(arguments, "-e");
	add(arguments, "--fd");
	add(arguments, "%d", PASST_SOCKET);
	add(arguments, "--no-map-gw");
	add(arguments, "--no-dhcp");
	add(arguments, "--no-dhcpv6");
	add(arguments, "--no-ra");
	add(arguments, "-m");
	add(arguments, "%u", PASST_MTU);
	add_addr(arguments, "-a", &guest4);
	add(arguments, "-n");
	add(arguments, "%d", PREFIX4);
	add_addr(arguments, "-g", &gateway4);
	add_addr(arguments, "--dns-forward", &network_passt_resolver);
	if (v6) {
		add_addr(arguments, "-a", &guest6);
		add_addr(arguments, "-g", &gateway6);
	} else {
		add(arguments, "-4");
	}
	add_published(arguments, options);
}

/* ------------------------------------------------------------------------------------------------ its start */

no_return static void exec_passt(const char *path, struct arguments *arguments, int socket, int errors, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	setsid(); /* the terminal's signals are for the sandbox */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(errors, STDERR_FILENO) < 0 || dup2(socket, PASST_SOCKET) < 0)
		_exit(1);
	int null = open("/dev/null", O_RDWR);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(1);
	close_range(PASST_SOCKET + 1, LAST_FD, 0);
	signal(SIGPIPE, SIG_IGN); /* nobody listens to it later */
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(path, arguments->argv, (char *[]){NULL});
	_exit(1);
}

/* Who has the gateway's address? */
static void ask(int socket)
{
	struct {
		uint32_t length;
		uint8_t target[6], source[6];
		uint16_t type, hardware_type, protocol_type;
		uint8_t hardware_size, protocol_size;
		uint16_t operation;
		uint8_t sender_hardware[6];
		uint32_t sender __attribute__((packed));
		uint8_t target_hardware[6];
		uint32_t target_addr __attribute__((packed));
	} __attribute__((packed)) frame = {
		.length = net32(ETHER_HEADER_BYTES + ARP_BYTES),
		.type = net16(ETHER_TYPE_ARP),
		.hardware_type = net16(1),
		.protocol_type = net16(ETHER_TYPE_IP4),
		.hardware_size = LINK_HARDWARE_BYTES,
		.protocol_size = 4,
		.operation = net16(1),
		.sender = net32(GUEST4),
		.target_addr = net32(GATEWAY4),
	};

	memcpy(frame.target, ether_broadcast, sizeof frame.target);
	memcpy(frame.source, hardware, sizeof frame.source);
	memcpy(frame.sender_hardware, hardware, sizeof frame.sender_hardware);
	(void)!send(socket, &frame, sizeof frame, MSG_NOSIGNAL);
}

/* The last line that it had to say; that no system logger is there is of no interest. */
static void explain(int errors, char reason[256])
{
	FILE *file = fdopen(errors, "r");
	char line[256];

	*reason = 0;
	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		if (*line && strncmp(line, "Failed to send", 14) != 0)
			memcpy(reason, line, sizeof line);
	}
}

/* Until it has answered, or ended. Whatever comes first is an answer: nothing was sent but the question. It stays in
 * the socket's queue, where a reply that nobody asked for does no harm. */
static void wait_until_ready(int socket, int errors)
{
	struct pollfd polls[] = {{.fd = socket, .events = POLLIN}};
	char reason[256], byte;
	int n;

	while ((n = poll(polls, 1, READY_MS)) < 0 && errno == EINTR)
		continue;
	if (n > 0 && recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
		return;
	if (n == 0)
		kill(passt_pid, SIGKILL);
	explain(errors, reason);
	fail("--net=user: passt %s: %s", n ? "ended" : "does not answer",
	     *reason ? reason : "does this host have a default route?");
}

static int start(const char *path, struct arguments *arguments)
{
	int pair[2], errors[2], bytes = QUEUE_BYTES;
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) || pipe2(errors, O_CLOEXEC))
		fail("--net=user: %s", strerror(errno));
	for (unsigned i = 0; i < 2; i++) { /* as far as the host's limit goes */
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
		setsockopt(pair[i], SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	}
	passt_pid = fork();
	if (!passt_pid)
		exec_passt(path, arguments, pair[1], errors[1], parent);
	close(pair[1]);
	close(errors[1]);
	if (passt_pid < 0)
		fail("--net=user: %s", strerror(errno));
	ask(pair[0]);
	wait_until_ready(pair[0], errors[0]);
	close(errors[0]);
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK))
		fail("--net=user: %s", strerror(errno));
	return pair[0];
}

static void give(struct network_link *link, struct net_addr addr, uint8_t prefix, struct net_addr gateway)
{
	bool v6 = !net_addr_is_v4(&addr);

	link->addresses[link->address_count++] = (struct network_address){addr, prefix};
	link->routes[link->route_count++] = (struct network_route){
		.net = {net_addr_any(v6), 0}, .gateway = gateway, .source = net_addr_any(v6), .metric = v6 ? 1024 : 0};
}

void network_open_passt(struct network *network, const struct network_options *options, int link_fds[NETWORK_LINKS])
{
	static struct arguments arguments;
	struct network_link *link = &network->links[0];
	const char *path = network_passt_path();
	bool v6 = host_has_ipv6();

	if (!path)
		fail("--net=user: passt is not installed: as root, apt-get install passt");
	make_arguments(&arguments, options, v6);
	link_fds[0] = start(path, &arguments);
	link->kind = UPLINK_STREAM;
	link->mtu = PASST_MTU;
	snprintf(link->name, sizeof link->name, "eth0");
	memcpy(link->hardware, hardware, sizeof link->hardware);
	give(link, net_addr_v4(GUEST4), PREFIX4, net_addr_v4(GATEWAY4));
	if (v6)
		give(link, guest6, PREFIX6, gateway6);
	network->link_count = 1;
}

/* It ends by itself, at the end of its socket; the caller's end must be closed by now. */
void network_close_passt(void)
{
	if (passt_pid <= 0)
		return;
	kill(passt_pid, SIGTERM);
	while (waitpid(passt_pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}
