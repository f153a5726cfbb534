/* network.h - for cases that need a network in which nobody else talks. */
#ifndef NETWORK_H
#define NETWORK_H

#include "inet.h"
#include <net/if.h>
#include <sched.h>
#include <sys/wait.h>

/* Natively a new network namespace with nothing but the loopback, which is what a sandbox has anyway: there nothing is
 * to be done, and unshare(2) may be refused. */
static inline void network_of_ones_own(void)
{
	if (geteuid())
		skip("needs root, for a network namespace and for raw sockets");
	if (unshare(CLONE_NEWNET))
		return;
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

#endif
