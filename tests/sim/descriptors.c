/* descriptors.c - what platform/hostfile.c asks of systrap: the descriptor table that stubs share. Here there is none.
 */
#include "platform/systrap/systrap.h"

struct systrap systrap;

int factory_install(int host_fd, int number)
{
	(void)host_fd;
	(void)number;
	return 0;
}

uint64_t aspace_oldest_key(void)
{
	return UINT64_MAX;
}
