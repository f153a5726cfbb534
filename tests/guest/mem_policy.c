/* mbind, set_mempolicy, get_mempolicy: what is refused to whom, on memory that has the default policy. */
#include "fault.h"

#include <linux/mempolicy.h>

static long bind_pages(char *memory, size_t size, int mode, unsigned long *nodes, unsigned flags)
{
	return syscall(SYS_mbind, memory, size, mode, nodes, nodes ? 64 : 0, flags);
}

static void refuse(char *memory)
{
	unsigned long first = 1;
	section("arguments");
	SHOW(bind_pages(memory, PAGE, MPOL_DEFAULT, NULL, 0));
	SHOW(bind_pages(memory, PAGE, MPOL_BIND, &first, MPOL_MF_STRICT));
	SHOW(bind_pages(memory, PAGE, MPOL_BIND, &first, MPOL_MF_MOVE));
	SHOW(bind_pages(memory, PAGE, 99, NULL, 0));
	SHOW(bind_pages(memory, PAGE, MPOL_DEFAULT, NULL, 8));
	SHOW(bind_pages(memory + 1, PAGE, MPOL_DEFAULT, NULL, 0));
	SHOW(bind_pages(memory, 0, MPOL_DEFAULT, NULL, 0));
	SHOW(bind_pages(memory + 2 * PAGE, PAGE, MPOL_DEFAULT, NULL, 0));
	SHOW(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0));
	SHOW(syscall(SYS_set_mempolicy, 99, NULL, 0));
}

static void ask(char *memory)
{
	int mode = -1;
	unsigned long nodes[16] = {0};
	section("what holds");
	SHOW(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
	say("of the process: %d\n", mode);
	SHOW(syscall(SYS_get_mempolicy, &mode, NULL, 0, memory, MPOL_F_ADDR));
	SHOW(syscall(SYS_get_mempolicy, &mode, NULL, 0, memory, 0));
	SHOW(syscall(SYS_get_mempolicy, NULL, nodes, 1024, NULL, MPOL_F_MEMS_ALLOWED));
	say("node 0: %ld\n", nodes[0] & 1);
	SHOW(syscall(SYS_get_mempolicy, NULL, nodes, 1024, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE));
	SHOW(syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 64));
}

static void everybody_s(char *memory)
{
	section("pages of everybody");
	if (geteuid() == 0)
		MUST(setuid(65534));
	SHOW(bind_pages(memory, PAGE, MPOL_DEFAULT, NULL, MPOL_MF_MOVE));
	SHOW(bind_pages(memory, PAGE, MPOL_DEFAULT, NULL, MPOL_MF_MOVE_ALL));
	SHOW(bind_pages(memory + 1, PAGE, MPOL_DEFAULT, NULL, MPOL_MF_MOVE_ALL));
	SHOW(bind_pages(memory, PAGE, 99, NULL, MPOL_MF_MOVE_ALL));
}

int main(void)
{
	char *memory = map_anonymous(4 * PAGE);
	if (syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0) && errno == ENOSYS)
		skip("a kernel without memory policies");
	MUST(munmap(memory + 2 * PAGE, PAGE));
	ask(memory);
	refuse(memory);
	everybody_s(memory);
	return 0;
}
