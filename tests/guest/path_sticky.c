/* In a sticky directory only owners remove and rename; in another one, whoever may write it. */
#include "guest.h"

static void as_user(void)
{
	become_user(1000);
	SHOW(unlink("sticky/roots"));
	SHOW(rename("sticky/roots", "sticky/moved"));
	SHOW(rename("sticky/own", "sticky/roots"));
	SHOW(rmdir("sticky/dir"));
	SHOW(unlink("sticky/own"));
	SHOW(unlink("open/roots"));
	SHOW(unlink("closed/own"));
	SHOW(unlink("unsearchable/own"));
	SHOW(unlink("sticky_own/roots"));
}

int main(void)
{
	const struct {
		const char *name;
		mode_t mode;
		uid_t owner;
	} dirs[] = {{"sticky", 01777, 0},
		    {"open", 0777, 0},
		    {"closed", 0755, 0},
		    {"unsearchable", 0666, 0},
		    {"sticky_own", 01777, 1000}};
	for (size_t i = 0; i < COUNT(dirs); i++) {
		char name[64];
		MUST(mkdir(dirs[i].name, 0755));
		snprintf(name, sizeof name, "%s/roots", dirs[i].name);
		make_file(name, "");
		snprintf(name, sizeof name, "%s/own", dirs[i].name);
		make_file(name, "");
		MUST(chown(name, 1000, 1000));
		MUST(chmod(dirs[i].name, dirs[i].mode));
		MUST(chown(dirs[i].name, dirs[i].owner, 0));
	}
	MUST(mkdir("sticky/dir", 0777));
	in_child("user", as_user);
	SHOW(exists("sticky/roots"));
	SHOW(exists("sticky/own"));
	return 0;
}
