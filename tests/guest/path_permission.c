/* Who may read, write and search: owner, group, supplementary group, others. The first class that matches decides. */
#include "guest.h"
#include <grp.h>

static const int modes[] = {0400, 0040, 0004, 0200, 0020, 0002, 0077, 0707, 0770};

static void try_all(uid_t uid, gid_t gid, gid_t extra)
{
	MUST(setgroups(1, &extra));
	MUST(setresgid(gid, gid, gid));
	MUST(setresuid(uid, uid, uid));
	for (size_t i = 0; i < COUNT(modes); i++) {
		char name[32];
		snprintf(name, sizeof name, "file%03o", modes[i]);
		say("%s:%s%s\n", name, open(name, O_RDONLY) < 0 ? "" : " read",
		    open(name, O_WRONLY) < 0 ? "" : " write");
	}
	SHOW(open("by_owner/x", O_RDONLY) >= 0);
	SHOW(open("by_group/x", O_RDONLY) >= 0);
	SHOW(open("by_others/x", O_RDONLY) >= 0);
	SHOW(open("by_owner", O_RDONLY));
}

static void as_owner(void)
{
	try_all(1000, 5, 5);
}
static void as_group(void)
{
	try_all(1001, 2000, 5);
}
static void as_extra(void)
{
	try_all(1001, 5, 2000);
}
static void as_other(void)
{
	try_all(1001, 5, 5);
}

int main(void)
{
	char name[32];
	for (size_t i = 0; i < COUNT(modes); i++) {
		snprintf(name, sizeof name, "file%03o", modes[i]);
		make_file(name, "x");
		MUST(chown(name, 1000, 2000));
		MUST(chmod(name, modes[i]));
	}
	const struct {
		const char *name;
		int mode;
	} dirs[] = {{"by_owner", 0100}, {"by_group", 0010}, {"by_others", 0001}};
	for (size_t i = 0; i < COUNT(dirs); i++) {
		MUST(mkdir(dirs[i].name, 0755));
		snprintf(name, sizeof name, "%s/x", dirs[i].name);
		make_file(name, "x");
		MUST(chown(dirs[i].name, 1000, 2000));
		MUST(chmod(dirs[i].name, dirs[i].mode));
	}
	in_child("owner", as_owner);
	in_child("group", as_group);
	in_child("supplementary group", as_extra);
	in_child("other", as_other);
	return 0;
}
