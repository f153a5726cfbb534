/* interop.c - our TCP against Linux's, over a bad wire: every byte must arrive once, in order, and nothing may hang.
 *
 * A world is made from a seed (plan.c) and runs in a process of its own, in a network namespace of its own with one TAP
 * device. Linux's end of the device has ordinary sockets (theirs.c, another process); ours is the stack as the sentry
 * has it (ours.c), in an ordinary process with the real clock. Between the two, frames are lost, doubled, held back,
 * broken and marked (RFC 3168), both ways. Up to 16 transfers run at once, by IPv4 and IPv6, begun by either side, with
 * all kinds of options, sizes and ends.
 *
 *     interop --seeds A-B [--jobs N]     the worlds of these seeds; the last line counts transfers
 *     interop --seed N [--pcap FILE]     one, with its plan; its frames for tcpdump(1)
 *     interop --seed N --watched         the policy looks at what we send, so that no SYN of ours may bring data
 *
 * Needs root (or a user namespace: unshare -rn) and /dev/net/tun. Time is real, so a seed says what happens to which
 * frame, not the order of everything.
 */
#include "fs/mount.h"
#include "netstack/ether.h"
#include "netstack/net.h"
#include "netstack/policy.h"
#include "netstack/route.h"
#include "netstack/tcp.h"
#include "platform/hostfile.h"
#include "sentry/base/arena.h"
#include "sentry/base/fiber.h"
#include "tests/interop/ours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAME_BYTES 66000

static struct world_plan plan;
static struct link *link_ours;
static bool watched;
static int tap;
static FILE *pcap;
static uint64_t state;

static uint32_t below(uint32_t limit)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return limit ? (uint32_t)((state >> 33) % limit) : 0;
}

/* ------------------------------------------------------------------------------------------------ the wire */

struct held {
	struct held *next;
	uint64_t due_ns;
	bool outward;
	uint32_t size;
	uint8_t bytes[];
};

static struct held *held; /* by due_ns; equal ones in the order they came */

static void hold(const uint8_t *bytes, uint32_t size, bool outward, uint64_t due_ns)
{
	struct held **at = &held, *new = malloc(sizeof *new + size);

	while (*at && (*at)->due_ns <= due_ns)
		at = &(*at)->next;
	*new = (struct held){*at, due_ns, outward, size};
	memcpy(new->bytes, bytes, size);
	*at = new;
}

static void record(const uint8_t *bytes, uint32_t size)
{
	struct timeval now;

	if (!pcap)
		return;
	gettimeofday(&now, NULL);
	uint32_t head[4] = {(uint32_t)now.tv_sec, (uint32_t)now.tv_usec, size, size};
	fwrite(head, sizeof head, 1, pcap);
	fwrite(bytes, size, 1, pcap);
	fflush(pcap);
}

static void arrive(struct held *frame)
{
	record(frame->bytes, frame->size);
	if (frame->outward) {
		(void)!write(tap, frame->bytes, frame->size);
		return;
	}
	struct block *block = block_new(frame->size);
	struct buf *buf = block ? buf_new() : NULL;
	if (!buf)
		abort();
	memcpy(block->data, frame->bytes, frame->size);
	block->used = frame->size;
	buf_attach(buf, block, 0, frame->size);
	block_put(block);
	link_deliver(link_ours, buf);
}

static bool is_tcp(const uint8_t *frame, bool *v4)
{
	*v4 = frame[12] == 8 && !frame[13];
	return *v4 ? frame[23] == 6 : frame[12] == 0x86 && frame[13] == 0xdd && frame[20] == 6;
}

/* One bit that a checksum covers. */
static void flip(uint8_t *frame, uint32_t size)
{
	bool v4, tcp = is_tcp(frame, &v4);
	uint32_t from = ETHER_HEADER_BYTES + (v4 ? 0 : 40);

	if (tcp && size > from)
		frame[from + below(size - from)] ^= (uint8_t)(1u << below(8));
}

/* Congestion Experienced instead of a loss, where the packet may bear it (RFC 3168 section 5). */
static bool mark(uint8_t *frame)
{
	bool v4, tcp = is_tcp(frame, &v4);
	uint8_t *ip = frame + ETHER_HEADER_BYTES, class = v4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);

	if (!tcp || !plan.mark || !(class & 3))
		return false;
	if (!v4) {
		ip[1] |= 0x30;
		return true;
	}
	ip[1] |= 3;
	ip[10] = ip[11] = 0;
	uint16_t sum = sum_fold(sum_add(0, ip, (ip[0] & 15) * 4u));
	memcpy(ip + 10, &sum, sizeof sum);
	return true;
}

static void wire(uint8_t *frame, uint32_t size, bool outward)
{
	uint64_t due = clock_now_ns() + plan.delay_ns + below((uint32_t)plan.jitter_ns);

	if (below(1000) < plan.loss && !mark(frame))
		return;
	if (below(1000) < plan.corrupt)
		flip(frame, size);
	if (below(1000) < plan.reorder)
		due += below((uint32_t)plan.delay_ns * 3 + 2000000);
	if (below(1000) < plan.duplicate)
		hold(frame, size, outward, due + below(1000000));
	hold(frame, size, outward, due);
}

static bool outward_wire(struct link *link, struct buf *buf)
{
	static uint8_t frame[FRAME_BYTES];

	if (link != link_ours)
		return true;
	wire(frame, buf_copy(buf, frame, sizeof frame), true);
	buf_free(buf);
	return false;
}

/* ------------------------------------------------------------------------------------------------ the device */

static void sysctl_set(const char *name, int value)
{
	char path[128];

	snprintf(path, sizeof path, "/proc/sys/net/%s", name);
	FILE *file = fopen(path, "w");
	if (file) { /* not every kernel has all of them */
		fprintf(file, "%d\n", value);
		fclose(file);
	}
}

static void die(const char *what)
{
	fprintf(stderr, "interop: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void device_make(void)
{
	struct ifreq request = {.ifr_name = "tap0", .ifr_flags = IFF_TAP | IFF_NO_PI};
	struct in6_ifreq request6 = {.ifr6_prefixlen = 64};
	struct sockaddr_in in = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);

	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &request))
		die("/dev/net/tun");
	sysctl_set("ipv6/conf/all/accept_dad", 0);
	sysctl_set("ipv6/conf/tap0/accept_dad", 0);
	sysctl_set("ipv6/conf/tap0/dad_transmits", 0);
	sysctl_set("ipv6/conf/tap0/router_solicitations", 0);
	request.ifr_mtu = (int)plan.mtu;
	if (ioctl(fd, SIOCSIFMTU, &request))
		die("MTU");
	inet_pton(AF_INET, THEIRS4, &in.sin_addr);
	memcpy(&request.ifr_addr, &in, sizeof in);
	if (ioctl(fd, SIOCSIFADDR, &request))
		die("address");
	inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
	memcpy(&request.ifr_netmask, &in, sizeof in);
	if (ioctl(fd, SIOCSIFNETMASK, &request))
		die("netmask");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &request) || ioctl(fd, SIOCGIFINDEX, &request))
		die("up");
	request6.ifr6_ifindex = request.ifr_ifindex;
	inet_pton(AF_INET6, THEIRS6, &request6.ifr6_addr);
	if (ioctl(fd6, SIOCSIFADDR, &request6))
		die("IPv6 address");
	/* The kernel takes its time with it, even without duplicate address detection. */
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = request6.ifr6_addr};
	for (int tries = 0; bind(fd6, (struct sockaddr *)&in6, sizeof in6); tries++) {
		if (tries == 500)
			die("IPv6 address");
		usleep(10000);
	}
	close(fd);
	close(fd6);
}

static void peer_options(void)
{
	sysctl_set("ipv4/tcp_timestamps", plan.timestamps);
	sysctl_set("ipv4/tcp_sack", plan.sack);
	sysctl_set("ipv4/tcp_window_scaling", plan.scaling);
	sysctl_set("ipv4/tcp_dsack", plan.dsack);
	sysctl_set("ipv4/tcp_recovery", plan.reordering_recovery);
	sysctl_set("ipv4/tcp_ecn", (int)plan.ecn);
	sysctl_set("ipv4/tcp_fastopen", 3);
}

/* ------------------------------------------------------------------------------------------------ a world */

/* TCP is the subject here, not the policy. */
static void allow_everything(void)
{
	static const char *const rules[] = {"0.0.0.0/0/any", "[::]/0/any"};
	static struct policy_config config = {
		.publish = {{POLICY_TCP, 1, POLICY_PORT_LAST}, {POLICY_UDP, 1, POLICY_PORT_LAST}},
		.publish_count = 2,
		.audit_file = HOSTFILE_NONE,
	};
	char why[POLICY_WHY_BYTES];

	if (watched && !policy_rule_parse("nobody.example", true, &config.rules.rule[config.rules.count++], why))
		abort();
	for (unsigned i = 0; i < COUNT(rules); i++)
		if (!policy_rule_parse(rules[i], false, &config.rules.rule[config.rules.count++], why))
			abort();
	policy_install(&config);
}

static void stack_start(void)
{
	static const uint8_t hardware[6] = {2, 0, 0, 0, 0x77, 1};
	struct net_addr v6 = NET_ADDR_LOOP6, v4 = net_addr_v4(0x0a4d0001);

	inet_pton(AF_INET6, OURS6, &v6);
	if (arena_init())
		abort();
	fs_init();
	if (net_init() || link_ether_new("eth0", hardware, plan.mtu, 0, &link_ours) ||
	    route_address_add(link_ours, &v4, 24) || route_address_add(link_ours, &v6, 64))
		abort();
	if (plan.seed & 1)
		link_ours->gso_bytes = 0;
	tcp_settings.ecn = (int)(plan.seed / 2 % 3);
	tcp_settings.cookies = plan.duplicate || plan.reorder || plan.seed % 3 ? 1 : 2;
	allow_everything();
	link_wire_set(outward_wire);
}

/* One turn: what is ready, what is due, what has come; then sleep until there is more. */
static void turn(void)
{
	static uint8_t frame[FRAME_BYTES];
	ssize_t n;

	clock_refresh();
	while ((n = read(tap, frame, sizeof frame)) > 0)
		wire(frame, (uint32_t)n, false);
	while (held && held->due_ns <= clock_now_ns()) {
		struct held *first = held;
		held = first->next;
		arrive(first);
		free(first);
	}
	net_run();
	fiber_run_ready();
	clock_refresh();
	uint64_t now = clock_now_ns(), due = MIN(fiber_next_deadline_ns(), held ? held->due_ns : DEADLINE_NONE);
	uint64_t wait = due > now ? MIN(due - now, NS_PER_S) : 0;
	struct timespec timeout = {(time_t)(wait / NS_PER_S), (long)(wait % NS_PER_S)};
	struct pollfd pollfd = {tap, POLLIN, 0};
	ppoll(&pollfd, 1, &timeout, NULL);
}

static pid_t peer_start(int *go_fd)
{
	int ready[2], go[2];
	char byte;

	if (pipe(ready) || pipe(go))
		die("pipe");
	pid_t pid = fork_patiently();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(tap);
		_exit(theirs_run(&plan, ready[1], go[0]) ? 1 : 0);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("the peer does not start");
	*go_fd = go[1];
	return pid;
}

static int world_run(uint64_t seed, bool tell)
{
	int go_fd, status = 0;
	bool peer_done = false;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	plan_make(&plan, seed);
	state = seed;
	if (tell)
		plan_print(&plan, stderr);
	if (unshare(CLONE_NEWNET))
		die("a network namespace");
	device_make();
	peer_options();
	pid_t peer = peer_start(&go_fd);
	stack_start();
	ours_listen(&plan);
	ours_start();
	(void)!write(go_fd, "", 1);
	uint64_t limit = clock_now_ns() + WORLD_LIMIT_S * NS_PER_S;
	while ((ours_running() || !peer_done) && clock_now_ns() < limit) {
		turn();
		peer_done = peer_done || waitpid(peer, &status, WNOHANG) == peer;
	}
	bool stalled = ours_running() || !peer_done;
	if (stalled || status || ours_failures()) {
		fprintf(stderr, "failed: interop --seed %lu%s\n", seed, stalled ? ": it stalls" : "");
		if (stalled)
			ours_print(stderr);
	}
	if (tell)
		fprintf(stderr, "data in the SYN was taken %u times\n", ours_fast_opens());
	if (!peer_done) {
		kill(peer, SIGTERM); /* it says what it waits for */
		waitpid(peer, &status, 0);
	}
	return stalled || status || ours_failures();
}

/* ------------------------------------------------------------------------------------------------ many */

static unsigned long passed, failed, begun;

static void reap(uint64_t seeds[], pid_t pids[], unsigned jobs)
{
	int status;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < jobs; i++)
		if (pids[i] == pid) {
			pids[i] = 0;
			plan_make(&plan, seeds[i]);
			*(status ? &failed : &passed) += plan.count;
			if (WIFSIGNALED(status))
				printf("interop --seed %lu: signal %d\n", seeds[i], WTERMSIG(status));
		}
	begun--;
}

static int many(unsigned long first, unsigned long last, unsigned jobs)
{
	uint64_t seeds[64] = {0};
	pid_t pids[64] = {0};

	for (unsigned long seed = first; seed <= last; seed++) {
		if (begun == jobs)
			reap(seeds, pids, jobs);
		unsigned slot = 0;
		while (pids[slot])
			slot++;
		seeds[slot] = seed;
		pids[slot] = fork_patiently();
		if (!pids[slot])
			_exit(world_run(seed, false));
		begun++;
	}
	while (begun)
		reap(seeds, pids, jobs);
	printf("%lu passed, %lu failed\n", passed, failed);
	return failed || !passed;
}

static void pcap_start(const char *path)
{
	uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};

	pcap = fopen(path, "w");
	if (!pcap)
		die(path);
	fwrite(head, sizeof head, 1, pcap);
}

int main(int argc, char **argv)
{
	unsigned long first, last, jobs = 1;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 5 && !strcmp(argv[3], "--pcap"))
		pcap_start(argv[4]);
	watched = argc == 4 && !strcmp(argv[3], "--watched");
	if (argc >= 3 && !strcmp(argv[1], "--seed"))
		return world_run(strtoul(argv[2], NULL, 10), true);
	if (argc == 5 && !strcmp(argv[3], "--jobs"))
		jobs = strtoul(argv[4], NULL, 10);
	if (argc < 3 || strcmp(argv[1], "--seeds") || sscanf(argv[2], "%lu-%lu", &first, &last) != 2 || !jobs ||
	    jobs > 64) {
		fprintf(stderr, "usage: interop --seed N [--pcap FILE | --watched] | --seeds A-B [--jobs N]\n");
		return 2;
	}
	return many(first, last, (unsigned)jobs);
}
