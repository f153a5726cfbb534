/* The set-id calls: what root may, what an ordinary user may with three ids. */
#include "guest.h"
#include <grp.h>
#include <sys/fsuid.h>

static void show_ids(void)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;
	MUST(getresuid(&r, &e, &s));
	MUST(getresgid(&gr, &ge, &gs));
	say("users %d %d %d, groups %d %d %d\n", r, e, s, gr, ge, gs);
	CHECK(getuid() == r && geteuid() == e && getgid() == gr && getegid() == ge);
}

static void by_setuid(void)
{
	SHOW(setgid(100));
	SHOW(setuid(1000));
	show_ids();
	SHOW(setuid(0));
	SHOW(seteuid(0));
	SHOW(setuid(1000));
	SHOW(setgid(0));
	SHOW(setgroups(0, NULL));
}

static void by_seteuid(void)
{
	SHOW(seteuid(1000));
	show_ids();
	SHOW(setuid(1001));
	SHOW(seteuid(1001));
	SHOW(seteuid(0));
	show_ids();
	SHOW(setreuid(1000, 1001));
	show_ids();
	SHOW(setreuid(1001, 1000));
	show_ids();
}

static void by_setresuid(void)
{
	SHOW(setresuid(1, 2, 3));
	show_ids();
	SHOW(setresuid(3, 1, 2));
	show_ids();
	SHOW(setresuid(-1, 2, -1));
	show_ids();
	SHOW(setresuid(4, -1, -1));
	SHOW(setresuid(2, 2, 2));
	SHOW(setresuid(1, 1, 1));
	show_ids();
}

static void by_group(void)
{
	SHOW(setresgid(5, 6, 7));
	SHOW(setregid(-1, 8));
	show_ids();
	SHOW(setegid(9));
	MUST(setresuid(1000, 1000, 1000));
	SHOW(setegid(5));
	SHOW(setresgid(9, 9, 9));
	show_ids();
}

static void by_fsuid(void)
{
	SHOW(setfsuid(1000));
	SHOW(setfsuid(-1));
	SHOW(open("locked", O_RDONLY));
	SHOW(setfsuid(0));
	SHOW(open("locked", O_RDONLY) >= 0);
	SHOW(setfsgid(-1));
}

int main(void)
{
	show_ids();
	make_file("locked", "");
	MUST(chmod("locked", 0600));
	in_child("setuid", by_setuid);
	in_child("seteuid", by_seteuid);
	in_child("setresuid", by_setresuid);
	in_child("groups", by_group);
	in_child("fsuid", by_fsuid);
	show_ids();
	section("supplementary groups");
	gid_t groups[] = {30, 10, 20}, got[8];
	SHOW(setgroups(3, groups));
	SHOW(getgroups(0, NULL));
	SHOW(getgroups(8, got));
	say("%d %d %d\n", got[0], got[1], got[2]);
	SHOW(getgroups(2, got));
	SHOW(syscall(SYS_getgroups, -1, got));
	SHOW(setgroups(65537, groups));
	SHOW(setgroups(0, NULL));
	SHOW(getgroups(8, got));
	return 0;
}
