/* mbind, set_mempolicy, get_mempolicy, migrate_pages: what is refused to whom, what is kept and told. */
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

static long set(int mode, const unsigned long *nodes, unsigned long maxnode)
{
	return syscall(SYS_set_mempolicy, mode, nodes, maxnode);
}

static void show(const char *what, char *address, unsigned long flags)
{
	unsigned long nodes[16];
	int mode = -1;
	memset(nodes, 0xff, sizeof nodes);
	say("%s: %ld", what, syscall(SYS_get_mempolicy, &mode, nodes, 1024, address, flags));
	say(", mode %x, nodes %lx, none further: %d\n", mode, nodes[0], !nodes[1] && !nodes[15]);
}

static void child_shows(void)
{
	show("a child's", NULL, 0);
}

/* The modes by number: WEIGHTED_INTERLEAVE is newer than some headers. */
static void task_s(void)
{
	const unsigned long first = 1, second = 2, both = 3;
	unsigned long large[64] = {1};
	section("a task's");
	for (int mode = MPOL_DEFAULT; mode <= 5; mode++) {
		say("mode %d\n", mode);
		SHOW(set(mode, NULL, 0));
		show("no nodes", NULL, 0);
		SHOW(set(mode, &first, 64));
		show("node 0", NULL, 0);
		SHOW(set(mode, &second, 64));
		SHOW(set(mode, &both, 64));
		SHOW(set(mode | MPOL_F_STATIC_NODES, &both, 64));
		SHOW(set(mode | MPOL_F_RELATIVE_NODES, &second, 64));
		show("flags", NULL, 0);
		SHOW(set(mode | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, &both, 64));
		SHOW(set(mode | 1 << 13, &both, 64));
	}
	section("masks");
	SHOW(set(MPOL_BIND, &first, 1));
	SHOW(set(MPOL_BIND, &first, 2));
	SHOW(set(MPOL_BIND, (void *)8, 64));
	SHOW(set(99, (void *)8, 64));
	SHOW(set(MPOL_BIND, large, 64 * 64));
	SHOW(set(MPOL_BIND, large, 1 << 20));
	large[60] = 1;
	SHOW(set(MPOL_BIND, large, 64 * 64));
	in_child("child", child_shows);
	SHOW(set(MPOL_INTERLEAVE, &first, 64));
	show("the next one in turn", NULL, MPOL_F_NODE);
	SHOW(set(MPOL_DEFAULT, NULL, 0));
	show("in turn, by default", NULL, MPOL_F_NODE);
}

static void mapping_s(void)
{
	const unsigned long first = 1;
	char *memory = map_anonymous(8 * PAGE);
	section("a mapping's");
	SHOW(bind_pages(memory + 2 * PAGE, 2 * PAGE, MPOL_BIND, (unsigned long *)&first, 0));
	show("before", memory + PAGE, MPOL_F_ADDR);
	show("bound", memory + 2 * PAGE, MPOL_F_ADDR);
	show("bound", memory + 3 * PAGE, MPOL_F_ADDR);
	show("behind", memory + 4 * PAGE, MPOL_F_ADDR);
	show("on which node", memory, MPOL_F_ADDR | MPOL_F_NODE);
	SHOW(set(MPOL_PREFERRED, &first, 64));
	show("the task's", memory + PAGE, MPOL_F_ADDR);
	SHOW(syscall(450, memory + 2 * PAGE, PAGE, 0, 0));
	SHOW(syscall(450, memory + 4 * PAGE, PAGE, 0, 0));
	SHOW(syscall(450, memory + 2 * PAGE, PAGE, 0, 1));
	SHOW(syscall(450, memory + 1, PAGE, 0, 0));
	SHOW(bind_pages(memory, 8 * PAGE, MPOL_INTERLEAVE, (unsigned long *)&first, 0));
	show("before", memory + PAGE, MPOL_F_ADDR);
	SHOW(syscall(450, memory + 2 * PAGE, PAGE, 0, 0));
	SHOW(bind_pages(memory, 8 * PAGE, MPOL_DEFAULT, NULL, 0));
	MUST(munmap(memory + 6 * PAGE, PAGE));
	SHOW(bind_pages(memory + 5 * PAGE, 3 * PAGE, MPOL_BIND, (unsigned long *)&first, 0));
	SHOW(set(MPOL_DEFAULT, NULL, 0));
}

static long migrate(int pid, unsigned long maxnode, const unsigned long *from, const unsigned long *to)
{
	return syscall(SYS_migrate_pages, pid, maxnode, from, to);
}

static void moved(void)
{
	const unsigned long none = 0, first = 1, second = 2;
	section("moved");
	SHOW(migrate(0, 64, &first, &first));
	SHOW(migrate(0, 64, &second, &first));
	SHOW(migrate(0, 64, &first, &second));
	SHOW(migrate(0, 64, &first, &none));
	SHOW(migrate(0, 64, (void *)8, &first));
	SHOW(migrate(0, 64, &first, (void *)8));
	SHOW(migrate(0, 0, &first, &first));
	SHOW(migrate(-1, 64, &first, &first));
	SHOW(migrate(getpid(), 64, &first, &first));
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
	task_s();
	mapping_s();
	moved();
	everybody_s(memory);
	return 0;
}
