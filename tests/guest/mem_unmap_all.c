/* A program that unmaps everything it has, its code and stack included: the next instruction is a SIGSEGV. */
#include "guest.h"
#include <sys/mman.h>

static void unmap_all(void)
{
	syscall(SYS_munmap, 0, (1ul << 47) - 4096);
	_exit(1); /* not reached: this code is gone */
}

static void unmap_and_catch(void)
{
	handle(SIGSEGV, exit, 0); /* a handler that is gone as well, and no stack for its frame */
	unmap_all();
}

int main(void)
{
	in_child("everything unmapped", unmap_all);
	in_child("and a handler", unmap_and_catch);
	return 0;
}
