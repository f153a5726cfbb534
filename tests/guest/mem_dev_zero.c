/* /dev/zero mapped: private is anonymous memory, shared is anonymous shared memory. */
#include "fault.h"

static char *private, *shared;

static void child(void)
{
	private[0] = shared[0] = 'c';
}

int main(void)
{
	int fd = MUST(open("/dev/zero", O_RDWR));
	private = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	shared = map(2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	close(fd);
	SHOW(private[PAGE]);
	SHOW(shared[PAGE]);
	in_child("child", child);
	SHOW(private[0]);
	SHOW(shared[0]);
	SHOW(address_result(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, MUST(open("/dev/null", O_RDONLY)), 0)));
	return 0;
}
