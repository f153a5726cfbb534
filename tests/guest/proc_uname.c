/* uname, personality, and the shape of what they say. */
#include "guest.h"
#include <sys/personality.h>
#include <sys/utsname.h>

static void as_user(void)
{
	become_user(1000);
	SHOW(sethostname("x", 1));
	SHOW(setdomainname("x", 1));
}

int main(void)
{
	struct utsname name;
	char host[128] = "";
	int major, minor;
	SHOW(uname(&name));
	SHOW_TEXT(name.sysname);
	SHOW_TEXT(name.machine);
	CHECK(sscanf(name.release, "%d.%d", &major, &minor) == 2 && major >= 4);
	CHECK(strlen(name.nodename) > 0 && strlen(name.version) > 0);
	SHOW(gethostname(host, sizeof host));
	CHECK(!strcmp(host, name.nodename));
	SHOW(syscall(SYS_uname, 8));
	in_child("user", as_user);
	SHOW(syscall(SYS_sethostname, "x", 65));
	SHOW(syscall(SYS_sethostname, "x", -1));
	section("personality");
	SHOW(personality(0xffffffff));
	SHOW(personality(ADDR_NO_RANDOMIZE));
	SHOW(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
	SHOW(personality(PER_LINUX) == ADDR_NO_RANDOMIZE);
	return 0;
}
